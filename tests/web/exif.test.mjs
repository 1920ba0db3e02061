// The EXIF reader: what cameras write, and what nobody should follow.
// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './sources.mjs';

const { readOrigin } = await load('photo/exif.ts');

// A TIFF block with an Exif and a GPS part, in either byte order.
function tiff(little, { lat = [47, 22, 30], north = 'N', lon = [8, 32, 15], east = 'E', taken }) {
    const view = new DataView(new ArrayBuffer(400));
    const u16 = (at, value) => view.setUint16(at, value, little);
    const u32 = (at, value) => view.setUint32(at, value, little);
    const field = (at, tag, type, count, value) => {
        u16(at, tag);
        u16(at + 2, type);
        u32(at + 4, count);
        if (typeof value === 'string') view.setUint8(at + 8, value.charCodeAt(0));
        else u32(at + 8, value);
    };
    const text = (at, words) =>
        [...words].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
    const degrees = (at, parts) =>
        parts.forEach((part, i) => (u32(at + 8 * i, part * 100), u32(at + 8 * i + 4, 100)));
    u16(0, little ? 0x4949 : 0x4d4d);
    u16(2, 42);
    u32(4, 8);
    u16(8, 2);
    field(10, 0x8769, 4, 1, 50);
    field(22, 0x8825, 4, 1, 80);
    u16(50, 1);
    field(52, 0x9003, 2, 20, 300);
    text(300, taken ?? '2026:07:04 11:12:13');
    u16(80, 4);
    field(82, 1, 2, 2, north);
    field(94, 2, 5, 3, 200);
    field(106, 3, 2, 2, east);
    field(118, 4, 5, 3, 240);
    degrees(200, lat);
    degrees(240, lon);
    return new Uint8Array(view.buffer);
}

// A JPEG that begins as cameras' do: a JFIF segment, then EXIF.
function jpeg(block) {
    const length = block.length + 8;
    const jfif = [0xff, 0xe0, 0, 16, 74, 70, 73, 70, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0];
    const head = [0xff, 0xe1, length >> 8, length & 255, 0x45, 0x78, 0x69, 0x66, 0, 0];
    return Uint8Array.from([0xff, 0xd8, ...jfif, ...head, ...block, 0xff, 0xda, 0, 2]).buffer;
}

const zurich = { lat: 47.375, lon: 8.5375, date: '2026-07-04' };

test('place and day are read in both byte orders', () => {
    for (const little of [true, false])
        assert.deepEqual(readOrigin(jpeg(tiff(little, {}))), zurich);
});

test('south and west are negative', () => {
    const found = readOrigin(jpeg(tiff(true, { north: 'S', east: 'W' })));
    assert.deepEqual([found.lat, found.lon], [-47.375, -8.5375]);
});

test('a place off the earth is no place', () => {
    assert.equal(readOrigin(jpeg(tiff(true, { lat: [97, 0, 0] }))).lat, undefined);
    assert.equal(readOrigin(jpeg(tiff(true, { lon: [190, 0, 0] }))).lon, undefined);
});

test('a camera without a fix writes zeros, which are no place', () => {
    const found = readOrigin(jpeg(tiff(true, { lat: [0, 0, 0], lon: [0, 0, 0] })));
    assert.equal(found.lat, undefined);
});

test('a day that no calendar has is no day', () => {
    for (const taken of ['2026:02:31 00:00:00', '0000:00:00 00:00:00', '<script>alert(1)'])
        assert.equal(readOrigin(jpeg(tiff(true, { taken }))).date, undefined);
});

test('what is no JPEG has no origin', () => {
    for (const bytes of [[], [0xff], [0xff, 0xd8], [0x89, 80, 78, 71], new Array(100).fill(0xff)])
        assert.deepEqual(readOrigin(Uint8Array.from(bytes).buffer), {});
});

test('every cut of a file is read without a throw', () => {
    const whole = jpeg(tiff(false, {}));
    for (let length = 0; length < whole.byteLength; length++) readOrigin(whole.slice(0, length));
});

test('no single wrong byte makes it throw or leave the earth', () => {
    const whole = new Uint8Array(jpeg(tiff(true, {})));
    for (let at = 0; at < whole.length; at++)
        for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
            const spoilt = whole.slice();
            spoilt[at] = value;
            const { lat = 0, lon = 0 } = readOrigin(spoilt.buffer);
            assert.ok(Math.abs(lat) <= 90 && Math.abs(lon) <= 180, `byte ${at} = ${value}`);
        }
});
