// Names to choose from while typing: the browser's own list, filled with the few that fit, so that
// a model of many thousand classes does not slow the page.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';
import { fitting, fold } from '../words/search.ts';

const shown = 12;
let lists = 0;

export function suggestions(input: HTMLInputElement, names: readonly string[]): void {
    const all = names.map((item) => ({ item, folded: fold(item) }));
    const list = h('datalist', { id: 'names-' + ++lists });
    const show = (): void => {
        const few = fitting(all, input.value).slice(0, shown);
        list.replaceChildren(...few.map((value) => h('option', { value })));
    };
    input.setAttribute('list', list.id);
    input.autocomplete = 'off';
    input.addEventListener('input', show);
    input.after(list);
    show();
}
