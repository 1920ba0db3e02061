// Pictures of classes: beside the names of an answer, and each of all when it comes near the screen.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';
import { imageUrl, json, type Target } from '../net/api.ts';

interface Models {
    models: { name: string; examples: boolean }[];
}
const asked = new Map<string, Promise<Models>>();

// Whether a model has pictures of its classes, without asking for all of them.
async function hasPictures(target: Target, model: string): Promise<boolean> {
    let list = asked.get(target.server);
    if (!list) {
        list = json<Models>(target, '/v1/models');
        list.catch(() => asked.delete(target.server));
        asked.set(target.server, list);
    }
    return (await list).models.some((one) => one.name === model && one.examples);
}

// The address of a class's picture, as long as the class of that number still has this label: a model
// that was trained anew may count its classes differently.
export const ofLabel = (path: string, label: string): string =>
    path + '?label=' + encodeURIComponent(label);

// Copies of pictures from servers that want a key, so that each is fetched once.
const copies = new Map<string, Promise<string>>();
const mostCopies = 500;

function pictureAt(target: Target, path: string): Promise<string> {
    const where = target.server + path;
    let copy = copies.get(where);
    if (copy) return copy;
    copy = imageUrl(target, path);
    copy.catch(() => copies.delete(where));
    copies.set(where, copy);
    const [oldest] = copies;
    if (oldest && copies.size > mostCopies) {
        copies.delete(oldest[0]);
        oldest[1].then(URL.revokeObjectURL, () => undefined);
    }
    return copy;
}

// A picture in front of each name whose element has data-class and data-label; not every class has
// one.
export async function addExamples(
    names: Iterable<Element>,
    target: Target,
    model: string,
): Promise<void> {
    if (!(await hasPictures(target, model).catch(() => false))) return;
    const where = `/v1/models/${encodeURIComponent(model)}/examples/`;
    for (const name of names) {
        const number = name.getAttribute('data-class');
        const label = name.getAttribute('data-label') ?? '';
        if (number) void addExample(name, target, ofLabel(where + number, label));
    }
}

async function addExample(node: Element, target: Target, path: string): Promise<void> {
    const src = await pictureAt(target, path).catch(() => '');
    if (!src || node.querySelector('.example')) return;
    const picture = h('img', { class: 'example', src, alt: '', loading: 'lazy' });
    node.prepend(picture);
    node.classList.add('with-example');
    picture.onerror = (): void => {
        picture.remove();
        node.classList.remove('with-example');
    };
}

// Does something once an element comes near the screen.
export class Nearby {
    #waiting = new Map<Element, () => void>();
    #watch = new IntersectionObserver((seen) => this.#arrive(seen), { rootMargin: '50%' });

    #arrive(seen: IntersectionObserverEntry[]): void {
        for (const { target, isIntersecting } of seen) {
            if (!isIntersecting) continue;
            const run = this.#waiting.get(target);
            this.#watch.unobserve(target);
            this.#waiting.delete(target);
            run?.();
        }
    }

    when(node: Element, run: () => void): void {
        this.#waiting.set(node, run);
        this.#watch.unobserve(node);
        this.#watch.observe(node);
    }

    // Of what was waited for nothing is there any more.
    forget(): void {
        this.#watch.disconnect();
        this.#waiting.clear();
    }
}

export function pictureOf(path: string, target: Target, nearby: Nearby): HTMLImageElement {
    const picture = h('img', { class: 'example', alt: '', width: 160, height: 160 });
    const fetchIt = async (): Promise<void> => {
        picture.src = await pictureAt(target, path).catch(() => '');
    };
    nearby.when(picture, () => void fetchIt());
    return picture;
}
