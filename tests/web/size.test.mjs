// How large photos are sent.
// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './sources.mjs';

const { coverSize, fitSize } = await load('photo/size.ts');
const wanted = { width: 512, height: 512 };

test('a photo covers what the model looks at, and no more', () => {
    assert.deepEqual(coverSize({ width: 4000, height: 3000 }, wanted), { width: 683, height: 512 });
    assert.deepEqual(coverSize({ width: 3000, height: 4000 }, wanted), { width: 512, height: 683 });
});

test('a small photo is not made larger', () => {
    assert.deepEqual(coverSize({ width: 300, height: 200 }, wanted), { width: 300, height: 200 });
    assert.deepEqual(fitSize({ width: 300, height: 200 }, 1600), { width: 300, height: 200 });
});

test('a panorama is bounded on its long side', () => {
    assert.deepEqual(coverSize({ width: 20000, height: 1000 }, wanted), {
        width: 2048,
        height: 102,
    });
});

test('no side ever becomes nothing', () => {
    assert.equal(coverSize({ width: 30000, height: 1 }, wanted).height, 1);
});

test('the copy for people fits its longer side', () => {
    assert.deepEqual(fitSize({ width: 4000, height: 3000 }, 1600), { width: 1600, height: 1200 });
});
