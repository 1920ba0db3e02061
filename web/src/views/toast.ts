// A short message at the edge, that goes by itself; with one thing to do about it, if there is one.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';

const shelf = document.body.appendChild(h('div', { class: 'toasts', role: 'status' }));

export function toast(text: string, act?: { label: string; run: () => void }): void {
    const note = h('div', { class: 'toast' }, h('span', {}, text));
    if (act) {
        const run = (): void => {
            note.remove();
            act.run();
        };
        note.append(h('button', { type: 'button', onclick: run }, act.label));
    }
    shelf.append(note);
    setTimeout(() => note.remove(), act ? 12_000 : 7_000);
}
