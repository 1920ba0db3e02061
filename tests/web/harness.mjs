// Runs the real `ocellus serve` on a model trained for the occasion, and Debian's chromium in front
// of it. A test file calls start(), and gets null where one of the two is absent.
// SPDX-License-Identifier: BSD-2-Clause
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { need } from './sources.mjs';

const binary = process.env.OCELLUS ?? '';
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const shots = process.env.SHOTS ?? join(tmpdir(), 'ocellus-shots');

export function absent() {
    if (!existsSync(binary)) return 'OCELLUS names no binary';
    if (!existsSync(browserPath)) return 'chromium is not installed';
    try {
        need('playwright-core');
    } catch {
        return 'the packages of the page are not installed: cd web && npm ci';
    }
    return '';
}

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

const freePort = () =>
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

// Flags that keep the browser to itself, and a camera that shows a test picture.
const flags = [
    '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking',
    '--disable-component-update --disable-sync --use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
];

export async function start() {
    const work = mkdtempSync(join(tmpdir(), 'ocellus-web-'));
    mkdirSync(shots, { recursive: true });
    makeModel(work);
    const { chromium } = need('playwright-core');
    const browser = await chromium.launch({
        executablePath: browserPath,
        args: flags.join(' ').split(' '),
    });
    const server = await serve(work, ['--db', 'finds.db', '--open-review'], await freePort());
    const site = {
        work,
        browser,
        url: server.url,
        photos: photosOf(join(work, 'data')),
        another: async (options) => serve(work, options, await freePort()),
        shot: (page, name) => page.screenshot({ path: join(shots, name + '.png') }),
        async stop() {
            await browser.close();
            await server.stop();
            rmSync(work, { recursive: true, force: true });
        },
        // A visitor with an empty device; anything that the page complains of fails the test.
        async visitor(options = {}) {
            const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
            const context = await browser.newContext({ locale: 'en-US', ...phone, ...options });
            const page = await context.newPage();
            page.complaints = [];
            page.on('pageerror', (error) => page.complaints.push(error.message));
            page.on('console', (said) => {
                const words = said.text();
                const refused = /status of 4\d\d|status of 503|ERR_/;
                if (said.type() === 'error' && !refused.test(words)) page.complaints.push(words);
            });
            await page.goto(options.url ?? site.url);
            if (options.javaScriptEnabled !== false) await page.waitForSelector('.picks');
            return page;
        },
    };
    return site;
}

export const desktop = { viewport: { width: 1280, height: 800 }, hasTouch: false, isMobile: false };

// Chooses photos and waits for the names.
export async function identify(page, files) {
    await page.setInputFiles('.start input[multiple]', files);
    await page.waitForSelector('.best h2');
}
