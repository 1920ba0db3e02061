// The first page: one question, two buttons, and what was found last.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';
import { hasOwnCamera } from '../photo/camera.ts';
import { listEntries, listen } from '../store/entries.ts';
import { t } from '../words/words.ts';
import { finds } from './finds.ts';
import { bothButtons, useFiles } from './pick.ts';
import { Pictures, type View } from './view.ts';

const recent = 4;

export function homeView(art: SVGElement | null): View {
    const pictures = new Pictures();
    const last = h('section', { class: 'recent' });
    const node = h(
        'div',
        { class: 'home' },
        h(
            'section',
            { class: 'hero' },
            art,
            h('h1', { tabindex: -1 }, t('home.title')),
            h('p', { class: 'lead' }, t('home.lead')),
        ),
        h(
            'section',
            { class: 'start' },
            bothButtons((files) => void useFiles(files)),
            h('p', { class: 'hint' }, t('home.hint'), !hasOwnCamera() && ' ' + t('home.drop')),
            h('p', { class: 'ways' }, h('a', { href: '#/classes' }, t('classes.title'))),
        ),
        last,
    );
    const show = async (): Promise<void> => {
        const entries = (await listEntries()).slice(0, recent);
        pictures.free();
        last.replaceChildren();
        if (entries.length) last.append(h('h2', {}, t('home.recent')), finds(entries, pictures));
    };
    void show();
    const deaf = listen((news) => news.kind !== 'progress' && void show());
    return {
        title: t('home.title'),
        node,
        leave: () => {
            deaf();
            pictures.free();
        },
    };
}
