// Works the queue off: one entry at a time, oldest first, in whichever of the open pages or the
// service worker gets the lock. Begins by itself when the page starts, when the signal is back,
// when the page is looked at again, and when an entry's pause is over.
// SPDX-License-Identifier: BSD-2-Clause
import {
    changeEntry,
    listEntries,
    pruneEntries,
    tell,
    untried,
    type Entry,
} from '../store/entries.ts';
import { loadSettings } from '../store/settings.ts';
import { Refused, type Answer } from './answers.ts';
import { afterFailure, afterSignal, nextDue, untilDue } from './queue.ts';
import { sendEntry } from './send.ts';

export const syncTag = 'send';
let timer: ReturnType<typeof setTimeout> | undefined;
let busy = false;

export async function pump(): Promise<void> {
    if (navigator.onLine === false) return askForSync();
    if (busy) return;
    busy = true;
    try {
        await alone(workOff);
    } finally {
        busy = false;
    }
    await comeBack();
}

// Pages and worker share the queue; the browser's lock lets one of them work.
async function alone(work: () => Promise<void>): Promise<void> {
    if (!navigator.locks) return work();
    await navigator.locks.request('send', { ifAvailable: true }, (lock) =>
        lock ? work() : undefined,
    );
}

async function workOff(): Promise<void> {
    for (;;) {
        const entry = nextDue(await listEntries(), Date.now());
        if (!entry) return;
        await sendOne(entry);
    }
}

async function sendOne(entry: Entry): Promise<void> {
    const options = await loadSettings();
    if (entry.problem) await changeEntry(entry.id, trying);
    let moved = false;
    const sent = (share: number): void => {
        moved ||= share > 0;
        tell({ kind: 'progress', id: entry.id, sent: share });
    };
    try {
        const answer = await sendEntry(entry, options, { sent, save: keepPlace });
        await changeEntry(entry.id, (now) => answered(now, answer));
        await pruneEntries();
    } catch (error) {
        const why =
            error instanceof Refused ? error : new Refused({ status: 500, title: String(error) });
        await changeEntry(entry.id, (now) => afterFailure(now, why, Date.now(), moved));
    }
}

// Which uploads have begun, so that another visit resumes them.
function keepPlace({ id, uploads }: Entry): Promise<void> {
    return changeEntry(id, (now) => (now.state === 'waiting' ? { ...now, uploads } : now));
}

// While it is tried again the last try's problem is history.
function trying({ problem: _problem, ...entry }: Entry): Entry {
    return entry;
}

function answered(entry: Entry, answer: Answer): Entry {
    const done: Entry = { ...entry, state: 'done', ...untried };
    delete done.problem;
    if (entry.task === 'keep' && answer.kept && answer.token)
        return { ...done, kept: { id: answer.id, token: answer.token } };
    return { ...done, answer };
}

// Sleeps until the next entry is due, and asks the browser to wake the worker when there is signal.
async function comeBack(): Promise<void> {
    clearTimeout(timer);
    const wait = untilDue(await listEntries(), Date.now());
    if (wait === null) return;
    timer = setTimeout(() => void pump(), Math.max(250, wait));
    await askForSync();
}

interface SyncRegistration extends ServiceWorkerRegistration {
    sync?: { register(tag: string): Promise<void> };
}

async function askForSync(): Promise<void> {
    const workers = typeof window === 'undefined' ? undefined : navigator.serviceWorker;
    const registration = (await workers?.getRegistration()) as SyncRegistration | undefined;
    await registration?.sync?.register(syncTag).catch(() => undefined);
}

export async function signalBack(): Promise<void> {
    for (const entry of await listEntries())
        if (afterSignal(entry) !== entry) await changeEntry(entry.id, afterSignal);
    await pump();
}
