// The rules of the queue, without clock, network or database, so that they can be tested as they
// are: which entry is next, and what becomes of one whose try failed.
// SPDX-License-Identifier: BSD-2-Clause
import type { Entry } from '../store/entries.ts';
import type { Refused } from './answers.ts';

const pauses = [2, 5, 15, 60, 300]; // s, after the 1st, 2nd, ... failed try
const lastly = 12; // tries, for a server that answers but fails

// The oldest entry that waits and is due.
export function nextDue<T extends Pick<Entry, 'state' | 'due' | 'created'>>(
    entries: T[],
    now: number,
): T | undefined {
    const due = entries.filter((entry) => entry.state === 'waiting' && entry.due <= now);
    return due.sort((a, b) => a.created - b.created)[0];
}

// How long until one is due, in ms; null when none waits.
export function untilDue(entries: Pick<Entry, 'state' | 'due'>[], now: number): number | null {
    const waiting = entries.filter((entry) => entry.state === 'waiting');
    if (waiting.length === 0) return null;
    return Math.max(0, Math.min(...waiting.map((entry) => entry.due)) - now);
}

export function pauseAfter(tries: number, retryAfter: number): number {
    const pause = pauses[Math.min(tries, pauses.length) - 1] ?? 2;
    return 1000 * Math.max(pause, Math.min(retryAfter, 3600));
}

// No answer, a busy server or a broken one: later again; a server that lost the uploads: again from
// their beginning. A refusal of the photos is final. `moved`: some of it was sent. What another tab
// has settled meanwhile stays settled.
export function afterFailure(entry: Entry, error: Refused, now: number, moved: boolean): Entry {
    if (entry.state !== 'waiting') return entry;
    const { status } = error.problem;
    const tries = entry.tries + 1;
    const busy = status === 0 || status === 429 || status === 503;
    const again = busy || error.lost || (status >= 500 && tries < lastly);
    if (!again) return { ...entry, state: 'failed', tries, problem: error.problem, uploads: [] };
    const due = now + pauseAfter(tries, error.retryAfter);
    const broken = entry.broken || (moved && status === 0);
    const uploads = error.lost ? [] : entry.uploads;
    return { ...entry, state: 'waiting', tries, due, broken, uploads, problem: error.problem };
}

// The signal is back: what waited for it is due now; a busy server keeps the pause it asked for.
export function afterSignal(entry: Entry): Entry {
    return entry.state === 'waiting' && (entry.problem?.status ?? 0) === 0
        ? { ...entry, due: 0 }
        : entry;
}
