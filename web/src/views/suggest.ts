// Names to choose from while typing: the browser's own list, filled with the few that fit, so that
// a model of many thousand classes does not slow the page.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';

const shown = 12;
let lists = 0;

// Those that begin with the words first, then those that contain them.
export function fitting(names: readonly string[], typed: string): string[] {
    const words = typed.trim().toLocaleLowerCase();
    if (!words) return names.slice(0, shown);
    const found = names.filter((name) => name.toLocaleLowerCase().includes(words));
    const first = (name: string): number => Number(!name.toLocaleLowerCase().startsWith(words));
    return found.sort((a, b) => first(a) - first(b)).slice(0, shown);
}

export function suggestions(input: HTMLInputElement, names: readonly string[]): void {
    const list = h('datalist', { id: 'names-' + ++lists });
    const show = (): void =>
        list.replaceChildren(...fitting(names, input.value).map((value) => h('option', { value })));
    input.setAttribute('list', list.id);
    input.autocomplete = 'off';
    input.addEventListener('input', show);
    input.after(list);
    show();
}
