// Elements without a framework: h('p', { class: 'note' }, 'text'). Texts are always set as text, so
// that no name from outside can become markup, and nothing needs an inline style or script.
// SPDX-License-Identifier: BSD-2-Clause

export type Child = Node | string | number | null | undefined | false | Child[];
type Value = string | number | boolean | null | undefined | ((event: never) => void);
export type Props = Record<string, Value>;

export function h<K extends keyof HTMLElementTagNameMap>(
    tag: K,
    props: Props = {},
    ...children: Child[]
): HTMLElementTagNameMap[K] {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(props)) setProp(node, name, value);
    append(node, children);
    return node;
}

function setProp(node: Element, name: string, value: Value): void {
    if (value === false || value === null || value === undefined) return;
    if (typeof value === 'function')
        node.addEventListener(name.slice(2), value as unknown as EventListener);
    else node.setAttribute(name, value === true ? '' : String(value));
}

export function append(node: Node, children: Child[]): void {
    for (const child of children) {
        if (Array.isArray(child)) append(node, child);
        else if (child instanceof Node) node.appendChild(child);
        else if (child || child === 0) node.appendChild(document.createTextNode(String(child)));
    }
}

export function fill(node: Element, ...children: Child[]): void {
    node.replaceChildren();
    append(node, children);
}

// Line drawings on a 24 x 24 grid.
const drawings = {
    camera: 'M4 8h3l2-3h6l2 3h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z',
    photos: 'M6 3h14a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM5 14l4-4 4 4 3-3 5 5M16 7.2v.1M3 7v13a1 1 0 0 0 1 1h13',
    plus: 'M12 5v14M5 12h14',
    clock: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3 2',
    settings:
        'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4zM9 14.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4z',
    leaf: 'M5 19C4 10 9 4 20 4c0 11-5 16-14 14M5 20c2-5 5-8 9-10',
    list: 'M9 6h11M9 12h11M9 18h11M4.5 6v.1M4.5 12v.1M4.5 18v.1',
    check: 'M5 12.5l4.5 4.5L19 7.5',
    cross: 'M6 6l12 12M18 6L6 18',
    eye: 'M2.5 12C5 7.5 8.3 5.5 12 5.5S19 7.5 21.5 12c-2.5 4.5-5.8 6.5-9.5 6.5S5 16.5 2.5 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
    trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
    back: 'M15 5l-7 7 7 7',
    next: 'M9 5l7 7-7 7',
    pin: 'M12 21c-4-5-6-8-6-11a6 6 0 0 1 12 0c0 3-2 6-6 11zM12 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z',
    cloud: 'M7 18a4 4 0 0 1-.5-8 6 6 0 0 1 11.3 1.2A3.5 3.5 0 0 1 17 18zM4 4l16 16',
    pen: 'M4 20l1-4L16 5l3 3L8 19zM13.5 7.5l3 3',
    undo: 'M8 5L4 9l4 4M4 9h10a5.5 5.5 0 0 1 0 11h-3',
} as const;
export type Drawing = keyof typeof drawings;

export function icon(name: Drawing): SVGElement {
    const space = 'http://www.w3.org/2000/svg';
    const svg = document.createElementNS(space, 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('class', 'icon icon-' + name);
    svg.setAttribute('aria-hidden', 'true');
    const path = document.createElementNS(space, 'path');
    path.setAttribute('d', drawings[name]);
    svg.append(path);
    return svg;
}

let said: HTMLElement | undefined;

// Say it to a screen reader, without moving anything.
export function announce(text: string): void {
    said ??= document.body.appendChild(h('p', { class: 'unseen', 'aria-live': 'polite' }));
    said.textContent = text;
}
