// As much of WebDriver (https://www.w3.org/TR/webdriver2/) as the tests of other engines need, for
// Firefox (geckodriver) and WebKit (WebKitWebDriver of Debian's webkit2gtk-driver).
// SPDX-License-Identifier: BSD-2-Clause
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './site.mjs';

const element = 'element-6066-11e4-a52e-4f735466cecf'; // the name that the standard gives it
const miniBrowser = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';

function onPath(program) {
    const folders = (process.env.PATH ?? '').split(delimiter);
    const places = program.startsWith('/') ? [program] : folders.map((one) => join(one, program));
    return places.find(runs);
}

function runs(path) {
    try {
        accessSync(path, constants.X_OK);
        return true;
    } catch {
        return false;
    }
}

const firefox = onPath('firefox-esr') ? 'firefox-esr' : 'firefox';
const engines = {
    firefox: {
        programs: [firefox, 'geckodriver'],
        command: (port) => ['geckodriver', '--port', port, '--binary', onPath(firefox)],
        wants: { browserName: 'firefox', 'moz:firefoxOptions': { args: ['-headless'] } },
    },
    webkit: {
        programs: ['WebKitWebDriver', 'xvfb-run', miniBrowser],
        command: (port) => ['xvfb-run', '-a', 'WebKitWebDriver', '--port=' + port],
        wants: { 'webkitgtk:browserOptions': { binary: miniBrowser, args: ['--automation'] } },
    },
};

// What an engine lacks here; '' when it can be driven.
export function lacks(engine) {
    const missing = engines[engine].programs.filter((program) => !onPath(program));
    return missing.length ? missing.join(', ') + ' is not installed' : '';
}

async function until(what, ask, patience) {
    const end = Date.now() + patience;
    for (;;) {
        const found = await ask().catch(() => null);
        if (found) return found;
        if (Date.now() > end) throw new Error('waited in vain for ' + what);
        await sleep(50);
    }
}

// A window of an engine: open one, drive it, quit() it.
export async function openWindow(engine) {
    const port = String(await freePort());
    const [program, ...args] = engines[engine].command(port);
    const env = { ...process.env, WEBKIT_DISABLE_DMABUF_RENDERER: '1' };
    const driver = spawn(program, args, { stdio: 'ignore', detached: true, env });
    const base = 'http://127.0.0.1:' + port;
    const ask = async (method, path, body) => {
        const headers = { 'Content-Type': 'application/json' };
        const init = { method, headers, body: body && JSON.stringify(body) };
        const reply = await fetch(base + path, init);
        const { value } = await reply.json();
        if (!reply.ok) throw new Error(`${path}: ${value.error}: ${value.message}`);
        return value;
    };
    const begin = async () => {
        await until(program, () => ask('GET', '/status'), 10_000);
        const capabilities = { alwaysMatch: engines[engine].wants };
        return ask('POST', '/session', { capabilities });
    };
    const end = () => process.kill(-driver.pid);
    const { sessionId } = await begin().catch((error) => {
        end();
        throw error;
    });
    const at = '/session/' + sessionId;
    const find = async (css) => {
        const wanted = { using: 'css selector', value: css };
        return (await ask('POST', at + '/element', wanted))[element];
    };
    const wait = (css, patience = 15_000) => until(css, () => find(css), patience);
    return {
        wait,
        go: (url) => ask('POST', at + '/url', { url }),
        js: (script, ...given) => ask('POST', at + '/execute/sync', { script, args: given }),
        type: async (css, text) => ask('POST', `${at}/element/${await wait(css)}/value`, { text }),
        press: (value) => {
            const actions = ['keyDown', 'keyUp'].map((type) => ({ type, value }));
            return ask('POST', at + '/actions', {
                actions: [{ type: 'key', id: 'keys', actions }],
            });
        },
        quit: async () => {
            await ask('DELETE', at).catch(() => undefined);
            end();
        },
    };
}
