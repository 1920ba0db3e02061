// Decodes a photo once and encodes two copies: a small one that the model sees, and a larger one
// for the people who look at it (the history, and the experts if it is kept). Runs in a worker or
// not.
// SPDX-License-Identifier: BSD-2-Clause
import { coverSize, fitSize, type Size } from './size.ts';

export interface Wanted extends Size {
    side: number; // of the larger copy, longer side
}
export interface Copies {
    small: Blob;
    large: Blob;
    width: number; // of the photo as it came, upright
    height: number;
}

const quality = 0.85;

export async function encodeCopies(file: Blob, wanted: Wanted): Promise<Copies> {
    const photo = await createImageBitmap(file, { imageOrientation: 'from-image' });
    try {
        const { width, height } = photo;
        const large = await encode(photo, fitSize(photo, wanted.side));
        const small = await encode(photo, coverSize(photo, wanted));
        return { small, large, width, height };
    } finally {
        photo.close();
    }
}

async function encode(photo: ImageBitmap, size: Size): Promise<Blob> {
    if (typeof OffscreenCanvas === 'undefined') return encodeOnPage(photo, size);
    const canvas = new OffscreenCanvas(size.width, size.height);
    draw(canvas.getContext('2d'), photo, size);
    return canvas.convertToBlob({ type: 'image/jpeg', quality });
}

function encodeOnPage(photo: ImageBitmap, size: Size): Promise<Blob> {
    const canvas = document.createElement('canvas');
    canvas.width = size.width;
    canvas.height = size.height;
    draw(canvas.getContext('2d'), photo, size);
    return new Promise((resolve, reject) =>
        canvas.toBlob(
            (blob) => (blob ? resolve(blob) : reject(new Error('no JPEG from the canvas'))),
            'image/jpeg',
            quality,
        ),
    );
}

type Pen = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null;

// Transparent parts become white, as on paper.
function draw(pen: Pen, photo: ImageBitmap, size: Size): void {
    if (!pen) throw new Error('no canvas');
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, size.width, size.height);
    pen.imageSmoothingQuality = 'high';
    pen.drawImage(photo, 0, 0, size.width, size.height);
}
