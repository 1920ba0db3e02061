// A photo from the camera, made small before it is sent: upright, no more pixels than needed, and
// with all of its metadata gone, since only pixels are drawn. Work is done in a worker where the
// browser has OffscreenCanvas, so that the page stays awake.
// SPDX-License-Identifier: BSD-2-Clause
import { encodeCopies, type Copies, type Wanted } from './copies.ts';

interface Reply {
    copies?: Copies;
    error?: string;
}

export async function shrink(file: Blob, wanted: Wanted): Promise<Copies> {
    if (typeof Worker === 'undefined' || typeof OffscreenCanvas === 'undefined')
        return encodeCopies(file, wanted);
    return inWorker(file, wanted);
}

function inWorker(file: Blob, wanted: Wanted): Promise<Copies> {
    const worker = new Worker(new URL('./shrink-worker.ts', import.meta.url), { type: 'module' });
    const done = new Promise<Copies>((resolve, reject) => {
        worker.onmessage = ({ data }: MessageEvent<Reply>): void =>
            data.copies ? resolve(data.copies) : reject(new Error(data.error));
        worker.onerror = (): void => resolve(encodeCopies(file, wanted));
    });
    worker.postMessage({ file, wanted });
    return done.finally(() => worker.terminate());
}
