// From chosen files to an entry in the queue: shrunk, saved, and on its way. The originals stay at
// hand until the page is closed, for the one thing that the copies lack: place and day, read only
// when the visitor agrees.
// SPDX-License-Identifier: BSD-2-Clause
import { announce } from '../dom.ts';
import { pump } from '../net/sender.ts';
import { all, clear } from '../store/db.ts';
import {
    getEntry,
    newEntry,
    saveEntry,
    untried,
    type Entry,
    type Photo,
} from '../store/entries.ts';
import { loadSettings } from '../store/settings.ts';
import { t } from '../words/words.ts';
import { readOrigin, type Origin } from './exif.ts';
import { shrink } from './shrink.ts';

const originals = new Map<string, File[]>();
const usual = { width: 512, height: 512 }; // when no server has said yet what it looks at
const forPeople = 1600; // longer side of the copy that people look at
const headBytes = 256 * 1024; // EXIF stands at the beginning

export interface Taken {
    entry: Entry | null;
    unread: string[]; // names of files that this browser cannot read
    left: number; // files beyond the most that one find may have
}

export async function takeIn(files: File[], into?: Entry): Promise<Taken> {
    announce(t('photo.preparing'));
    const { config } = await loadSettings();
    const room = (config?.max_images ?? 5) - (into?.photos.length ?? 0);
    const wanted = { ...(config?.upload ?? usual), side: forPeople };
    const photos: Photo[] = [];
    const unread: string[] = [];
    const read: File[] = [];
    for (const file of files.slice(0, Math.max(0, room))) {
        try {
            photos.push({
                ...(await shrink(file, wanted)),
                name: file.name || 'photo.jpg',
                organ: '',
            });
            read.push(file);
        } catch {
            unread.push(file.name);
        }
    }
    const entry = photos.length ? await enqueue(photos, read, into) : null;
    return { entry, unread, left: Math.max(0, files.length - Math.max(0, room)) };
}

async function enqueue(photos: Photo[], files: File[], into?: Entry): Promise<Entry> {
    const before = into && ((await getEntry(into.id)) ?? into);
    const entry = before
        ? again({ ...before, photos: [...before.photos, ...photos] })
        : newEntry(photos, Date.now());
    originals.set(entry.id, [...(originals.get(entry.id) ?? []), ...files]);
    await saveEntry(entry);
    void pump();
    return entry;
}

// The entry, to be identified once more.
export function again(entry: Entry): Entry {
    const { answer: _answer, problem: _problem, maps: _maps, none: _none, ...rest } = entry;
    return { ...rest, task: 'identify', state: 'waiting', ...untried };
}

// The entry, to be given to the experts (once more); its answer stays.
export function keepAgain({ problem: _problem, ...entry }: Entry): Entry {
    return { ...entry, task: 'keep', state: 'waiting', ...untried };
}

// Place and day of the entry's photos; {} when they have none or are no longer at hand.
export async function originOf(entry: Entry): Promise<Origin> {
    const found: Origin = {};
    for (const file of originals.get(entry.id) ?? []) {
        const origin = readOrigin(await file.slice(0, headBytes).arrayBuffer());
        if (origin.lat !== undefined && found.lat === undefined) Object.assign(found, origin);
        else found.date ??= origin.date as string;
    }
    return found;
}

// What other apps shared with the page (the service worker put it there).
export async function takeShared(): Promise<Taken> {
    const files = (await all<File[]>('inbox')).flat();
    await clear('inbox');
    return takeIn(files);
}
