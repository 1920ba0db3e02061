// Loads a module of the page as the browser would have it: bundled by the build's own esbuild.
// SPDX-License-Identifier: BSD-2-Clause
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

export const web = fileURLToPath(new URL('../../web/', import.meta.url));
const require = createRequire(web);

// The words of a language are made by the build; modules that only name them do without.
const noWords = {
    name: 'no-words',
    setup(build) {
        build.onResolve({ filter: /^virtual:/ }, ({ path }) => ({ path, namespace: 'none' }));
        const contents = 'export const languages = {}, loaders = {};';
        build.onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents }));
    },
};

export async function load(file) {
    const { build } = require('esbuild');
    const out = await build({
        entryPoints: [web + 'src/' + file],
        bundle: true,
        format: 'esm',
        write: false,
        plugins: [noWords],
        define: { KEEP: '[]', VERSION: '"test"' },
    });
    const source = Buffer.from(out.outputFiles[0].contents).toString('base64');
    return import('data:text/javascript;base64,' + source);
}

// A package that the page is built or tested with.
export const need = (name) => require(name);
need.resolve = (name) => require.resolve(name);
