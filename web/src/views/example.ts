// Pictures of classes, each fetched when it comes near the screen.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';
import { imageUrl, type Target } from '../net/api.ts';

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
