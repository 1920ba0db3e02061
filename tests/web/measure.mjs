// The two numbers of the page that people feel: how much the first load transfers and when it can
// be used, and how long a 12-megapixel photo takes from tap to names on an uplink of 50 kB/s.
// usage: node tests/web/measure.mjs URL PHOTO.jpg [RUNS]    (a running `ocellus serve`)
// SPDX-License-Identifier: BSD-2-Clause
import { need } from './sources.mjs';

const [url, photo, runs = '5'] = process.argv.slice(2);
const { chromium } = need('playwright-core');
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
});
const line = {
    offline: false,
    latency: 100,
    uploadThroughput: 50_000,
    downloadThroughput: 200_000,
};

async function firstLoad() {
    const context = await browser.newContext();
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    let bytes = 0;
    await session.send('Network.enable');
    session.on('Network.loadingFinished', (event) => (bytes += event.encodedDataLength));
    await page.goto(url);
    await page.waitForSelector('.picks');
    const usable = await page.evaluate(() => performance.now());
    await page.waitForLoadState('networkidle');
    await context.close();
    return { bytes, usable };
}

async function tapToNames() {
    const context = await browser.newContext({ serviceWorkers: 'block' });
    const page = await context.newPage();
    await page.goto(url);
    await page.waitForSelector('.picks');
    const session = await context.newCDPSession(page);
    await session.send('Network.enable');
    await session.send('Network.emulateNetworkConditions', line);
    let sent = 0;
    session.on('Network.requestWillBeSentExtraInfo', ({ headers }) => {
        sent += Number(headers['Content-Length'] ?? 0);
    });
    const began = performance.now();
    await page.setInputFiles('.start input[multiple]', photo);
    await page.waitForSelector('.best h2');
    const took = performance.now() - began;
    await context.close();
    return { took, sent };
}

const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
const loads = [];
const taps = [];
for (let i = 0; i < Number(runs); i++) {
    loads.push(await firstLoad());
    taps.push(await tapToNames());
}
await browser.close();
const usable = Math.round(median(loads.map((one) => one.usable)));
const took = (median(taps.map((one) => one.took)) / 1000).toFixed(2);
console.log(`first load: ${loads[0].bytes} bytes, usable after ${usable} ms`);
console.log(`tap to names: ${took} s, ${taps[0].sent} bytes sent`);
