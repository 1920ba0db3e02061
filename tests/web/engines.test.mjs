// The page in the engines of Firefox and Safari, as far as they differ: photos and their copies, the
// database, the queue, keys. Each is skipped where its driver is not installed.
// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { makeSite, noServer } from './site.mjs';
import { lacks, openWindow } from './webdriver.mjs';

for (const engine of ['firefox', 'webkit']) {
    const skip = noServer() || lacks(engine);
    describe('the page in ' + engine, { skip: skip || false, timeout: 200_000 }, () => {
        const options = ['--db', 'finds.db', '--open-review'];
        let site, server, page;
        before(async () => {
            site = makeSite();
            server = await site.serve(options);
            page = await openWindow(engine);
        });
        after(async () => {
            await page?.quit();
            await server?.stop();
            site?.remove();
        });

        const open = async (hash) => {
            await page.go(server.url + '/#/' + hash);
            await page.wait('h1[tabindex]'); // not that without scripts
        };
        const count = (css) =>
            page.js('return document.querySelectorAll(arguments[0]).length', css);
        const text = (css) => page.js('return document.querySelector(arguments[0]).innerText', css);
        const click = async (css) => {
            await page.wait(css);
            await page.js('document.querySelector(arguments[0]).click()', css);
        };
        const identify = async (...photos) => {
            await open('');
            await page.type('.start input[multiple]', photos.join('\n'));
            await page.wait('.best h2');
        };

        test('several photos of one thing come back as five names', async () => {
            await identify(...site.photos.slice(0, 3));
            assert.equal(await count('.strip .thumb img'), 3);
            assert.equal(await count('.best, .names li'), 5 + (await count('.best.unsure')));
        });

        test('the heat map comes on demand', async () => {
            await click('.minor button');
            await page.wait('.map:not([hidden])');
        });

        test('a find is given to the experts, who decide with a key', async () => {
            await click('.acts .quiet');
            await click('.sheet .main');
            await page.wait('.note.good');
            await open('review');
            await page.wait('.keyed li');
            await page.press('2');
            await page.wait('.verdict.corrected');
        });

        test('what was found is in the history', async () => {
            await open('history');
            await page.wait('.find img');
            assert.equal(await count('.find'), 1);
        });

        test('the names of the model are there and can be searched', async () => {
            await open('classes');
            await page.wait('.known .example[src]');
            await page.type('[type=search]', 'no such name');
            assert.equal(await count('.known li'), 0);
        });

        test('photos wait while the server is gone, and are sent when it is back', async () => {
            await open('');
            await server.stop();
            await page.type('.start input[multiple]', site.photos[4]);
            await page.wait('.note .icon-cloud');
            server = await site.serve(options, server.port);
            await page.wait('.best h2', 30_000);
        });

        test('Arabic is mirrored', async () => {
            await open('settings');
            await page.js(`const picker = document.querySelector('[name=language]');
                picker.value = 'ar';
                picker.dispatchEvent(new Event('change'));`);
            await page.wait('html[dir=rtl] .settings');
            assert.equal(await text('h1'), 'الإعدادات');
        });
    });
}
