// One find: its photos, how far its sending is, and the names that came back. It listens to its
// entry, so that it is the same page while photos wait for signal, are sent, and long afterwards.
// SPDX-License-Identifier: BSD-2-Clause
import { announce, fill, h, icon } from '../dom.ts';
import { nameOf } from '../net/answers.ts';
import { refreshConfig } from '../net/api.ts';
import { getEntry, listen, type Entry } from '../store/entries.ts';
import { loadSettings, type Settings } from '../store/settings.ts';
import { certainty, percent, t } from '../words/words.ts';
import { answerPart } from './answer.ts';
import { photosPart } from './photos.ts';
import { statusPart } from './status.ts';
import { takeButton, useFiles } from './pick.ts';
import { Pictures, type View } from './view.ts';

export interface Shown {
    entry: Entry;
    settings: Settings;
    pictures: Pictures;
}

export function findView(id: string): View {
    const pictures = new Pictures();
    const photos = h('section', { class: 'photos', 'aria-label': t('find.photos') });
    const status = h('section', { class: 'status' });
    const answer = h('section', { class: 'answer' });
    const title = h('h1', { class: 'unseen', tabindex: -1 }, t('find.title'));
    const again = h('div', { class: 'again' });
    const node = h(
        'article',
        { class: 'finding' },
        title,
        photos,
        h('div', {}, status, answer, again),
    );
    let waited = false; // here, so that only news moves
    const seen = new Map<HTMLElement, string>();

    // Rebuilt only when what it shows has changed, so that focus and scrolling stay.
    const part = (where: HTMLElement, signature: unknown, make: () => HTMLElement[]): void => {
        const now = JSON.stringify(signature);
        if (seen.get(where) === now) return;
        seen.set(where, now);
        fill(where, make());
    };
    const show = async (): Promise<void> => {
        const entry = await getEntry(id);
        if (!entry) return fill(node, title, h('p', { class: 'empty' }, t('find.gone')));
        waited ||= entry.state === 'waiting';
        const shown: Shown = { entry, settings: await loadSettings(), pictures };
        const photoState = entry.photos.map((photo) => [photo.name, photo.organ]);
        part(photos, [photoState, entry.answer?.images, entry.maps], () => photosPart(shown));
        part(status, [entry.state, entry.problem, entry.due, entry.task], () => statusPart(shown));
        const answered = [entry.answer?.id, entry.kept, entry.none, entry.maps?.length, entry.task];
        const known = [shown.settings.config?.keep, entry.state];
        part(answer, [answered, known], () => answerPart(shown));
        part(again, [entry.state], () => againPart(entry));
        sayResult(entry);
    };
    let said = '';
    const sayResult = ({ state, answer: got }: Entry): void => {
        const best = got?.results[0];
        if (state !== 'done' || !best || said === got.id) return;
        said = got.id;
        if (waited) freshen(answer);
        const name = got.unknown ? t('find.unknown') : nameOf(best);
        announce(`${name}, ${certainty(best.p)}, ${percent(best.p)}`);
    };
    const progress = (sent: number): void => {
        const bar = status.querySelector('progress');
        if (bar) bar.value = sent;
        status.dataset['sent'] = sent >= 1 ? 'all' : 'some';
    };
    void show();
    void refreshConfig().then(show, () => undefined);
    const deaf = listen((news) => {
        if (news.kind === 'progress' && news.id === id) progress(news.sent);
        else if (news.kind !== 'progress') void show();
    });
    return {
        title: t('find.title'),
        node,
        leave: () => {
            deaf();
            pictures.free();
        },
    };
}

// Moves for a moment, once.
function freshen(node: HTMLElement): void {
    node.classList.add('fresh');
    setTimeout(() => node.classList.remove('fresh'), 900);
}

const againPart = (entry: Entry): HTMLElement[] => [
    takeButton(
        (files) => void useFiles(files),
        entry.state === 'done' ? 'main' : 'quiet',
        icon('camera'),
        t('find.next'),
    ),
];
