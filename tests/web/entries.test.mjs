// Entries that several tabs and the service worker change at once: none undoes the other's change.
// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { database } from './database.mjs';
import { load } from './sources.mjs';

globalThis.indexedDB = database();
globalThis.BroadcastChannel = undefined; // it would keep Node waiting
Object.defineProperty(globalThis, 'navigator', { value: { onLine: false }, configurable: true });

// Bundled by themselves, each is a tab with its own connection.
const here = await load('store/entries.ts');
const there = await load('net/sender.ts');

const stored = async (over = {}) => {
    const entry = { ...here.newEntry([], 1), problem: { status: 0, title: '' }, due: 9e9, ...over };
    await here.saveEntry(entry);
    return entry.id;
};

test('changes that meet are all made', async () => {
    const id = await stored();
    const add = () => here.changeEntry(id, (now) => ({ ...now, tries: now.tries + 1 }));
    await Promise.all(Array.from({ length: 20 }, add));
    assert.equal((await here.getEntry(id)).tries, 20);
});

test('what was deleted stays deleted, and what is given back as it was is not told', async () => {
    const id = await stored();
    const heard = [];
    const stop = here.listen((news) => heard.push(news.kind));
    await here.changeEntry(id, (now) => now);
    assert.deepEqual(heard, []);
    await here.changeEntry(id, (now) => ({ ...now, tries: 1 }));
    assert.deepEqual(heard, ['entry']);
    await here.removeEntry(id);
    await here.changeEntry(id, (now) => ({ ...now, tries: 2 }));
    stop();
    assert.deepEqual(heard, ['entry', 'gone']);
    assert.equal(await here.getEntry(id), undefined);
});

test('a change that fails changes nothing and says why', async () => {
    const id = await stored();
    const spoil = () => {
        throw new Error('no');
    };
    await assert.rejects(here.changeEntry(id, spoil), /no/);
    assert.equal((await here.getEntry(id)).state, 'waiting');
});

test('the signal coming back does not undo what another tab finished', async () => {
    // the other tab's answer lands at every moment of signalBack in turn
    for (let moment = 0; moment < 12; moment++) {
        await here.clearEntries();
        const id = await stored();
        const kept = { id: 'observation', token: 'secret' };
        const back = there.signalBack();
        for (let i = 0; i < moment; i++) await new Promise(setImmediate);
        await here.changeEntry(id, (now) => ({ ...now, state: 'done', kept }));
        await back;
        const now = await here.getEntry(id);
        assert.equal(now.state, 'done', 'moment ' + moment);
        assert.deepEqual(now.kept, kept);
    }
});

test('the signal coming back makes what waits due', async () => {
    await here.clearEntries();
    const id = await stored();
    const busy = await stored({ id: 'b', problem: { status: 503, title: 'busy' } });
    await there.signalBack();
    assert.equal((await here.getEntry(id)).due, 0);
    assert.equal((await here.getEntry(busy)).due, 9e9);
});

test('where the database refuses photos they live in memory', async () => {
    const usual = globalThis.indexedDB;
    globalThis.indexedDB = database({ photos: false });
    const alone = await load('store/db.ts');
    await alone.put('entries', 'a', { photo: new Blob(['photo']) });
    assert.equal((await alone.get('entries', 'a')).photo.size, 5);
    assert.equal((await alone.all('entries')).length, 1);
    globalThis.indexedDB = usual;
});
