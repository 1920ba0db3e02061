// Calls to the chosen server. Every answer is its JSON or a Refused with the server's own problem;
// no answer at all, or none in time, is status 0.
// SPDX-License-Identifier: BSD-2-Clause
import { loadSettings, saveSettings, type Settings } from '../store/settings.ts';
import { Refused, problemOf, type Config, type ModelCard } from './answers.ts';

export interface Target {
    server: string; // '' or an origin
    key: string;
}

export function headersOf(target: Target): Record<string, string> {
    return target.key ? { Authorization: 'Bearer ' + target.key } : {};
}

const patience = 60_000; // ms for a whole call: a dead connection says nothing by itself

function within(ms: number): AbortSignal {
    if (typeof AbortSignal.timeout === 'function') return AbortSignal.timeout(ms);
    const late = new AbortController(); // Safari before 16
    setTimeout(() => late.abort(), ms);
    return late.signal;
}

// What comes over the line; where that breaks or takes too long, there is no answer.
async function arrive<T>(coming: Promise<T>): Promise<T> {
    try {
        return await coming;
    } catch (error) {
        if (error instanceof SyntaxError)
            throw new Refused({ status: 502, title: 'an answer that is not JSON' });
        throw new Refused({ status: 0, title: '' });
    }
}

export async function call(
    target: Target,
    path: string,
    init: RequestInit = {},
): Promise<Response> {
    const headers = { ...headersOf(target), ...(init.headers as Record<string, string>) };
    const signal = init.signal ?? within(patience);
    const asked = { ...init, headers, signal, cache: 'no-store' } as const;
    const response = await arrive(fetch(target.server + path, asked));
    if (response.ok) return response;
    const wait = Number(response.headers.get('Retry-After') ?? 0) || 0;
    throw new Refused(problemOf(response.status, await arrive(response.text())), wait);
}

export async function json<T>(target: Target, path: string, init?: RequestInit): Promise<T> {
    return arrive((await call(target, path, init)).json() as Promise<T>);
}

// What the server is and allows; the last known while there is no signal.
export async function refreshConfig(): Promise<Settings> {
    const settings = await loadSettings();
    try {
        const config = await json<Config>(settings, '/v1/config', { signal: within(8000) });
        return await saveSettings({ config });
    } catch (error) {
        if (settings.config) return settings;
        throw error;
    }
}

const cards = new Map<string, Promise<ModelCard>>();

// The classes of a model, fetched once.
export function modelCard(target: Target, name: string): Promise<ModelCard> {
    const where = target.server + '/v1/models/' + name;
    let card = cards.get(where);
    if (!card) {
        card = json<ModelCard>(target, '/v1/models/' + encodeURIComponent(name));
        card.catch(() => cards.delete(where));
        cards.set(where, card);
    }
    return card;
}

// Something an <img> can show: the address itself, or a copy where a key or another server is
// between.
export async function imageUrl(target: Target, path: string): Promise<string> {
    if (!target.server && !target.key) return path;
    return URL.createObjectURL(await (await call(target, path)).blob());
}
