// The real `ocellus serve` on a model trained for the occasion, with photos for it, in a folder of
// its own. For every browser that the tests drive.
// SPDX-License-Identifier: BSD-2-Clause
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const binary = process.env.OCELLUS ?? '';

export const noServer = () => (existsSync(binary) ? '' : 'OCELLUS names no binary');

const quiet = {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, OMP_WAIT_POLICY: 'passive' },
};

// Four made-up flowers, and a model that has seen them for a second or two.
function makeModel(work) {
    execFileSync(binary, ['synth', 'data', '--classes', '6', '--per-class', '12', '--seed', '5'], {
        cwd: work,
        ...quiet,
    });
    const how = [
        '--arch',
        'thesis',
        '--size',
        '66',
        '--epochs',
        '2',
        '--batch',
        '8',
        '--threads',
        '1',
        '--seed',
        '3',
    ];
    execFileSync(binary, ['train', 'data', '-o', 'model', ...how], { cwd: work, ...quiet });
}

function photosOf(folder) {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.jpe?g$/.test(entry.name))
        .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
        .sort();
}

export const freePort = () =>
    new Promise((resolve) => {
        const probe = createServer().listen(0, '127.0.0.1', () => {
            const { port } = probe.address();
            probe.close(() => resolve(port));
        });
    });

async function ready(url) {
    for (let i = 0; i < 200; i++) {
        if ((await fetch(url + '/readyz').catch(() => null))?.ok) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the server is not ready after ten seconds');
}

async function serve(work, options, port) {
    const args = ['serve', 'model', '--listen', '127.0.0.1:' + port, ...options];
    const child = spawn(binary, args, { cwd: work, ...quiet });
    child.stderr.resume();
    const url = 'http://127.0.0.1:' + port;
    await ready(url);
    const stop = () =>
        new Promise((resolve) => {
            child.once('exit', resolve);
            child.kill('SIGTERM');
        });
    return { url, port, stop };
}

// serve() runs a server in the folder: { url, port, stop() }.
export function makeSite() {
    const work = mkdtempSync(join(tmpdir(), 'ocellus-web-'));
    makeModel(work);
    return {
        work,
        photos: photosOf(join(work, 'data')),
        serve: async (options, port) => serve(work, options, port ?? (await freePort())),
        remove: () => rmSync(work, { recursive: true, force: true }),
    };
}
