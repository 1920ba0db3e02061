// Tables on the device (IndexedDB), the same from the page and from the service worker. Where the
// browser refuses a database (some private windows) they live in memory until the page is closed.
// SPDX-License-Identifier: BSD-2-Clause

const stores = ['entries', 'settings', 'inbox'] as const;
export type StoreName = (typeof stores)[number];

let opened: Promise<IDBDatabase | null> | undefined;

function open(): Promise<IDBDatabase | null> {
    opened ??= new Promise((resolve) => {
        try {
            const asked = indexedDB.open('ocellus', 1);
            asked.onupgradeneeded = (): void => {
                for (const name of stores) asked.result.createObjectStore(name);
                if (asked.transaction) tryPhoto(asked.transaction.objectStore('inbox'));
            };
            asked.onsuccess = (): void => resolve(asked.result);
            asked.onerror = (): void => resolve(null);
        } catch {
            resolve(null);
        }
    });
    return opened;
}

// Safari's private windows have a database that refuses photos alone. Tried while it is made, where a
// refusal takes the whole database back.
function tryPhoto(store: IDBObjectStore): void {
    store.put(new Blob(['photo'], { type: 'image/jpeg' }), 'tried');
    store.delete('tried');
}

const memory: Record<StoreName, Map<string, unknown>> = {
    entries: new Map(),
    settings: new Map(),
    inbox: new Map(),
};

function ask<T>(make: () => IDBRequest<T>): Promise<T> {
    return new Promise((resolve, reject) => {
        const asked = make();
        asked.onsuccess = (): void => resolve(asked.result);
        asked.onerror = (): void => reject(asked.error ?? new Error('the database refused'));
    });
}

async function on(name: StoreName, mode: IDBTransactionMode): Promise<IDBObjectStore | null> {
    const db = await open();
    return db ? db.transaction(name, mode).objectStore(name) : null;
}

export async function get<T>(name: StoreName, key: string): Promise<T | undefined> {
    const store = await on(name, 'readonly');
    return (store ? await ask(() => store.get(key)) : memory[name].get(key)) as T | undefined;
}

export async function all<T>(name: StoreName): Promise<T[]> {
    const store = await on(name, 'readonly');
    return (store ? await ask(() => store.getAll()) : [...memory[name].values()]) as T[];
}

export async function put(name: StoreName, key: string, value: unknown): Promise<void> {
    const store = await on(name, 'readwrite');
    if (store) await ask(() => store.put(value, key));
    else memory[name].set(key, value);
}

// Reads and writes back in one transaction. Returns whether anything changed: not where there is no
// such key, or `how` returns what it was given.
export async function change<T>(
    name: StoreName,
    key: string,
    how: (was: T) => T,
): Promise<boolean> {
    const store = await on(name, 'readwrite');
    if (store) return changeIn(store, key, how);
    const was = memory[name].get(key) as T | undefined;
    const now = was === undefined ? was : how(was);
    if (now !== was) memory[name].set(key, now);
    return now !== was;
}

function changeIn<T>(store: IDBObjectStore, key: string, how: (was: T) => T): Promise<boolean> {
    return new Promise((resolve, reject) => {
        const { transaction } = store;
        let changed = false;
        let why: unknown;
        const asked = store.get(key) as IDBRequest<T | undefined>;
        asked.onsuccess = (): void => {
            const was = asked.result;
            try {
                const now = was === undefined ? was : how(was);
                changed = now !== was;
                if (changed) store.put(now, key);
            } catch (error) {
                why = error;
                transaction.abort();
            }
        };
        transaction.oncomplete = (): void => resolve(changed);
        transaction.onabort = (): void =>
            reject(why ?? transaction.error ?? new Error('the database refused'));
    });
}

export async function remove(name: StoreName, key: string): Promise<void> {
    const store = await on(name, 'readwrite');
    if (store) await ask(() => store.delete(key));
    else memory[name].delete(key);
}

export async function clear(name: StoreName): Promise<void> {
    const store = await on(name, 'readwrite');
    if (store) await ask(() => store.clear());
    else memory[name].clear();
}
