// What came with an observation: where, when, what the finder takes it for, and the note. All of it
// is shown as text, whatever it contains.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';
import type { Observation } from '../net/answers.ts';
import { number, t, when } from '../words/words.ts';
import { organWord } from './photos.ts';
import { organs } from '../store/entries.ts';

export function factsPart(one: Observation): HTMLElement {
    const known = (organ: string): boolean => (organs as readonly string[]).includes(organ);
    const parts = (one.organs ?? []).filter(known).map(organWord).join(', ');
    const place =
        one.lat !== null && one.lon !== null ? `${number(one.lat)}°, ${number(one.lon)}°` : '';
    const rows: [string, string | null][] = [
        [t('review.takenFor'), one.suggested],
        [t('review.when'), one.date ?? when(Date.parse(one.created))],
        [t('review.where'), place],
        [t('organ.title'), parts],
        [t('keep.note'), one.note],
        [t('review.by'), one.reviewer],
    ];
    const list = h('dl', { class: 'facts' });
    for (const [name, value] of rows)
        if (value) list.append(h('div', {}, h('dt', {}, name), h('dd', {}, h('bdi', {}, value))));
    return list;
}
