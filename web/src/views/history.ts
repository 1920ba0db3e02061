// All finds of this device, the newest first; each can be opened, all can be cleared.
// SPDX-License-Identifier: BSD-2-Clause
import { fill, h, icon } from '../dom.ts';
import { clearEntries, listEntries, listen } from '../store/entries.ts';
import { t } from '../words/words.ts';
import { askFirst } from './ask.ts';
import { finds } from './finds.ts';
import { Pictures, type View } from './view.ts';

export function historyView(): View {
    const pictures = new Pictures();
    const list = h('div');
    const node = h(
        'section',
        { class: 'history' },
        h('h1', { tabindex: -1 }, t('history.title')),
        h('p', { class: 'hint' }, t('history.hint')),
        list,
    );
    const wipe = async (): Promise<void> => {
        if (await askFirst(t('history.clearAsk'), t('history.clear'))) await clearEntries();
    };
    const show = async (): Promise<void> => {
        const entries = await listEntries();
        pictures.free();
        if (entries.length === 0) return fill(list, h('p', { class: 'empty' }, t('history.empty')));
        const clear = h('button', { type: 'button', class: 'plain', onclick: () => void wipe() });
        clear.append(icon('trash'), t('history.clear'));
        fill(list, finds(entries, pictures), clear);
    };
    void show();
    const deaf = listen((news) => news.kind !== 'progress' && void show());
    return {
        title: t('history.title'),
        node,
        leave: () => {
            deaf();
            pictures.free();
        },
    };
}
