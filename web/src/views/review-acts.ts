// What an expert can decide: one of the model's names by its number, confirm, reject, or another
// name. Each button carries the key that presses it.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';
import { nameOf, type ModelClass, type Observation, type Ranked } from '../net/answers.ts';
import { certainty, percent, t, type Key } from '../words/words.ts';
import type { Verdict } from './review-data.ts';
import { suggestions } from './suggest.ts';

export type Decide = (verdict: Verdict, label?: string) => Promise<void>;

export function decisionPart(one: Observation, classes: ModelClass[], decide: Decide): HTMLElement {
    const names = h('ol', { class: 'names keyed' });
    one.results.slice(0, 5).forEach((ranked, i) => names.append(choice(one, ranked, i, decide)));
    const best = one.results[0];
    return h(
        'div',
        {},
        h('p', { class: 'verdict ' + one.status }, statusWords(one)),
        names,
        h(
            'div',
            { class: 'acts' },
            verdictButton('c', 'main', 'review.confirm', () => best && decide('confirm')),
            verdictButton('x', 'quiet', 'review.reject', () => decide('reject')),
        ),
        otherName(classes, decide),
    );
}

const statusWords = (one: Observation): string => {
    const words = t(('review.' + one.status) as Key);
    return one.label && one.status !== 'pending' ? `${words}: ${one.label}` : words;
};

function choice(one: Observation, ranked: Ranked, i: number, decide: Decide): HTMLElement {
    const click = (): void => void (i === 0 ? decide('confirm') : decide('correct', ranked.label));
    const meter = h('span', { class: 'bar', 'aria-hidden': 'true' }, h('span'));
    (meter.firstElementChild as HTMLElement).style.inlineSize = Math.max(1.5, 100 * ranked.p) + '%';
    const props = {
        type: 'button',
        'data-key': i + 1,
        'data-class': ranked.class,
        'data-label': ranked.label,
        onclick: click,
    };
    const name = h('bdi', { class: 'name' }, nameOf(ranked));
    const user = one.suggested === ranked.label && h('span', { class: 'word' }, t('review.theirs'));
    const p = h('span', { class: 'p', title: certainty(ranked.p) }, percent(ranked.p));
    return h('li', {}, h('button', props, h('kbd', {}, i + 1), name, user, p, meter));
}

function verdictButton(key: string, kind: string, words: Key, run: () => unknown): HTMLElement {
    const props = { type: 'button', class: kind, 'data-key': key, onclick: () => void run() };
    return h('button', props, t(words), ' ', h('kbd', {}, key.toUpperCase()));
}

// Another name: one of the model's, or one it does not know yet.
function otherName(classes: ModelClass[], decide: Decide): HTMLElement {
    const input = h('input', { name: 'label', maxlength: 200, required: true, 'data-key': 'o' });
    const save = (event: Event): void => {
        event.preventDefault();
        const typed = input.value.trim();
        const known = classes.find((one) => one.name === typed || one.label === typed);
        if (typed) void decide('correct', known?.label ?? typed);
    };
    input.addEventListener('keydown', (event) => event.key === 'Escape' && input.blur());
    const label = h('label', {}, h('span', {}, t('review.other'), ' ', h('kbd', {}, 'O')), input);
    const form = h('form', { class: 'inline', onsubmit: save }, label);
    form.append(h('button', { class: 'quiet' }, t('review.correct')));
    suggestions(
        input,
        classes.map((one) => one.name ?? one.label),
    );
    return form;
}
