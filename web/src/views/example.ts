// Pictures of classes: where they are, and each fetched when it comes near the screen.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';
import { imageUrl, json, type Target } from '../net/api.ts';

interface Models {
    models: { name: string; examples: boolean }[];
}
const asked = new Map<string, Promise<Models>>();

// Whether a model has pictures of its classes, without asking for all of them.
export async function hasPictures(target: Target, model: string): Promise<boolean> {
    let list = asked.get(target.server);
    if (!list) {
        list = json<Models>(target, '/v1/models');
        list.catch(() => asked.delete(target.server));
        asked.set(target.server, list);
    }
    return (await list).models.some((one) => one.name === model && one.examples);
}

// The address of a class's picture; not every class has one.
export const picturePath = (model: string, number: number): string =>
    `/v1/models/${encodeURIComponent(model)}/examples/${number}`;

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
        picture.src = await imageUrl(target, path).catch(() => '');
    };
    nearby.when(picture, () => void fetchIt());
    return picture;
}
