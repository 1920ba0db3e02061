// As much of IndexedDB as the page uses, in memory: values are copied, a readwrite transaction
// waits for the one before it, and every answer comes a little later, so that others come between.
// With `photos` false it is that of Safari's private windows, which refuses them.
// SPDX-License-Identifier: BSD-2-Clause

export function database({ photos = true } = {}) {
    const stores = new Map();
    const refuses = (value) =>
        !photos && [value, ...Object.values(value)].some((part) => part instanceof Blob);
    let last = Promise.resolve();

    function opening() {
        const asked = { result: { createObjectStore: (name) => stores.set(name, new Map()) } };
        asked.result.transaction = (_name, mode) => begin(mode);
        let refused = false;
        const put = (value) => (refused ||= refuses(value));
        asked.transaction = { objectStore: () => ({ put, delete: () => undefined }) };
        queueMicrotask(() => {
            if (stores.size === 0) asked.onupgradeneeded?.();
            if (refused) stores.clear();
            if (refused) asked.onerror();
            else asked.onsuccess();
        });
        return asked;
    }

    function begin(mode) {
        const waiting = [];
        const transaction = { objectStore, abort: () => (aborted = true) };
        let aborted = false;
        function objectStore(name) {
            const rows = stores.get(name);
            const later = (work) => {
                const asked = {};
                waiting.push([asked, work]);
                return asked;
            };
            return {
                transaction,
                get: (key) => later(() => structuredClone(rows.get(key))),
                getAll: () => later(() => structuredClone([...rows.values()])),
                put: (value, key) =>
                    later(() => !refuses(value) && rows.set(key, structuredClone(value)) && key),
                delete: (key) => later(() => void rows.delete(key)),
                clear: () => later(() => rows.clear()),
            };
        }
        async function work() {
            await new Promise(setImmediate);
            for (let next = waiting.shift(); next && !aborted; next = waiting.shift()) {
                const [asked, make] = next;
                asked.result = make();
                if (asked.result === false) asked.onerror?.();
                else asked.onsuccess?.();
                await new Promise(setImmediate);
            }
            if (aborted) transaction.onabort?.();
            else transaction.oncomplete?.();
        }
        if (mode === 'readwrite') last = last.then(work);
        else void work();
        return transaction;
    }
    return { open: opening };
}
