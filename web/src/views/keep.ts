// Giving a find to the experts: what the visitor takes it for, where and when, a note. Place and
// day are looked up in the photo only once the visitor says so.
// SPDX-License-Identifier: BSD-2-Clause
import { fill, h, icon } from '../dom.ts';
import { modelCard } from '../net/api.ts';
import { pump } from '../net/sender.ts';
import { keepAgain, originOf } from '../photo/picks.ts';
import { changeEntry, type Entry, type Keep } from '../store/entries.ts';
import { randomKey } from '../store/random.ts';
import { saveSettings, type Settings } from '../store/settings.ts';
import { number, t } from '../words/words.ts';
import { suggestions } from './suggest.ts';

interface Asked {
    entry: Entry;
    settings: Settings;
}
interface Place {
    lat: number;
    lon: number;
}

export function askKeep({ entry, settings }: Asked): Promise<void> {
    const best = entry.answer?.results[0];
    const sure = best && !entry.none && !entry.answer?.unknown;
    const label = h('input', {
        name: 'label',
        maxlength: 200,
        value: sure ? (best.name ?? best.label) : '',
    });
    const date = h('input', { type: 'date', name: 'date' });
    const note = h('textarea', { name: 'note', maxlength: 500, rows: 2 });
    const place = placeField(entry, settings, date);
    const send = h('button', { value: 'yes', class: 'main' }, t('keep.send'));
    const sheet = h(
        'dialog',
        { class: 'sheet', 'aria-labelledby': 'keep-title' },
        h(
            'form',
            { method: 'dialog' },
            h('h2', { id: 'keep-title', tabindex: -1, autofocus: true }, t('keep.title')),
            h('p', { class: 'hint' }, t('keep.hint')),
            h('label', {}, t('keep.label'), label),
            place.node,
            h('label', {}, t('keep.date'), date),
            h('label', {}, t('keep.note'), note),
            h(
                'div',
                { class: 'acts' },
                h('button', { value: '', formnovalidate: true }, t('cancel')),
                send,
            ),
        ),
    );
    offerNames(label, entry, settings);
    const keep = (): Keep => ({
        label: labelOf(label.value.trim(), entry),
        note: note.value.trim(),
        date: date.value,
        lat: place.value()?.lat ?? null,
        lon: place.value()?.lon ?? null,
        key: randomKey(),
    });
    return new Promise((resolve) => {
        sheet.onclose = (): void => {
            if (sheet.returnValue === 'yes') void enqueue(entry, keep());
            sheet.remove();
            resolve();
        };
        document.body.append(sheet);
        sheet.showModal();
    });
}

// The model's own label where a shown name was left as it is.
function labelOf(typed: string, entry: Entry): string {
    const same = entry.answer?.results.find((one) => one.name === typed || one.label === typed);
    return same?.label ?? typed;
}

async function enqueue(entry: Entry, keep: Keep): Promise<void> {
    await changeEntry(entry.id, (now) => ({ ...keepAgain(now), keep }));
    await pump();
}

function offerNames(input: HTMLInputElement, entry: Entry, settings: Settings): void {
    const model = entry.answer?.model;
    if (!model) return;
    modelCard(settings, model).then(
        (card) =>
            suggestions(
                input,
                card.classes.map((one) => one.name ?? one.label),
            ),
        () => undefined,
    );
}

// A switch that, once on, looks for the place: in the photo, else where the visitor is now.
function placeField(
    entry: Entry,
    settings: Settings,
    date: HTMLInputElement,
): { node: HTMLElement; value: () => Place | null } {
    let found: Place | null = null;
    const said = h('span', { class: 'hint', 'aria-live': 'polite' });
    const box = h('input', { type: 'checkbox', role: 'switch', name: 'place' });
    const look = async (): Promise<void> => {
        found = null;
        await saveSettings({ place: box.checked });
        if (!box.checked) return fill(said);
        fill(said, t('keep.placeLooking'));
        const origin = await originOf(entry);
        if (origin.date && !date.value) date.value = origin.date;
        const { lat, lon } = origin;
        found = lat !== undefined && lon !== undefined ? { lat, lon } : await whereNow();
        fill(said, found ? placeWords(found, settings) : t('keep.placeNone'));
    };
    box.onchange = (): void => void look();
    box.checked = settings.place;
    if (box.checked) void look();
    const node = h(
        'label',
        { class: 'switch' },
        h('span', {}, icon('pin'), t('keep.place')),
        box,
        said,
    );
    return { node, value: () => found };
}

function placeWords({ lat, lon }: Place, settings: Settings): string {
    const blur = settings.config?.blur_degrees ?? 0;
    const rough = blur > 0 ? ' ' + t('keep.blurred', { km: Math.round(blur * 111 * 10) / 10 }) : '';
    return `${number(round(lat))}°, ${number(round(lon))}°.${rough}`;
}

const round = (degrees: number): number => Math.round(degrees * 1e4) / 1e4;

function whereNow(): Promise<Place | null> {
    return new Promise((resolve) => {
        if (!navigator.geolocation) return resolve(null);
        navigator.geolocation.getCurrentPosition(
            ({ coords }) => resolve({ lat: coords.latitude, lon: coords.longitude }),
            () => resolve(null),
            { timeout: 10_000, maximumAge: 60_000 },
        );
    });
}
