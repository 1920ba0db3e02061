// Where the page starts: language, frame, addresses, the queue and the service worker. The HTML
// that came stands until everything is ready, and works by itself where there is no script.
// SPDX-License-Identifier: BSD-2-Clause
import { frame, mark } from './views/frame.ts';
import { refreshConfig } from './net/api.ts';
import { pump, signalBack } from './net/sender.ts';
import { takeShared } from './photo/picks.ts';
import { saveSettings } from './store/settings.ts';
import { findView } from './views/find.ts';
import { historyView } from './views/history.ts';
import { homeView } from './views/home.ts';
import { awaitOffer } from './views/install.ts';
import { showTaken, useFiles } from './views/pick.ts';
import { settingsView } from './views/settings.ts';
import { toast } from './views/toast.ts';
import type { View } from './views/view.ts';
import { language, startLanguage, t, useLanguage } from './words/words.ts';

const art = document.querySelector<SVGElement>('.art');
let shown: View | undefined;

async function viewAt(hash: string): Promise<View> {
    const [, room, id] = hash.split('/');
    if (room === 'find' && id) return findView(id);
    if (room === 'history') return historyView();
    if (room === 'settings') return settingsView(speak);
    if (room === 'classes')
        return (await import('./views/classes.ts')).classesView(decodeURIComponent(id ?? ''));
    if (room === 'review') return (await import('./views/review.ts')).reviewView();
    if (room === 'shared') void takeShared().then(showTaken);
    return homeView(art);
}

async function show(moved: boolean): Promise<void> {
    const hash = location.hash;
    const view = await viewAt(hash).catch(() => homeView(art));
    if (hash !== location.hash) return view.leave?.();
    shown?.leave?.();
    shown = view;
    const main = document.querySelector('main');
    main?.replaceChildren(view.node);
    document.title = view.title + ' · ocellus';
    mark(hash);
    if (!moved) return;
    scrollTo(0, 0);
    view.node.querySelector<HTMLElement>('h1')?.focus({ preventScroll: true });
}

async function speak(code: string): Promise<void> {
    await useLanguage(code);
    localStorage.setItem('lang', code);
    await saveSettings({ lang: code });
    frame();
    await show(true);
}

// A file dropped or pasted anywhere is a photo.
function takeAnywhere(): void {
    const files = (data: DataTransfer | null): File[] =>
        [...(data?.files ?? [])].filter((file) => file.type.startsWith('image/'));
    const over = (on: boolean) => (event: DragEvent) => {
        event.preventDefault();
        document.body.classList.toggle('dropping', on);
    };
    addEventListener('dragover', over(true));
    addEventListener('dragleave', over(false));
    addEventListener('drop', (event) => {
        over(false)(event);
        void useFiles(files(event.dataTransfer));
    });
    addEventListener('paste', (event) => void useFiles(files(event.clipboardData)));
}

async function startWorker(): Promise<void> {
    if (!('serviceWorker' in navigator)) return;
    const workers = navigator.serviceWorker;
    const hadOne = Boolean(workers.controller);
    workers.addEventListener('controllerchange', () => hadOne && location.reload());
    const registration = await workers.register('/sw.js').catch(() => undefined);
    const offer = (): void => {
        const next = registration?.waiting;
        if (!next || !hadOne) return;
        toast(t('newVersion'), { label: t('reload'), run: () => next.postMessage('take over') });
    };
    offer();
    registration?.addEventListener('updatefound', () => {
        registration.installing?.addEventListener('statechange', offer);
    });
}

async function start(): Promise<void> {
    awaitOffer();
    await startLanguage();
    await saveSettings({ lang: language });
    frame();
    await show(false);
    takeAnywhere();
    addEventListener('hashchange', () => void show(true));
    addEventListener('online', () => void signalBack());
    document.addEventListener('visibilitychange', () => document.hidden || void pump());
    void signalBack();
    void refreshConfig().catch(() => undefined);
    if (document.readyState === 'complete') await startWorker();
    else addEventListener('load', () => void startWorker());
}

void start();
