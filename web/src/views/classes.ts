// All that a model can name: its classes by name, with a picture of each where the model has them,
// and a field that searches. However many there are, only as many are built as are looked at.
// Loaded only when asked for.
// SPDX-License-Identifier: BSD-2-Clause
import { fill, h } from '../dom.ts';
import { nameOf, Refused, type ModelCard, type ModelClass } from '../net/answers.ts';
import { modelCard } from '../net/api.ts';
import { loadSettings, type Settings } from '../store/settings.ts';
import { fitting, fold, type Searched } from '../words/search.ts';
import { language, t } from '../words/words.ts';
import { aboutModel, modelName } from './about.ts';
import { Nearby, ofLabel, pictureOf } from './example.ts';
import type { View } from './view.ts';

const atOnce = 60; // names built before somebody comes near the end

// `model` is a name, or '' for the one that the visitor's photos are sent to.
export function classesView(model: string): View {
    const nearby = new Nearby();
    const rest = h('div');
    const node = h(
        'section',
        { class: 'classes' },
        h('h1', { tabindex: -1 }, t('classes.title')),
        rest,
    );
    const show = async (): Promise<void> => {
        const settings = await loadSettings();
        const card = await modelCard(settings, model || (await modelName(settings)));
        fill(rest, h('p', { class: 'hint' }, aboutModel(card)), searchable(card, settings, nearby));
    };
    show().catch((error: unknown) => fill(rest, refused(error)));
    return { title: t('classes.title'), node, leave: () => nearby.forget() };
}

function refused(error: unknown): HTMLElement {
    const problem = error instanceof Refused ? error.problem : { status: 0, title: '' };
    const words = problem.detail ?? (problem.title || t('status.offline'));
    const locked = problem.status === 401 || problem.status === 403;
    const way = locked && h('a', { href: '#/settings' }, t('settings.title'));
    return h('p', { class: 'empty', role: 'alert' }, locked ? t('status.key') : words, ' ', way);
}

// By name as the visitor's language sorts; a name and the label behind it can both be searched.
function sorted(classes: ModelClass[]): Searched<ModelClass>[] {
    const { compare } = new Intl.Collator(language);
    return classes
        .map((item) => ({ item, name: nameOf(item), folded: foldedOf(item) }))
        .sort((a, b) => compare(a.name, b.name));
}

const foldedOf = (one: ModelClass): string =>
    fold(one.name === undefined ? one.label : one.name + ' ' + one.label);

function searchable(card: ModelCard, settings: Settings, nearby: Nearby): HTMLElement[] {
    const all = sorted(card.classes);
    const field = h('input', {
        type: 'search',
        name: 'search',
        autocomplete: 'off',
        autocapitalize: 'off',
        spellcheck: 'false',
        enterkeyhint: 'search',
    });
    const count = h('p', { class: 'hint', role: 'status' });
    const list = h('div');
    const show = (): void => {
        const found = fitting(all, field.value);
        fill(count, t(found.length ? 'classes.count' : 'classes.none', { n: found.length }));
        nearby.forget();
        fill(list, growing(found, settings, nearby));
    };
    field.oninput = show;
    show();
    return [h('label', {}, t('classes.search'), field), count, list];
}

// The beginning of a list, and a button for more that presses itself when it comes near.
function growing(found: ModelClass[], settings: Settings, nearby: Nearby): HTMLElement[] {
    const pictures = found.some((one) => one.example);
    const list = h('ul', { class: 'known' + (pictures ? ' pictured' : ''), role: 'list' });
    const button = h('button', { type: 'button', class: 'quiet' });
    const more = (): HTMLElement | undefined => {
        const from = list.children.length;
        const next = found.slice(from, from + atOnce);
        const items = next.map((one) => item(one, settings, nearby));
        list.append(...items);
        const left = found.length - from - next.length;
        button.hidden = left === 0;
        button.textContent = t('classes.more', { n: Math.min(left, atOnce) });
        if (left) nearby.when(button, more);
        return items[0];
    };
    button.onclick = (): void => {
        const first = more();
        first?.setAttribute('tabindex', '-1');
        first?.focus();
    };
    more();
    return [list, button];
}

function item(one: ModelClass, settings: Settings, nearby: Nearby): HTMLElement {
    const plain = nameOf({ label: one.label });
    const other = one.name && one.name.toLowerCase() !== plain.toLowerCase() ? plain : '';
    return h(
        'li',
        {},
        one.example && pictureOf(ofLabel(one.example, one.label), settings, nearby),
        h('bdi', { class: 'name' }, nameOf(one)),
        other && h('small', {}, h('bdi', {}, other)),
    );
}
