// What the build makes up (tools/parts.mjs), as types.
// SPDX-License-Identifier: BSD-2-Clause
declare module 'virtual:words/all' {
    export const languages: Record<string, { name: string; dir?: 'rtl' }>;
    export const loaders: Record<string, () => Promise<{ default: Record<string, unknown> }>>;
}
declare const KEEP: string[];
declare const VERSION: string;
