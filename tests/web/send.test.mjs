// An entry on its way to servers that forget its uploads, or say nothing at all.
// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { load } from './sources.mjs';

const { sendEntry } = await load('net/send.ts');
const { afterFailure } = await load('net/queue.ts');
const { randomKey } = await load('store/random.ts');

const timeout = AbortSignal.timeout;
const small = new Blob([new Uint8Array(200_000)], { type: 'image/jpeg' });
const options = { server: 'http://here', key: '', model: '', lang: 'en' };
const waiting = (uploads = []) => ({
    id: 'a',
    task: 'identify',
    state: 'waiting',
    photos: [{ small, large: small, name: 'a.jpg', organ: '' }],
    tries: 0,
    broken: true,
    uploads,
});

// A server in a few lines. `before` sees every request first and may answer in its stead.
let uploads, asked, before;
beforeEach(() => {
    uploads = new Map();
    asked = [];
    before = () => undefined;
    globalThis.fetch = async (url, init) => {
        const { pathname, search } = new URL(url);
        const kind = pathname === '/v1/identify' ? 'identify' : init.method;
        asked.push(kind + search);
        const reply = (await before(kind, init)) ?? serve(kind, pathname, init);
        return Object.defineProperty(await reply, 'url', { value: url });
    };
});
afterEach(() => {
    AbortSignal.timeout = timeout;
});

const empty = (status, headers = {}) => new Response(null, { status, headers });

async function serve(kind, path, { headers, body }) {
    if (kind === 'POST') {
        const made = '/v1/uploads/' + (uploads.size + 1);
        uploads.set(made, 0);
        return empty(201, { Location: made });
    }
    if (kind === 'identify') {
        const whole = body.getAll('uploads').every((id) => uploads.get('/v1/uploads/' + id));
        return whole ? Response.json({ id: 'x' }) : empty(404);
    }
    if (!uploads.has(path)) return empty(404);
    if (kind === 'PATCH') {
        if (Number(headers['Upload-Offset']) !== uploads.get(path)) return empty(409);
        uploads.set(path, uploads.get(path) + body.size);
    }
    return empty(200, { 'Upload-Offset': String(uploads.get(path)) });
}

// One try as the sender makes it: [answer, the entry afterwards].
async function attempt(entry) {
    let now = entry;
    const save = async ({ uploads: begun }) => void (now = { ...now, uploads: begun });
    try {
        return [await sendEntry(entry, options, { sent: () => undefined, save }), now];
    } catch (error) {
        assert.ok(error.problem, String(error));
        return [undefined, afterFailure(now, error, 0, true)];
    }
}

async function beginsAgain(entry) {
    const [, after] = await attempt(entry);
    assert.equal(after.state, 'waiting');
    assert.deepEqual(after.uploads, [], 'the paths are forgotten');
    before = () => undefined;
    const [answer] = await attempt(after);
    assert.equal(answer.id, 'x');
}

test('a server that restarts between pieces gets the photo from its beginning', async () => {
    for (const status of [404, 410]) {
        let pieces = 0;
        before = (kind) => (kind === 'PATCH' && ++pieces > 1 ? empty(status) : undefined);
        await beginsAgain(waiting());
    }
});

test('a piece that does not fit, of an upload that is gone, begins again', async () => {
    before = (kind) => ({ PATCH: empty(409), HEAD: empty(404) })[kind];
    await beginsAgain(waiting());
});

test('uploads dropped before they are identified begin again', async () => {
    for (const status of [404, 409, 410]) {
        before = (kind) => {
            if (kind !== 'identify') return undefined;
            uploads.clear();
            return empty(status);
        };
        await beginsAgain(waiting());
    }
});

test('an upload that the server has only in part begins again', async () => {
    before = (kind) => {
        if (kind !== 'identify') return undefined;
        uploads.set('/v1/uploads/1', 10);
        return empty(409);
    };
    await beginsAgain(waiting());
});

test('a 404 about something else than the uploads is final', async () => {
    before = (kind) => (kind === 'identify' ? empty(404) : undefined);
    assert.equal((await attempt(waiting()))[1].state, 'failed', 'no such model');
    before = (kind) => (kind === 'POST' ? empty(404) : undefined);
    assert.equal((await attempt(waiting()))[1].state, 'failed', 'no uploads at all');
});

test('a find that is kept has one key, however often it is sent', async () => {
    const keys = [];
    before = (kind, { headers }) => {
        if (kind !== 'identify') return undefined;
        keys.push(headers['Idempotency-Key']);
        if (keys.length < 3) throw new TypeError('the answer was lost');
        return undefined;
    };
    const key = randomKey();
    let entry = { ...waiting(), task: 'keep', keep: { label: '', note: '', date: '', key } };
    for (let i = 0; i < 3; i++) [, entry] = await attempt(entry);
    await attempt(waiting());
    assert.deepEqual(keys, [key, key, key, undefined]);
    assert.match(key, /^[0-9a-f]{32}$/);
    assert.notEqual(key, randomKey());
});

// What a dead connection does: nothing, until it is given up.
const silence = ({ signal }) =>
    new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));

function hurry() {
    const limits = [];
    AbortSignal.timeout = (ms) => {
        limits.push(ms);
        const soon = new AbortController(); // Node would not wait for a timeout's signal
        setTimeout(() => soon.abort(), 20);
        return soon.signal;
    };
    return limits;
}

test('no request waits for ever, and one that did waits for the signal', async () => {
    for (const dead of ['POST', 'PATCH', 'HEAD', 'identify']) {
        uploads.set('/v1/uploads/old', 0);
        const limits = hurry();
        before = (kind, init) => (kind === dead ? silence(init) : undefined);
        const [, after] = await attempt(waiting(dead === 'HEAD' ? ['/v1/uploads/old'] : []));
        assert.equal(asked.at(-1), dead);
        assert.equal(after.state, 'waiting', dead);
        assert.equal(after.problem.status, 0, dead);
        assert.equal(after.uploads.length, dead === 'POST' ? 0 : 1, 'what has begun is resumed');
        assert.ok(limits.length === asked.length && limits.every((ms) => ms <= 60_000));
        asked = [];
    }
});

test('an answer that breaks off midway is no answer', async () => {
    for (const status of [200, 500]) {
        hurry();
        const body = ({ signal }) =>
            new ReadableStream({
                start: (to) =>
                    signal?.addEventListener('abort', () => to.error(signal.reason)),
            });
        before = (kind, init) =>
            kind === 'identify' ? new Response(body(init), { status }) : undefined;
        const [, after] = await attempt(waiting());
        assert.equal(after.problem.status, 0);
    }
});

test('a browser without AbortSignal.timeout gives up too', async () => {
    const real = globalThis.setTimeout;
    AbortSignal.timeout = undefined;
    globalThis.setTimeout = (work, ms) => real(work, ms / 1000);
    before = (kind, init) => (kind === 'POST' ? silence(init) : undefined);
    const [, after] = await attempt(waiting());
    globalThis.setTimeout = real;
    assert.equal(after.problem.status, 0);
});

test('the model stands in the address, where the server reads it first', async () => {
    options.model = 'trees & shrubs';
    await attempt(waiting());
    assert.equal(asked.at(-1), 'identify?model=trees%20%26%20shrubs');
    options.model = '';
    await attempt(waiting());
    assert.equal(asked.at(-1), 'identify');
});
