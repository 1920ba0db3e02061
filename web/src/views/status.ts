// How far a find is on its way: waiting, sent in part, refused. Words first; the server's own
// reason stands below them.
// SPDX-License-Identifier: BSD-2-Clause
import { h, icon } from '../dom.ts';
import { pump } from '../net/sender.ts';
import { again, keepAgain } from '../photo/picks.ts';
import { changeEntry, type Entry } from '../store/entries.ts';
import { t } from '../words/words.ts';
import type { Shown } from './find.ts';

export function statusPart({ entry }: Shown): HTMLElement[] {
    if (entry.state === 'failed') return [failed(entry)];
    if (entry.state !== 'waiting') return [];
    return entry.problem || !navigator.onLine ? [waiting(entry)] : [sending(entry)];
}

function sending(entry: Entry): HTMLElement {
    const words = entry.task === 'keep' ? t('status.keeping') : t('status.sending');
    const bar = h('progress', { max: 1, 'aria-label': words });
    return h(
        'div',
        { class: 'sending', role: 'status' },
        h('p', { class: 'part' }, words),
        h('p', { class: 'whole' }, t('status.looking')),
        bar,
    );
}

function waiting(entry: Entry): HTMLElement {
    const busy = entry.problem && entry.problem.status > 0;
    return h(
        'div',
        { class: 'note', role: 'status' },
        icon('cloud'),
        h(
            'div',
            {},
            h('strong', {}, t(busy ? 'status.busy' : 'status.offline')),
            h('p', {}, t('status.waits')),
        ),
        retryButton(entry),
    );
}

function failed(entry: Entry): HTMLElement {
    const status = entry.problem?.status ?? 0;
    const key = status === 401 || status === 403;
    return h(
        'div',
        { class: 'note bad', role: 'alert' },
        icon('cross'),
        h(
            'div',
            {},
            h('strong', {}, t(key ? 'status.key' : 'status.refused')),
            h('p', {}, entry.problem?.detail ?? entry.problem?.title ?? ''),
            key && h('a', { href: '#/settings' }, t('settings.title')),
        ),
        retryButton(entry),
    );
}

function retryButton(entry: Entry): HTMLElement {
    const retry = async (): Promise<void> => {
        await changeEntry(entry.id, (now) => (now.task === 'keep' ? keepAgain(now) : again(now)));
        await pump();
    };
    return h('button', { type: 'button', onclick: () => void retry() }, t('status.retry'));
}
