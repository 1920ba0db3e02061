// Resumable uploads, the client's end of tus 1.0.0 (core and creation): a photo goes in pieces, and
// after a break it goes on from where the server says it is. Pieces grow while the line is fast and
// shrink when it is slow, so that a break costs seconds, not the whole photo.
// SPDX-License-Identifier: BSD-2-Clause
import { Refused } from './answers.ts';
import { call, type Target } from './api.ts';

const version = { 'Tus-Resumable': '1.0.0' };
export const smallestPiece = 32 * 1024;
export const largestPiece = 1024 * 1024;

export interface TusHooks {
    begun(path: string): Promise<void>; // remember it: this is what a later visit resumes
    sent(bytes: number): void;
}

// How large the next piece is, after one of `bytes` that took `ms`: two seconds' worth, within
// bounds and not more than double at once.
export function nextPiece(bytes: number, ms: number): number {
    const fits = (bytes * 2000) / Math.max(1, ms);
    return Math.round(Math.min(largestPiece, 2 * bytes, Math.max(smallestPiece, fits)));
}

// Returns the upload's path on the server. `path` is where an earlier try began, or ''.
export async function uploadPhoto(
    target: Target,
    photo: Blob,
    name: string,
    path: string,
    hooks: TusHooks,
): Promise<string> {
    let offset = path ? await offsetOf(target, path) : null;
    if (offset === null) {
        path = await create(target, photo, name);
        await hooks.begun(path);
        offset = 0;
    }
    let piece = smallestPiece;
    let stuck = 0;
    while (offset < photo.size) {
        hooks.sent(offset);
        const began = Date.now();
        const now = await send(target, path, photo.slice(offset, offset + piece), offset);
        stuck = now > offset ? 0 : stuck + 1;
        if (stuck > 3) throw new Refused({ status: 502, title: 'an upload that does not advance' });
        piece = nextPiece(piece, Date.now() - began);
        offset = now;
    }
    hooks.sent(offset);
    return path;
}

// Statuses that may say that an upload is not there, or not as it was left.
const doubtful = [404, 409, 410];

// `error`, marked where it is about these uploads (forgotten by a restart, dropped for room,
// expired): only if one is no longer whole, since a 404 may as well be about the model.
export async function lostUploads(
    target: Target,
    paths: string[],
    photos: Blob[],
    error: unknown,
): Promise<unknown> {
    if (!(error instanceof Refused) || !doubtful.includes(error.problem.status)) return error;
    for (const [i, path] of paths.entries())
        if ((await offsetOf(target, path)) !== photos[i]?.size) return lost(error);
    return error;
}

const lost = ({ problem }: Refused): Refused => new Refused(problem, 0, true);

// What the server has of it; null when it no longer knows it.
async function offsetOf(target: Target, path: string): Promise<number | null> {
    try {
        const response = await call(target, path, { method: 'HEAD', headers: version });
        return Number(response.headers.get('Upload-Offset'));
    } catch (error) {
        const gone = error instanceof Refused && [403, 404, 410].includes(error.problem.status);
        if (gone) return null;
        throw error;
    }
}

async function create(target: Target, photo: Blob, name: string): Promise<string> {
    const headers = {
        ...version,
        'Upload-Length': String(photo.size),
        'Upload-Metadata': `filename ${base64(name)},filetype ${base64(photo.type)}`,
    };
    const response = await call(target, '/v1/uploads', { method: 'POST', headers });
    const where = response.headers.get('Location');
    if (!where) throw new Refused({ status: 502, title: 'an upload without a Location' });
    return new URL(where, response.url).pathname;
}

async function send(target: Target, path: string, piece: Blob, offset: number): Promise<number> {
    const headers = {
        ...version,
        'Upload-Offset': String(offset),
        'Content-Type': 'application/offset+octet-stream',
    };
    try {
        const response = await call(target, path, { method: 'PATCH', headers, body: piece });
        return Number(response.headers.get('Upload-Offset')) || 0;
    } catch (error) {
        if (!(error instanceof Refused) || !doubtful.includes(error.problem.status)) throw error;
        const there = error.problem.status === 409 ? await offsetOf(target, path) : null;
        if (there === null) throw lost(error);
        return there;
    }
}

function base64(words: string): string {
    return btoa(String.fromCharCode(...new TextEncoder().encode(words)));
}
