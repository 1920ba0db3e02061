// Debian's chromium in front of a running server. A test file asks absent() for what is missing, and
// calls start() where nothing is.
// SPDX-License-Identifier: BSD-2-Clause
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeSite, noServer } from './site.mjs';
import { need } from './sources.mjs';

const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const shots = process.env.SHOTS ?? join(tmpdir(), 'ocellus-shots');

export function absent() {
    if (noServer()) return noServer();
    if (!existsSync(browserPath)) return 'chromium is not installed';
    try {
        need('playwright-core');
    } catch {
        return 'the packages of the page are not installed: cd web && npm ci';
    }
    return '';
}

// Flags that keep the browser to itself, and a camera that shows a test picture.
const flags = [
    '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking',
    '--disable-component-update --disable-sync --use-fake-ui-for-media-stream',
    '--use-fake-device-for-media-stream',
];

export async function start() {
    const { work, photos, serve, remove } = makeSite();
    mkdirSync(shots, { recursive: true });
    const { chromium } = need('playwright-core');
    const browser = await chromium.launch({
        executablePath: browserPath,
        args: flags.join(' ').split(' '),
    });
    const server = await serve(['--db', 'finds.db', '--open-review']);
    const site = {
        work,
        browser,
        url: server.url,
        photos,
        another: serve,
        shot: (page, name) => page.screenshot({ path: join(shots, name + '.png') }),
        async stop() {
            await browser.close();
            await server.stop();
            remove();
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
