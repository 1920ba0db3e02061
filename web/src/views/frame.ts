// What stands around every view: the name, the ways to the other views (at the bottom on a phone,
// under the thumb), and the main part.
// SPDX-License-Identifier: BSD-2-Clause
import { announce, h, icon, type Drawing } from '../dom.ts';
import { t, type Key } from '../words/words.ts';

const ways: [string, Drawing, Key][] = [
    ['#/', 'leaf', 'nav.identify'],
    ['#/history', 'clock', 'nav.history'],
    ['#/settings', 'settings', 'nav.settings'],
];

// Builds it anew, in the language of now.
export function frame(): void {
    announce(''); // the place where things are said is there before the first is
    document.querySelector('.skip')?.replaceChildren(t('skip'));
    const header = document.querySelector('header.top');
    header?.querySelector('nav')?.remove();
    const links = ways.map(([href, drawing, words]) =>
        h('li', {}, h('a', { href }, icon(drawing), h('span', {}, t(words)))),
    );
    header?.append(h('nav', { 'aria-label': t('nav.title') }, h('ul', {}, links)));
}

// Which way is the one taken.
export function mark(hash: string): void {
    const room = hash.split('/')[1] ?? '';
    const at = room === 'find' ? 'history' : ['shared', 'classes'].includes(room) ? '' : room;
    for (const link of document.querySelectorAll('header.top nav a')) {
        const here = link.getAttribute('href') === '#/' + at;
        if (here) link.setAttribute('aria-current', 'page');
        else link.removeAttribute('aria-current');
    }
}
