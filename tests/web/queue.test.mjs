// The rules of the queue, and uploads that resume.
// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { load } from './sources.mjs';

const { nextDue, untilDue, pauseAfter, afterFailure, afterSignal } = await load('net/queue.ts');
const { uploadPhoto, nextPiece, smallestPiece, largestPiece } = await load('net/tus.ts');
const { originOf } = await load('store/settings.ts');
const { fitting, fold } = await load('words/search.ts');

const entry = (over) => ({
    id: 'a',
    created: 1,
    state: 'waiting',
    due: 0,
    tries: 0,
    uploads: [],
    ...over,
});
const refused = (status, retryAfter = 0) => ({ problem: { status, title: 'no' }, retryAfter });

test('the oldest that is due goes first', () => {
    const list = [
        entry({ id: 'new', created: 9 }),
        entry({ id: 'old' }),
        entry({ id: 'later', created: 0, due: 500 }),
    ];
    assert.equal(nextDue(list, 100).id, 'old');
    assert.equal(nextDue([entry({ state: 'done' }), entry({ state: 'failed' })], 100), undefined);
});

test('the time until one is due is never negative, and none means none', () => {
    assert.equal(untilDue([entry({ due: 400 }), entry({ due: 300 })], 100), 200);
    assert.equal(untilDue([entry({ due: 5 })], 100), 0);
    assert.equal(untilDue([entry({ state: 'done' })], 100), null);
});

test('no signal waits and tries again, with longer and longer pauses', () => {
    let one = entry({});
    const pauses = [];
    for (let i = 0; i < 7; i++) {
        one = afterFailure(one, refused(0), 1000);
        assert.equal(one.state, 'waiting');
        pauses.push((one.due - 1000) / 1000);
    }
    assert.deepEqual(pauses, [2, 5, 15, 60, 300, 300, 300]);
});

test('a busy server says how long to wait, up to an hour', () => {
    assert.equal(afterFailure(entry({}), refused(429, 30), 0).due, 30_000);
    assert.equal(pauseAfter(1, 1e9), 3_600_000);
});

test('a photo that is refused is not sent again and again', () => {
    for (const status of [400, 401, 413, 415, 422])
        assert.equal(afterFailure(entry({}), refused(status), 0).state, 'failed');
    assert.equal(afterFailure(entry({ tries: 3 }), refused(500), 0).state, 'waiting');
    assert.equal(afterFailure(entry({ tries: 11 }), refused(500), 0).state, 'failed');
});

test('what broke off midway goes in pieces, what never began does not', () => {
    assert.equal(afterFailure(entry({ broken: false }), refused(0), 0, true).broken, true);
    assert.equal(afterFailure(entry({ broken: false }), refused(0), 0, false).broken, false);
    assert.equal(afterFailure(entry({ broken: false }), refused(503), 0, true).broken, false);
});

test('an upload that is gone begins again, however often; a model that is gone is final', () => {
    for (const status of [404, 409, 410]) {
        const begun = entry({ tries: 40, uploads: ['/v1/uploads/1'] });
        const again = afterFailure(begun, { ...refused(status), lost: true }, 0, true);
        assert.equal(again.state, 'waiting');
        assert.deepEqual(again.uploads, []);
        assert.equal(afterFailure(begun, refused(status), 0, true).state, 'failed');
    }
    const begun = entry({ uploads: ['/v1/uploads/1'] });
    assert.deepEqual(afterFailure(begun, refused(0), 0, true).uploads, begun.uploads);
});

test('what another tab has settled stays settled', () => {
    const done = entry({ state: 'done', kept: { id: 'o', token: 't' } });
    assert.equal(afterFailure(done, refused(0), 0, true), done);
});

test('when the signal is back what waited for it is due at once', () => {
    assert.equal(afterSignal(entry({ due: 9e9, problem: { status: 0 } })).due, 0);
    assert.equal(afterSignal(entry({ due: 9e9, problem: { status: 429 } })).due, 9e9);
    assert.equal(afterSignal(entry({ state: 'failed', due: 7 })).due, 7);
});

test('pieces are two seconds worth of the line, within bounds', () => {
    assert.equal(nextPiece(64 * 1024, 2000), 64 * 1024);
    assert.equal(nextPiece(64 * 1024, 10), 128 * 1024);
    assert.equal(nextPiece(64 * 1024, 60_000), smallestPiece);
    assert.equal(nextPiece(largestPiece, 1), largestPiece);
});

