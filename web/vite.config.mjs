// How the page is built: plain Vite, and the four things it lacks (tools/parts.mjs).
// SPDX-License-Identifier: BSD-2-Clause
import { defineConfig } from 'vite';
import { earlyScript, serviceWorker, words } from './tools/parts.mjs';

const server = process.env.OCELLUS_SERVER ?? 'http://127.0.0.1:8080';

export default defineConfig({
    plugins: [words(), earlyScript(), serviceWorker()],
    build: {
        target: 'es2020',
        assetsInlineLimit: 0,
        modulePreload: { polyfill: false },
        reportCompressedSize: false,
    },
    worker: { format: 'es' },
    server: { proxy: { '/v1': server, '/identify': server } },
});
