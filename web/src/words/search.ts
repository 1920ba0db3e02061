// Searching among names while they are typed: capitals, accents and dashes do not matter, nor the
// order of the words. Names are folded once, so that many thousand are searched at each key.
// SPDX-License-Identifier: BSD-2-Clause

export interface Searched<T> {
    item: T;
    folded: string;
}

export const fold = (text: string): string =>
    text
        .normalize('NFD')
        .replace(/[\u0300-\u036f]/g, '')
        .toLowerCase()
        .replace(/[\s_-]+/g, ' ')
        .trim();

// What has all the words typed; first what begins with them, else in the order of `all`.
export function fitting<T>(all: readonly Searched<T>[], typed: string): T[] {
    const wanted = fold(typed);
    const words = wanted.split(' ');
    const first: T[] = [];
    const others: T[] = [];
    for (const { item, folded } of all)
        if (folded.startsWith(wanted)) first.push(item);
        else if (words.every((word) => folded.includes(word))) others.push(item);
    return first.concat(others);
}