// A server of resumable uploads in a few lines, that can lose its line after some bytes.
let store;
let breakAfter;
beforeEach(() => {
    store = new Map();
    breakAfter = Infinity;
    globalThis.fetch = async (url, { method, headers, body }) => {
        const path = new URL(url, 'http://here').pathname;
        const reply = (status, head = {}) =>
            Object.defineProperty(new Response(null, { status, headers: head }), 'url', {
                value: 'http://here' + path,
            });
        if (method === 'POST') {
            store.set('/v1/uploads/1', { size: Number(headers['Upload-Length']), bytes: [] });
            return reply(201, { Location: '/v1/uploads/1' });
        }
        const upload = store.get(path);
        if (!upload) return reply(404);
        if (method === 'PATCH') {
            if (Number(headers['Upload-Offset']) !== upload.bytes.length) return reply(409);
            if (upload.bytes.length >= breakAfter) throw new TypeError('no line');
            upload.bytes.push(...new Uint8Array(await body.arrayBuffer()));
        }
        return reply(method === 'HEAD' ? 200 : 204, {
            'Upload-Offset': String(upload.bytes.length),
        });
    };
});

const photo = new Blob([Uint8Array.from({ length: 200_000 }, (_, i) => i % 251)], {
    type: 'image/jpeg',
});
const target = { server: 'http://here', key: '' };
const hooks = (sent = []) => ({ sent: (bytes) => sent.push(bytes), begun: async () => undefined });

test('a photo arrives whole, in pieces', async () => {
    const sent = [];
    await uploadPhoto(target, photo, 'a.jpg', '', hooks(sent));
    const there = Uint8Array.from(store.get('/v1/uploads/1').bytes);
    assert.deepEqual(there, new Uint8Array(await photo.arrayBuffer()));
    assert.ok(sent.length > 2 && sent.at(-1) === photo.size, 'several pieces');
});

test('after a break it goes on from where it was', async () => {
    breakAfter = 60_000;
    await assert.rejects(uploadPhoto(target, photo, 'a.jpg', '', hooks()));
    const before = store.get('/v1/uploads/1').bytes.length;
    breakAfter = Infinity;
    const sent = [];
    await uploadPhoto(target, photo, 'a.jpg', '/v1/uploads/1', hooks(sent));
    assert.equal(sent[0], before, 'begins where the break was');
    assert.equal(store.get('/v1/uploads/1').bytes.length, photo.size);
});

test('an upload that the server forgot is begun anew', async () => {
    assert.equal(
        await uploadPhoto(target, photo, 'a.jpg', '/v1/uploads/gone', hooks()),
        '/v1/uploads/1',
    );
    assert.equal(store.get('/v1/uploads/1').bytes.length, photo.size);
});

test('an upload that never advances is given up', async () => {
    const honest = globalThis.fetch;
    globalThis.fetch = (url, init) =>
        honest(url, init).then((reply) =>
            init.method === 'PATCH' ? new Response(null, { status: 204 }) : reply,
        );
    await assert.rejects(uploadPhoto(target, photo, 'a.jpg', '', hooks()), /advance/);
});

test('an address of a server is an origin or nothing', () => {
    assert.equal(
        originOf(' https://herbarium.example:8443/path?x '),
        'https://herbarium.example:8443',
    );
    assert.equal(originOf('herbarium.example'), 'https://herbarium.example');
    assert.equal(originOf(''), '');
    for (const typed of ['javascript:alert(1)', 'ftp://x', 'http://', 'https://user:pass@x', 'a b'])
        assert.equal(originOf(typed), null, typed);
});

const searched = (names) => names.map((item) => ({ item, folded: fold(item) }));

test('names that begin with what is typed come first', () => {
    const names = searched(['Wild rose', 'Rose', 'Tulip', 'Primrose']);
    assert.deepEqual(fitting(names, 'rose'), ['Rose', 'Wild rose', 'Primrose']);
    assert.equal(fitting(names, ' ').length, 4);
});

test('capitals, accents, dashes and the order of the words do not matter', () => {
    const names = searched(['Lily-of-the-valley', 'Épilobe à épis', 'red_clover']);
    assert.deepEqual(fitting(names, 'VALLEY lily'), ['Lily-of-the-valley']);
    assert.deepEqual(fitting(names, 'epilobe a'), ['Épilobe à épis']);
    assert.deepEqual(fitting(names, 'red cl'), ['red_clover']);
    assert.deepEqual(fitting(names, 'oak'), []);
});
