// Calls to the chosen server. Every answer is its JSON or a Refused with the server's own problem;
// no answer at all is status 0.
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

export async function call(
    target: Target,
    path: string,
    init: RequestInit = {},
): Promise<Response> {
    const headers = { ...headersOf(target), ...(init.headers as Record<string, string>) };
    let response: Response;
    try {
        response = await fetch(target.server + path, { ...init, headers, cache: 'no-store' });
    } catch {
        throw new Refused({ status: 0, title: '' });
    }
    if (response.ok) return response;
    const wait = Number(response.headers.get('Retry-After') ?? 0) || 0;
    throw new Refused(problemOf(response.status, await response.text()), wait);
}

export async function json<T>(target: Target, path: string, init?: RequestInit): Promise<T> {
    return (await call(target, path, init)).json() as Promise<T>;
}

// What the server is and allows; the last known while there is no signal.
export async function refreshConfig(): Promise<Settings> {
    const settings = await loadSettings();
    try {
        const signal = AbortSignal.timeout?.(8000);
        const config = await json<Config>(settings, '/v1/config', signal ? { signal } : {});
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
