// The service worker: the page works without signal, waiting finds are sent when the browser says
// there is signal, and photos shared from other apps come in here. It keeps exactly the files of
// its own build and never answers for the API.
// SPDX-License-Identifier: BSD-2-Clause
import { signalBack, syncTag } from './net/sender.ts';
import { put } from './store/db.ts';

// What of the service worker's world the compiler's DOM types lack.
interface Waiting extends Event {
    waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Waiting {
    request: Request;
    respondWith(response: Promise<Response>): void;
}
interface Syncing extends Waiting {
    tag: string;
}
interface Scope {
    addEventListener(kind: 'install' | 'activate', listener: (event: Waiting) => void): void;
    addEventListener(kind: 'fetch', listener: (event: Fetching) => void): void;
    addEventListener(kind: 'sync', listener: (event: Syncing) => void): void;
    addEventListener(kind: 'message', listener: (event: MessageEvent) => void): void;
    skipWaiting(): Promise<void>;
    clients: { claim(): Promise<void> };
    location: Location;
}
const scope = self as unknown as Scope;
const cacheName = 'page-' + VERSION;

scope.addEventListener('install', (event) => {
    event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll(KEEP)));
});

scope.addEventListener('activate', (event) => {
    event.waitUntil(dropOldCaches().then(() => scope.clients.claim()));
});

async function dropOldCaches(): Promise<void> {
    const names = await caches.keys();
    const old = names.filter((name) => name.startsWith('page-') && name !== cacheName);
    await Promise.all(old.map((name) => caches.delete(name)));
}

// A new version waits until the page says that it may take over.
scope.addEventListener('message', ({ data }) => {
    if (data === 'take over') void scope.skipWaiting();
});

scope.addEventListener('fetch', (event) => {
    const url = new URL(event.request.url);
    if (url.origin !== scope.location.origin) return;
    if (event.request.method === 'POST' && url.pathname === '/share')
        event.respondWith(takeShared(event.request));
    else if (event.request.method === 'GET' && KEEP.includes(url.pathname))
        event.respondWith(fromCache(event.request, url.pathname));
});

async function fromCache(request: Request, path: string): Promise<Response> {
    const cache = await caches.open(cacheName);
    return (await cache.match(path)) ?? fetch(request);
}

// Photos from another app's share menu go into the inbox, and the page takes them from there.
async function takeShared(request: Request): Promise<Response> {
    const form = await request.formData();
    const photos = form.getAll('images').filter((part) => part instanceof File);
    await put('inbox', String(Date.now()), photos);
    return Response.redirect('/#/shared', 303);
}

scope.addEventListener('sync', (event) => {
    if (event.tag === syncTag) event.waitUntil(signalBack());
});
