// The two ways to a photo, as buttons: take one, choose some. Used on the first page and to add to
// a find. Dropping and pasting end here too.
// SPDX-License-Identifier: BSD-2-Clause
import { announce, h, icon, type Child } from '../dom.ts';
import { canShowCamera, hasOwnCamera, takePhoto } from '../photo/camera.ts';
import { takeIn, type Taken } from '../photo/picks.ts';
import type { Entry } from '../store/entries.ts';
import { t } from '../words/words.ts';
import { toast } from './toast.ts';
import { go } from './view.ts';

type Use = (files: File[]) => void;

function chooser(use: Use, camera: boolean): HTMLInputElement {
    const input = h('input', {
        type: 'file',
        accept: 'image/*',
        multiple: !camera,
        capture: camera && 'environment',
        class: 'unseen',
        tabindex: -1,
        'aria-hidden': 'true',
    });
    input.onchange = (): void => {
        use([...(input.files ?? [])]);
        input.value = '';
    };
    return input;
}

export function takeButton(use: Use, kind: string, ...inside: Child[]): HTMLElement {
    const input = chooser(use, true);
    const click = async (): Promise<void> => {
        if (hasOwnCamera() || !canShowCamera()) return input.click();
        try {
            const photo = await takePhoto();
            if (photo) use([photo]);
        } catch {
            toast(t('home.noCamera'));
        }
    };
    const button = h(
        'button',
        { type: 'button', class: kind, onclick: () => void click() },
        inside,
    );
    return h('span', { class: 'pick' }, button, input);
}

export function chooseButton(use: Use, kind: string, ...inside: Child[]): HTMLElement {
    const input = chooser(use, false);
    const button = h(
        'button',
        { type: 'button', class: kind, onclick: () => input.click() },
        inside,
    );
    return h('span', { class: 'pick' }, button, input);
}

// A new find of these files, or more photos of one.
export async function useFiles(files: File[], into?: Entry): Promise<void> {
    if (files.length === 0) return;
    document.body.classList.add('busy');
    try {
        showTaken(await takeIn(files, into));
    } catch {
        toast(t('photo.noRoom'));
    } finally {
        document.body.classList.remove('busy');
    }
}

export function showTaken({ entry, unread, left }: Taken): void {
    if (unread.length) toast(t('photo.unread', { name: unread.join(', ') }));
    if (left) toast(t('photo.tooMany', { n: left }));
    if (entry) go('#/find/' + entry.id);
    else announce('');
}

export const bothButtons = (use: Use): HTMLElement =>
    h(
        'div',
        { class: 'picks' },
        takeButton(use, 'main', icon('camera'), t('home.take')),
        chooseButton(use, 'quiet', icon('photos'), t('home.choose')),
    );
