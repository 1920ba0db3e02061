// One entry to the server and its answer back. What is small is one request with its progress;
// whatever is larger, or broke off midway, goes in pieces that resume (tus.ts).
// SPDX-License-Identifier: BSD-2-Clause
import type { Entry } from '../store/entries.ts';
import { Refused, problemOf, type Answer } from './answers.ts';
import { headersOf, json, type Target } from './api.ts';
import { lostUploads, uploadPhoto } from './tus.ts';

export interface Options extends Target {
    model: string;
    lang: string;
}
export interface Hooks {
    sent(share: number): void; // 0..1
    save(entry: Entry): Promise<void>;
}

const atOnce = 320 * 1024; // bytes
const patience = 20_000; // ms without a byte moving

export async function sendEntry(entry: Entry, options: Options, hooks: Hooks): Promise<Answer> {
    const blobs = blobsOf(entry);
    const bytes = blobs.reduce((sum, blob) => sum + blob.size, 0);
    const form = fieldsOf(entry, options);
    const direct = !entry.broken && bytes <= atOnce && typeof XMLHttpRequest !== 'undefined';
    if (direct) {
        addPhotos(form, entry);
        return post(options, identifyPath(options), form, onceOnly(entry), hooks.sent);
    }
    const paths = await uploadAll(entry, options, hooks);
    for (const path of paths) form.append('uploads', path.split('/').pop() ?? '');
    try {
        return await json<Answer>(options, identifyPath(options), {
            method: 'POST',
            body: form,
            headers: onceOnly(entry),
        });
    } catch (error) {
        throw await lostUploads(options, paths, blobs, error);
    }
}

// The model stands in the address too: before the photos are in, the server reads only that, and
// says whether this model's queue has room.
function identifyPath({ model }: Options, explain = false): string {
    const query = model ? ['model=' + encodeURIComponent(model)] : [];
    if (explain) query.push('explain=1');
    return '/v1/identify' + (query.length ? '?' + query.join('&') : '');
}

// The same photos once more, for a picture of where the model looked.
export async function explainEntry(entry: Entry, options: Options): Promise<Answer> {
    const form = fieldsOf({ ...entry, task: 'identify' }, options);
    for (const photo of entry.photos) form.append('images', photo.small, photo.name);
    return json<Answer>(options, identifyPath(options, true), { method: 'POST', body: form });
}

// So that a find whose answer was lost on the way, and that is sent again, is kept once.
function onceOnly(entry: Entry): Record<string, string> {
    const key = entry.task === 'keep' ? entry.keep?.key : undefined;
    return key ? { 'Idempotency-Key': key } : {};
}

// What is kept is for people too, so they get the larger copy.
function blobsOf(entry: Entry): Blob[] {
    return entry.photos.map((photo) => (entry.task === 'keep' ? photo.large : photo.small));
}

function addPhotos(form: FormData, entry: Entry): void {
    blobsOf(entry).forEach((blob, i) => form.append('images', blob, jpegName(entry, i)));
}

function jpegName(entry: Entry, i: number): string {
    return (entry.photos[i]?.name ?? 'photo').replace(/\.\w{1,5}$/, '') + '.jpg';
}

function fieldsOf(entry: Entry, options: Options): FormData {
    const form = new FormData();
    form.append('lang', options.lang);
    if (options.model) form.append('model', options.model);
    const known = entry.photos.some((photo) => photo.organ);
    for (const { organ } of entry.photos) if (known) form.append('organs', organ || 'unknown');
    if (entry.task === 'keep' && entry.keep) addKeep(form, entry.keep);
    return form;
}

function addKeep(form: FormData, keep: NonNullable<Entry['keep']>): void {
    form.append('keep', '1');
    if (keep.label) form.append('label', keep.label);
    if (keep.note) form.append('note', keep.note);
    if (keep.date) form.append('date', keep.date);
    if (keep.lat === null || keep.lon === null) return;
    form.append('lat', String(keep.lat));
    form.append('lon', String(keep.lon));
}

// The paths of all photos' uploads, each begun, resumed or already there.
async function uploadAll(entry: Entry, options: Options, hooks: Hooks): Promise<string[]> {
    const blobs = blobsOf(entry);
    const total = blobs.reduce((sum, blob) => sum + blob.size, 0);
    const uploads = blobs.map((_, i) => entry.uploads[i] ?? '');
    let before = 0;
    for (const [i, blob] of blobs.entries()) {
        const done = before;
        uploads[i] = await uploadPhoto(options, blob, jpegName(entry, i), uploads[i] ?? '', {
            sent: (bytes) => hooks.sent((done + bytes) / total),
            begun: (path) => {
                uploads[i] = path;
                return hooks.save({ ...entry, uploads: [...uploads] });
            },
        });
        before += blob.size;
    }
    return uploads;
}

// One request with the progress of its upload, which fetch cannot tell. It is given up when nothing
// moves any more: what comes after resumes.
function post(
    target: Target,
    path: string,
    body: FormData,
    more: Record<string, string>,
    sent: Hooks['sent'],
): Promise<Answer> {
    return new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        let timer = setTimeout(() => request.abort(), patience);
        const nothing = (): void => reject(new Refused({ status: 0, title: '' }));
        request.open('POST', target.server + path);
        for (const [name, value] of Object.entries({ ...headersOf(target), ...more }))
            request.setRequestHeader(name, value);
        request.upload.onprogress = ({ loaded, total }): void => {
            clearTimeout(timer);
            timer = setTimeout(() => request.abort(), patience);
            sent(total ? loaded / total : 0);
        };
        request.onerror = request.onabort = request.ontimeout = nothing;
        request.onload = (): void => settle(request, resolve, reject);
        request.onloadend = (): void => clearTimeout(timer);
        request.send(body);
    });
}

function settle(
    request: XMLHttpRequest,
    resolve: (answer: Answer) => void,
    reject: (error: Refused) => void,
): void {
    const problem = problemOf(request.status, request.responseText);
    const wait = Number(request.getResponseHeader('Retry-After') ?? 0) || 0;
    if (request.status < 200 || request.status > 299) return reject(new Refused(problem, wait));
    try {
        resolve(JSON.parse(request.responseText) as Answer);
    } catch {
        reject(new Refused({ status: 502, title: 'an answer that is not JSON' }));
    }
}
