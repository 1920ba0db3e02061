// What nobody can guess: 32 random hexadecimal digits.
// SPDX-License-Identifier: BSD-2-Clause

// crypto.randomUUID is for https alone.
export function randomKey(): string {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
