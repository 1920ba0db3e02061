// Draws the icons that phones want as PNG, from public/icons/icon.svg, with the system's chromium:
// npm run icons. They are committed; the build does not draw.
// SPDX-License-Identifier: BSD-2-Clause
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const icons = fileURLToPath(new URL('../public/icons/', import.meta.url));
const svg = readFileSync(icons + 'icon.svg', 'utf8');
const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu'],
});

async function draw(name, side, drawing) {
    const page = await browser.newPage({ viewport: { width: side, height: side } });
    const style = '<style>body{margin:0}svg{display:block;width:100vw;height:100vh}</style>';
    await page.setContent(style + drawing);
    writeFileSync(icons + name, await page.screenshot({ omitBackground: true }));
    await page.close();
}

await draw('icon-192.png', 192, svg);
await draw('icon-512.png', 512, svg);
// a maskable icon fills its square, and its drawing keeps to the middle
await draw('maskable-512.png', 512, svg.replace('rx="11"', '').replace('scale(.72)', 'scale(.58)'));
await browser.close();
