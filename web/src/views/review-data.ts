// The observations under review: what is loaded, where the expert stands, and what was decided.
// Pages of the queue are fetched as the end comes near.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';
import type { ModelClass, Observation, Observations } from '../net/answers.ts';
import { json, modelCard, type Target } from '../net/api.ts';
import { t } from '../words/words.ts';

export const filters = ['pending', 'confirmed', 'corrected', 'rejected', 'all'] as const;
export type Filter = (typeof filters)[number];
export type Verdict = 'confirm' | 'correct' | 'reject';

const keyName = 'review-key'; // for this session of the browser only
const page = 30;

export class Reviews {
    filter: Filter = 'pending';
    index = 0;
    target: Target;
    #list: Observation[] = [];
    #next: string | null = null;
    #decided: string[] = []; // ids, the last one at the end

    constructor(server: string, key: string) {
        this.target = { server, key: sessionStorage.getItem(keyName) || key };
    }

    current = (): Observation | undefined => this.#list[this.index];

    // How many there are: '30+' while more can be fetched.
    size = (): string => this.#list.length + (this.#next ? '+' : '');

    async load(): Promise<void> {
        const { observations, next } = await this.#fetch('');
        this.#list = observations;
        this.#next = next;
        this.#decided = [];
        this.index = 0;
    }

    #fetch(after: string): Promise<Observations> {
        const query = new URLSearchParams({ limit: String(page) });
        if (after) query.set('after', after);
        if (this.filter === 'pending') return json(this.target, '/v1/review?' + query);
        if (this.filter !== 'all') query.set('status', this.filter);
        return json(this.target, '/v1/observations?' + query);
    }

    async step(by: number): Promise<void> {
        if (this.index + by >= this.#list.length - 3 && this.#next) {
            const { observations, next } = await this.#fetch(this.#next);
            const known = new Set(this.#list.map((one) => one.id));
            this.#list.push(...observations.filter((one) => !known.has(one.id)));
            this.#next = next;
        }
        this.index = Math.min(Math.max(0, this.index + by), Math.max(0, this.#list.length - 1));
    }

    async decide(verdict: Verdict, label?: string): Promise<void> {
        const one = this.current();
        if (!one) return;
        const body = JSON.stringify({ verdict, ...(label ? { label } : {}), seen: one.status });
        const headers = { 'Content-Type': 'application/json' };
        const path = `/v1/observations/${one.id}/review`;
        const init = { method: 'POST', headers, body };
        this.#list[this.index] = await json<Observation>(this.target, path, init);
        this.#decided.push(one.id);
        await this.step(1);
    }

    // Back to what was decided last, to decide it anew. False when there is nothing.
    back(): boolean {
        const id = this.#decided.pop();
        const at = this.#list.findIndex((one) => one.id === id);
        if (at >= 0) this.index = at;
        return at >= 0;
    }

    async classes(model: string): Promise<ModelClass[]> {
        return modelCard(this.target, model).then(
            (card) => card.classes,
            () => [],
        );
    }
}

// Asks for an expert's key; it is forgotten when the browser's tab is closed.
export function keyPart(done: () => void): HTMLElement {
    const input = h('input', {
        type: 'password',
        name: 'key',
        autocomplete: 'off',
        required: true,
    });
    const keep = (event: Event): void => {
        event.preventDefault();
        sessionStorage.setItem(keyName, input.value.trim());
        done();
    };
    return h(
        'form',
        { class: 'inline', onsubmit: keep },
        h('label', {}, t('review.key'), input),
        h('button', { class: 'main' }, t('review.open')),
    );
}
