// The photos of a find: one large, the others as a strip, what part of the thing each shows, and
// one more on request. Over the large one lies the heat map, when it was asked for.
// SPDX-License-Identifier: BSD-2-Clause
import { h, icon } from '../dom.ts';
import { changeEntry, organs, type Entry, type Photo } from '../store/entries.ts';
import { t, type Key } from '../words/words.ts';
import type { Shown } from './find.ts';
import { takeButton, chooseButton, useFiles } from './pick.ts';

export function photosPart({ entry, settings, pictures }: Shown): HTMLElement[] {
    const urls = entry.photos.map((photo) => pictures.url(photo.large));
    const large = h('img', { class: 'large', src: urls[0], alt: t('find.photo', { n: 1 }) });
    const map = h('img', { class: 'map', alt: t('find.mapAlt') });
    const show = (i: number): void => {
        large.src = urls[i] ?? '';
        large.alt = t('find.photo', { n: i + 1 });
        const heat = entry.maps?.[i];
        map.hidden = !heat;
        if (heat) map.src = heat;
    };
    show(0);
    const room = (settings.config?.max_images ?? 5) - entry.photos.length;
    const strip = h('ul', { class: 'strip' });
    entry.photos.forEach((photo, i) => strip.append(thumb(entry, photo, i, urls[i] ?? '', show)));
    if (room > 0 && entry.state !== 'waiting' && !entry.kept) strip.append(adder(entry));
    return [h('figure', { class: 'frame' }, large, map), strip];
}

function thumb(
    entry: Entry,
    photo: Photo,
    i: number,
    src: string,
    show: (i: number) => void,
): HTMLElement {
    const failed = entry.answer?.images[i]?.error;
    const label = t('find.photo', { n: i + 1 });
    return h(
        'li',
        { class: failed ? 'failed' : '' },
        h(
            'button',
            { type: 'button', class: 'thumb', 'aria-label': label, onclick: () => show(i) },
            h('img', { src, alt: '' }),
        ),
        organChip(entry, photo, i),
        failed && h('small', { class: 'bad' }, failed.detail ?? failed.title),
    );
}

export const organWord = (organ: string): string => t(('organ.' + (organ || 'any')) as Key);

function organChip(entry: Entry, photo: Photo, i: number): HTMLElement {
    const chip = h('select', { class: 'chip', 'aria-label': t('organ.of', { n: i + 1 }) });
    for (const organ of ['', ...organs]) {
        const chosen = organ === photo.organ;
        chip.append(h('option', { value: organ, selected: chosen }, organWord(organ)));
    }
    chip.onchange = (): void => {
        const photos = (now: Entry): Photo[] =>
            now.photos.map((one, at) => (at === i ? { ...one, organ: chip.value } : one));
        void changeEntry(entry.id, (now) => ({ ...now, photos: photos(now) }));
    };
    return chip;
}

function adder(entry: Entry): HTMLElement {
    const use = (files: File[]): void => void useFiles(files, entry);
    const inside = [icon('plus'), h('span', {}, t('find.addShort'))];
    return h(
        'li',
        { class: 'adder' },
        takeButton(use, 'thumb', icon('camera'), h('span', { class: 'unseen' }, t('find.add'))),
        chooseButton(use, 'chip', ...inside),
    );
}
