// The five names: the best one large with its certainty in words, the others below it; then what
// can be done with them.
// SPDX-License-Identifier: BSD-2-Clause
import { fill, h, icon } from '../dom.ts';
import { nameOf, Refused, type Ranked } from '../net/answers.ts';
import { call } from '../net/api.ts';
import { explainEntry } from '../net/send.ts';
import { changeEntry, removeEntry, type Entry } from '../store/entries.ts';
import type { Settings } from '../store/settings.ts';
import { certainty, percent, t } from '../words/words.ts';
import { askFirst } from './ask.ts';
import { addExamples } from './example.ts';
import type { Shown } from './find.ts';
import { askKeep } from './keep.ts';
import { toast } from './toast.ts';
import { go } from './view.ts';

export function answerPart(shown: Shown): HTMLElement[] {
    const { entry } = shown;
    const [best, ...others] = entry.answer?.results ?? [];
    if (!best) return entry.state === 'waiting' ? [] : [acts(shown)];
    const unsure = entry.answer?.unknown || entry.none;
    const list = h('ol', { class: 'names' });
    for (const ranked of unsure ? [best, ...others] : others) list.append(row(ranked));
    const head = unsure ? unsureHead(entry) : bestHead(best);
    void addExamples([head, ...list.children], shown.settings, entry.answer?.model ?? '');
    return [head, others.length || unsure ? list : h('span'), acts(shown)];
}

function bar(p: number): HTMLElement {
    const meter = h('span', { class: 'bar', 'aria-hidden': 'true' }, h('span'));
    (meter.firstElementChild as HTMLElement).style.inlineSize = Math.max(1.5, 100 * p) + '%';
    return meter;
}

function bestHead(best: Ranked): HTMLElement {
    const plain = nameOf({ ...best, name: undefined });
    const same = nameOf(best).toLowerCase() === plain.toLowerCase();
    const label = same ? null : h('p', { class: 'label' }, plain);
    return h(
        'header',
        { class: 'best', 'data-class': best.class, 'data-label': best.label },
        h('h2', {}, h('bdi', {}, nameOf(best))),
        label,
        h('p', { class: 'sure' }, h('strong', {}, certainty(best.p)), ' · ', percent(best.p)),
        bar(best.p),
    );
}

function unsureHead(entry: Entry): HTMLElement {
    const words = entry.none ? t('find.none') : t('find.unknown');
    const hint = entry.none ? t('find.noneHint') : t('find.unknownHint');
    return h(
        'header',
        { class: 'best unsure' },
        h('h2', {}, words),
        h('p', { class: 'label' }, hint),
    );
}

function row(ranked: Ranked): HTMLElement {
    const figure = h('span', { class: 'p' }, percent(ranked.p));
    const words = h('span', { class: 'word' }, certainty(ranked.p));
    const name = h('bdi', { class: 'name' }, nameOf(ranked));
    return h(
        'li',
        { 'data-class': ranked.class, 'data-label': ranked.label },
        h('div', {}, name, words, figure),
        bar(ranked.p),
    );
}

function acts(shown: Shown): HTMLElement {
    const { entry, settings } = shown;
    const answered = entry.answer && entry.state === 'done';
    return h(
        'div',
        { class: 'acts column' },
        answered && settings.config?.keep && !entry.kept && keepButton(shown),
        entry.kept && keptNote(entry, settings),
        h(
            'div',
            { class: 'minor' },
            answered && mapButton(entry, settings),
            answered && noneButton(shown),
            entry.answer && classesLink(entry.answer.model),
            deleteButton(entry),
        ),
    );
}

function keepButton(shown: Shown): HTMLElement {
    const click = (): void => void askKeep(shown);
    return h(
        'button',
        { type: 'button', class: 'quiet', onclick: click },
        icon('check'),
        t('keep.do'),
    );
}

function mapButton(entry: Entry, settings: Settings): HTMLElement {
    const button = h('button', {
        type: 'button',
        class: 'plain',
        'aria-pressed': String(Boolean(entry.maps)),
    });
    fill(button, icon('eye'), t('find.map'));
    button.onclick = (): void => void toggleMap(entry, settings, button);
    return button;
}

async function toggleMap(
    entry: Entry,
    settings: Settings,
    button: HTMLButtonElement,
): Promise<void> {
    if (entry.maps) return changeEntry(entry.id, ({ maps: _maps, ...now }) => now);
    button.disabled = true;
    try {
        const answer = await explainEntry(entry, settings);
        const maps = answer.images.map((image) => image.explain ?? '');
        if (!maps.some(Boolean)) throw new Error('no map');
        await changeEntry(entry.id, (now) => ({ ...now, maps }));
        document.querySelector('.photos')?.scrollIntoView({ behavior: 'smooth', block: 'start' });
    } catch {
        toast(t('find.mapFailed'));
    }
    button.disabled = false;
}

function noneButton(shown: Shown): HTMLElement | false {
    const { entry, settings } = shown;
    if (entry.kept) return false;
    const click = async (): Promise<void> => {
        await changeEntry(entry.id, (now) => ({ ...now, none: !entry.none }));
        if (!entry.none && settings.config?.keep)
            await askKeep({ ...shown, entry: { ...entry, none: true } });
    };
    const pressed = String(Boolean(entry.none));
    const props = {
        type: 'button',
        class: 'plain',
        'aria-pressed': pressed,
        onclick: () => void click(),
    };
    return h('button', props, icon('cross'), t('find.noneOf'));
}

function classesLink(model: string): HTMLElement {
    const href = '#/classes/' + encodeURIComponent(model);
    return h('a', { class: 'button plain', href }, icon('list'), t('classes.title'));
}

function deleteButton(entry: Entry): HTMLElement {
    const click = async (): Promise<void> => {
        if (!(await askFirst(t('find.deleteAsk'), t('delete')))) return;
        await removeEntry(entry.id);
        go('#/history');
    };
    const props = { type: 'button', class: 'plain', onclick: () => void click() };
    return h('button', props, icon('trash'), t('delete'));
}

async function deleteThere(settings: Settings, kept: NonNullable<Entry['kept']>): Promise<void> {
    const headers = { 'X-Delete-Token': kept.token };
    try {
        await call(settings, '/v1/observations/' + kept.id, { method: 'DELETE', headers });
    } catch (error) {
        if (!(error instanceof Refused) || error.problem.status !== 404) throw error; // gone: good
    }
}

function takenBack({ kept: _kept, keep: _keep, ...entry }: Entry): Entry {
    return { ...entry, task: 'identify' };
}

// What was given to the experts can be taken back, with the token that only this device has.
function keptNote(entry: Entry, settings: Settings): HTMLElement {
    const takeBack = async (): Promise<void> => {
        if (!entry.kept || !(await askFirst(t('keep.undoAsk'), t('keep.undo')))) return;
        try {
            await deleteThere(settings, entry.kept);
            await changeEntry(entry.id, takenBack);
        } catch (error) {
            toast(t('keep.undoFailed') + ' ' + (error as Error).message);
        }
    };
    return h(
        'div',
        { class: 'note good' },
        icon('check'),
        h('div', {}, h('strong', {}, t('keep.done')), h('p', {}, t('keep.doneHint'))),
        h('button', { type: 'button', onclick: () => void takeBack() }, t('keep.undo')),
    );
}
