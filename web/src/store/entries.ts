// One entry is one find: its photos, what is still to be done with it, and what came back. The
// queue, the result and the history are all entries; there is no other path, so being offline is
// nothing special. Whoever changes one tells the others (page, other tabs, service worker).
// SPDX-License-Identifier: BSD-2-Clause
import type { Answer, Problem } from '../net/answers.ts';
import { all, change, clear, get, put, remove } from './db.ts';

export interface Photo {
    small: Blob; // what the model sees
    large: Blob; // what people see
    name: string;
    organ: string; // '' or one of organs
    width: number; // of the photo as it came, upright
    height: number;
}

// What goes with an observation that the visitor gives to the experts.
export interface Keep {
    label: string;
    note: string;
    date: string; // YYYY-MM-DD or ''
    lat: number | null;
    lon: number | null;
    key: string; // random: however often it is sent, it is the same wish
}

export interface Entry {
    id: string;
    created: number; // ms
    photos: Photo[];
    task: 'identify' | 'keep';
    state: 'waiting' | 'done' | 'failed';
    tries: number; // that failed for want of signal or because the server was busy
    due: number; // ms; not before
    broken: boolean; // a try broke off midway: from then on it goes in pieces
    uploads: string[]; // addresses of the photos' resumable uploads, '' = not begun
    answer?: Answer;
    problem?: Problem;
    keep?: Keep;
    kept?: { id: string; token: string };
    none?: boolean; // the visitor says: none of these
    maps?: string[]; // heat maps, one a photo, once asked for
}

export const organs = ['flower', 'leaf', 'fruit', 'bark', 'habit'] as const;
const most = 200; // entries kept on the device

export type News =
    | { kind: 'entry'; id: string }
    | { kind: 'progress'; id: string; sent: number } // 0..1
    | { kind: 'gone' };

type Listener = (news: News) => void;
const listeners = new Set<Listener>();
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('ocellus');
if (channel) channel.onmessage = ({ data }: MessageEvent<News>): void => tellHere(data);

function tellHere(news: News): void {
    for (const listener of listeners) listener(news);
}

export function tell(news: News): void {
    tellHere(news);
    channel?.postMessage(news);
}

// Returns how to stop listening.
export function listen(listener: Listener): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
}

// The beginning of a task.
export const untried = { tries: 0, due: 0, broken: false, uploads: [] as string[] };

export function newEntry(photos: Photo[], now: number): Entry {
    const id = now.toString(36) + Math.random().toString(36).slice(2, 8);
    return { id, created: now, photos, task: 'identify', state: 'waiting', ...untried };
}

export const getEntry = (id: string): Promise<Entry | undefined> => get<Entry>('entries', id);

export async function listEntries(): Promise<Entry[]> {
    return (await all<Entry>('entries')).sort((a, b) => b.created - a.created);
}

export async function saveEntry(entry: Entry): Promise<void> {
    await put('entries', entry.id, entry);
    tell({ kind: 'entry', id: entry.id });
}

// Changes what is stored now, not what a view once read, and lets no other tab or worker come
// between; an entry that was deleted stays deleted. `how` returns its entry to change nothing.
export async function changeEntry(id: string, how: (entry: Entry) => Entry): Promise<void> {
    if (await change('entries', id, how)) tell({ kind: 'entry', id });
}

export async function removeEntry(id: string): Promise<void> {
    await remove('entries', id);
    tell({ kind: 'gone' });
}

export async function clearEntries(): Promise<void> {
    await clear('entries');
    tell({ kind: 'gone' });
}

// The oldest finds that are done with make room.
export async function pruneEntries(): Promise<void> {
    const old = (await listEntries()).filter((entry) => entry.state !== 'waiting').slice(most);
    for (const entry of old) await remove('entries', entry.id);
}
