// What the visitor chose, and what the server last said of itself. In the database rather than in
// localStorage, because the service worker reads it too (which server, which key).
// SPDX-License-Identifier: BSD-2-Clause
import type { Config } from '../net/answers.ts';
import { get, put } from './db.ts';

export interface Settings {
    server: string; // '' = where the page came from, else an origin
    key: string; // '' = none
    model: string; // '' = the server's default
    lang: string; // of the names that come back
    place: boolean; // take the place from photos without asking again
    config?: Config; // as last heard from the server
}

const initial: Settings = { server: '', key: '', model: '', lang: 'en', place: false };

export async function loadSettings(): Promise<Settings> {
    return { ...initial, ...(await get<Settings>('settings', 'all')) };
}

export async function saveSettings(change: Partial<Settings>): Promise<Settings> {
    const settings = { ...(await loadSettings()), ...change };
    await put('settings', 'all', settings);
    return settings;
}

// 'https://host:port' of what was typed; null when it is no address of a server.
export function originOf(typed: string): string | null {
    const words = typed.trim();
    if (words === '') return '';
    if (/^(?!https?:)[a-z][a-z0-9+.-]*:\/\//i.test(words)) return null;
    try {
        const url = new URL(/^https?:\/\//i.test(words) ? words : 'https://' + words);
        return url.hostname && !url.username ? url.origin : null;
    } catch {
        return null;
    }
}
