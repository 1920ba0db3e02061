// Finds as a grid of pictures with their names.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';
import { nameOf } from '../net/answers.ts';
import type { Entry } from '../store/entries.ts';
import { certainty, day, t } from '../words/words.ts';
import type { Pictures } from './view.ts';

function titleOf(entry: Entry): string {
    const best = entry.answer?.results[0];
    if (entry.state === 'waiting' && !best) return t('find.waiting');
    if (entry.state === 'failed' || !best) return t('find.failed');
    if (entry.none) return t('find.none');
    return entry.answer?.unknown ? t('find.unknown') : nameOf(best);
}

function below(entry: Entry): string {
    const best = entry.answer?.results[0];
    const sure = best && !entry.none && !entry.answer?.unknown ? certainty(best.p) + ' · ' : '';
    return sure + day(entry.created);
}

export function finds(entries: Entry[], pictures: Pictures): HTMLElement {
    return h(
        'ul',
        { class: 'finds' },
        entries.map((entry) => find(entry, pictures)),
    );
}

function find(entry: Entry, pictures: Pictures): HTMLElement {
    const photo = entry.photos[0];
    const src = photo ? pictures.url(photo.small) : '';
    return h(
        'li',
        { class: 'find ' + entry.state },
        h(
            'a',
            { href: '#/find/' + entry.id },
            h('img', { src, alt: '', loading: 'lazy' }),
            h('strong', {}, titleOf(entry)),
            h('small', {}, below(entry)),
        ),
    );
}
