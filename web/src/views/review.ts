// The experts' pages: one observation at a time, the photo large, and a key for each decision.
// Loaded only when asked for.
// SPDX-License-Identifier: BSD-2-Clause
import { announce, fill, h } from '../dom.ts';
import { nameOf, Refused, type Observation } from '../net/answers.ts';
import { imageUrl } from '../net/api.ts';
import { loadSettings } from '../store/settings.ts';
import { t, type Key } from '../words/words.ts';
import { decisionPart, type Decide } from './review-acts.ts';
import { addExamples } from './example.ts';
import { factsPart } from './review-facts.ts';
import { keyPart, Reviews, filters, type Filter } from './review-data.ts';
import { toast } from './toast.ts';
import type { View } from './view.ts';

export function reviewView(): View {
    const node = h('section', { class: 'review' });
    const title = h('h1', { tabindex: -1 }, t('review.title'));
    const stage = h('div', { class: 'stage' });
    let reviews: Reviews | undefined;

    const open = async (): Promise<void> => {
        const settings = await loadSettings();
        reviews = new Reviews(settings.server, settings.key);
        fill(node, h('header', {}, title, filterPicker(reviews, load)), stage);
        await load();
    };
    const load = async (): Promise<void> => {
        if (!reviews) return;
        try {
            await reviews.load();
            await show();
        } catch (error) {
            refused(error);
        }
    };
    const refused = (error: unknown): void => {
        const problem =
            error instanceof Refused ? error.problem : { status: 0, title: String(error) };
        const locked = problem.status === 401 || problem.status === 403;
        const words = problem.detail ?? (problem.title || t('status.offline'));
        fill(
            stage,
            h('p', { class: 'empty', role: 'alert' }, words),
            locked && keyPart(() => void open()),
        );
    };
    const show = async (): Promise<void> => {
        const one = reviews?.current();
        if (!reviews || !one) return fill(stage, h('p', { class: 'empty' }, t('review.empty')));
        const classes = await reviews.classes(one.model);
        const photo = await large(reviews, one);
        fill(
            stage,
            photo,
            h(
                'div',
                { class: 'panel' },
                place(reviews),
                factsPart(one),
                decisionPart(one, classes, act),
            ),
        );
        void addExamples(stage.querySelectorAll('[data-class]'), reviews.target, one.model);
        announce(one.results[0] ? nameOf(one.results[0]) : '');
    };
    const act: Decide = async (verdict, label) => {
        try {
            await reviews?.decide(verdict, label);
            await show();
        } catch (error) {
            if (error instanceof Refused && error.problem.status === 409) {
                toast(t('review.conflict'));
                return load();
            }
            toast(
                error instanceof Refused
                    ? (error.problem.detail ?? error.problem.title)
                    : String(error),
            );
        }
    };
    const step = async (by: number): Promise<void> => {
        await reviews?.step(by);
        await show();
    };
    const keys = (event: KeyboardEvent): void => {
        const there = event.target as HTMLElement;
        if (
            event.ctrlKey ||
            event.metaKey ||
            event.altKey ||
            there.closest('input, select, textarea')
        )
            return;
        if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
            const forward =
                (event.key === 'ArrowRight') === (document.documentElement.dir !== 'rtl');
            void step(forward ? 1 : -1);
        } else if (event.key.toLowerCase() === 'u') void undo();
        else pressButton(node, event);
    };
    const undo = async (): Promise<void> => {
        if (reviews?.back()) await show();
        else toast(t('review.noUndo'));
    };
    const place = (data: Reviews): HTMLElement =>
        h(
            'nav',
            { class: 'steps', 'aria-label': t('review.steps') },
            stepButton('←', t('review.previous'), () => void step(-1)),
            h('span', {}, t('review.place', { n: data.index + 1, of: data.size() })),
            stepButton('→', t('review.next'), () => void step(1)),
            h(
                'button',
                { type: 'button', class: 'plain', onclick: () => void undo() },
                t('review.undo'),
                ' ',
                h('kbd', {}, 'U'),
            ),
        );
    addEventListener('keydown', keys);
    void open();
    return { title: t('review.title'), node, leave: () => removeEventListener('keydown', keys) };
}

// A key presses the button that carries it, so that keys and buttons can never differ.
function pressButton(node: HTMLElement, event: KeyboardEvent): void {
    const button = node.querySelector<HTMLElement>(
        `[data-key="${CSS.escape(event.key.toLowerCase())}"]`,
    );
    if (!button) return;
    event.preventDefault();
    if (button instanceof HTMLInputElement) button.focus();
    else button.click();
}

function stepButton(sign: string, label: string, run: () => void): HTMLElement {
    return h(
        'button',
        { type: 'button', class: 'round flips', 'aria-label': label, onclick: run },
        sign,
    );
}

function filterPicker(reviews: Reviews, load: () => Promise<void>): HTMLElement {
    const picker = h('select', { 'aria-label': t('review.filter') });
    for (const one of filters)
        picker.append(
            h(
                'option',
                { value: one, selected: one === reviews.filter },
                t(('review.' + one) as Key),
            ),
        );
    picker.onchange = (): void => {
        reviews.filter = picker.value as Filter;
        picker.blur();
        void load();
    };
    return picker;
}

async function large(reviews: Reviews, one: Observation): Promise<HTMLElement> {
    const urls = await Promise.all(
        one.photos.map((path) => imageUrl(reviews.target, path).catch(() => '')),
    );
    const photo = h('img', { class: 'large', src: urls[0], alt: t('find.photo', { n: 1 }) });
    const strip = h('ul', { class: 'strip' });
    urls.forEach((src, i) => {
        const show = (): void => {
            photo.src = src;
        };
        const props = {
            type: 'button',
            class: 'thumb',
            'aria-label': t('find.photo', { n: i + 1 }),
            onclick: show,
        };
        strip.append(h('li', {}, h('button', props, h('img', { src, alt: '' }))));
    });
    return h('div', {}, h('figure', { class: 'frame' }, photo), urls.length > 1 && strip);
}
