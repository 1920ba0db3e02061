// Plugins of the build: the catalogue cut by language, the script that runs before the first paint,
// and the service worker with the list of files that it keeps. All of them give the same bytes for
// the same sources: no dates, no paths, no randomness.
// SPDX-License-Identifier: BSD-2-Clause
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const catalogue = root + 'src/words/catalogue.json';

const digest = (bytes) => createHash('sha256').update(bytes).digest('hex').slice(0, 10);

// One catalogue file, but each visitor fetches only the language that is shown.
export function words() {
    const read = () => JSON.parse(readFileSync(catalogue, 'utf8'));
    return {
        name: 'words',
        resolveId: (id) => (id.startsWith('virtual:words/') ? '\0' + id : null),
        load(id) {
            if (!id.startsWith('\0virtual:words/')) return null;
            this.addWatchFile(catalogue);
            const { languages, texts } = read();
            const which = id.slice('\0virtual:words/'.length);
            if (which === 'all') return loaders(Object.keys(languages), languages);
            const one = Object.entries(texts).map(([key, by]) => [key, by[which] ?? by.en]);
            return 'export default ' + JSON.stringify(Object.fromEntries(one));
        },
    };
}

function loaders(codes, languages) {
    const each = codes.map((code) => `${code}: () => import('virtual:words/${code}')`);
    return `export const languages = ${JSON.stringify(languages)};
export const loaders = { ${each.join(', ')} };`;
}

async function bundle(file, define) {
    const options = { bundle: true, minify: true, format: 'iife', target: 'es2020', write: false };
    const out = await build({
        ...options,
        entryPoints: ['src/' + file],
        absWorkingDir: root,
        define,
        legalComments: 'none',
    });
    return out.outputFiles[0].text;
}

// A classic script in the head: theme and direction stand before anything is painted.
export function earlyScript() {
    let fileName;
    return {
        name: 'early-script',
        apply: 'build',
        async buildStart() {
            const source = await bundle('early.ts', {});
            fileName = `assets/early-${digest(source)}.js`;
            this.emitFile({ type: 'asset', fileName, source });
        },
        transformIndexHtml: () => [
            { tag: 'script', attrs: { src: '/' + fileName }, injectTo: 'head-prepend' },
        ],
    };
}

// The worker keeps every file of this build, under a version made from their contents.
export function serviceWorker() {
    return {
        name: 'service-worker',
        apply: 'build',
        enforce: 'post',
        async generateBundle(_, files) {
            const hash = createHash('sha256');
            for (const name of Object.keys(files).sort())
                hash.update(name).update(files[name].code ?? files[name].source);
            const icons = readdirSync(root + 'public/icons').sort();
            for (const name of icons) hash.update(readFileSync(root + 'public/icons/' + name));
            const built = Object.keys(files)
                .filter((name) => name !== 'index.html')
                .sort();
            const keep = [
                '/',
                '/manifest.webmanifest',
                '/icons/icon.svg',
                ...built.map((n) => '/' + n),
            ];
            const source = await bundle('sw.ts', {
                KEEP: JSON.stringify(keep),
                VERSION: JSON.stringify(hash.digest('hex').slice(0, 10)),
            });
            this.emitFile({ type: 'asset', fileName: 'sw.js', source });
        },
    };
}
