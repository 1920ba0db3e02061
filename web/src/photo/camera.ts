// Taking a photo. On a phone the system's own camera opens (it takes the best photos); where there
// is none, as on a laptop, the page shows the camera itself.
// SPDX-License-Identifier: BSD-2-Clause
import { h, icon } from '../dom.ts';
import { t } from '../words/words.ts';

// A phone or tablet: `capture` opens its camera.
export const hasOwnCamera = (): boolean => matchMedia('(pointer: coarse)').matches;

export const canShowCamera = (): boolean => Boolean(navigator.mediaDevices?.getUserMedia);

// Shows the camera; resolves with the photo, or null when it was closed. Rejects when there is no
// camera or the visitor does not allow it.
export async function takePhoto(): Promise<File | null> {
    const stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: 'environment', width: { ideal: 2560 }, height: { ideal: 1920 } },
    });
    try {
        return await showFinder(stream);
    } finally {
        for (const track of stream.getTracks()) track.stop();
    }
}

function showFinder(stream: MediaStream): Promise<File | null> {
    const video = h('video', { autoplay: true, playsinline: true });
    video.muted = true;
    video.srcObject = stream;
    return new Promise((resolve) => {
        const close = h('button', { class: 'round', 'aria-label': t('close') }, icon('cross'));
        const shoot = h('button', { class: 'shutter', 'aria-label': t('home.take') });
        const finder = h(
            'dialog',
            { class: 'finder', 'aria-label': t('home.take') },
            video,
            close,
            shoot,
        );
        const end = (photo: File | null): void => {
            resolve(photo);
            finder.remove();
        };
        close.onclick = (): void => end(null);
        finder.oncancel = (): void => end(null);
        shoot.onclick = (): void => void still(video).then(end);
        document.body.append(finder);
        finder.showModal();
        shoot.focus();
    });
}

async function still(video: HTMLVideoElement): Promise<File> {
    const canvas = h('canvas');
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext('2d')?.drawImage(video, 0, 0);
    const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', 0.92));
    return new File([blob ?? new Blob()], 'camera.jpg', { type: 'image/jpeg' });
}
