// Place and day out of a JPEG's EXIF, read only when the visitor agrees. Bytes from outside: each
// offset is checked before it is followed, nothing is followed twice, and what makes no sense is
// simply not there (no place, no date). Formats: JPEG segments (ITU T.81), TIFF 6.0, EXIF 2.3.
// SPDX-License-Identifier: BSD-2-Clause

export interface Origin {
    lat?: number; // degrees, -90..90
    lon?: number; // degrees, -180..180
    date?: string; // YYYY-MM-DD
}

interface Field {
    type: number;
    count: number;
    at: number; // where its value stands, inside the view
}
type Fields = Map<number, Field>;

const tagExif = 0x8769;
const tagGps = 0x8825;
const tagTaken = 0x9003;
const tagChanged = 0x0132;
const sizes: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8 };

export function readOrigin(bytes: ArrayBuffer): Origin {
    const tiff = findTiff(new DataView(bytes));
    if (!tiff || tiff.byteLength < 8) return {};
    const little = tiff.getUint16(0) === 0x4949;
    if (!little && tiff.getUint16(0) !== 0x4d4d) return {};
    if (tiff.getUint16(2, little) !== 42) return {};
    const first = readFields(tiff, tiff.getUint32(4, little), little);
    const exif = below(tiff, first, tagExif, little);
    const gps = below(tiff, first, tagGps, little);
    return { ...place(tiff, gps, little), ...taken(tiff, exif, first) };
}

// The TIFF block of the first APP1 segment that begins with "Exif\0\0".
function findTiff(view: DataView): DataView | null {
    if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return null;
    let at = 2;
    while (at + 4 <= view.byteLength && view.getUint8(at) === 0xff) {
        const marker = view.getUint8(at + 1);
        const length = view.getUint16(at + 2);
        if (marker === 0xda || length < 2) return null;
        const end = at + 2 + length;
        if (marker === 0xe1 && length >= 16 && end <= view.byteLength && isExif(view, at + 4))
            return new DataView(view.buffer, view.byteOffset + at + 10, length - 8);
        at = end;
    }
    return null;
}

function isExif(view: DataView, at: number): boolean {
    return view.getUint32(at) === 0x45786966 && view.getUint16(at + 4) === 0;
}

function readFields(tiff: DataView, at: number, little: boolean): Fields {
    const fields: Fields = new Map();
    if (at < 8 || at + 2 > tiff.byteLength) return fields;
    const count = tiff.getUint16(at, little);
    for (let i = 0; i < count; i++) {
        const entry = at + 2 + 12 * i;
        if (entry + 12 > tiff.byteLength) break;
        const field = readField(tiff, entry, little);
        if (field) fields.set(tiff.getUint16(entry, little), field);
    }
    return fields;
}

// A value of up to four bytes stands in the entry itself, a longer one where the entry points.
function readField(tiff: DataView, entry: number, little: boolean): Field | null {
    const type = tiff.getUint16(entry + 2, little);
    const count = tiff.getUint32(entry + 4, little);
    const size = (sizes[type] ?? 0) * count;
    const at = size <= 4 ? entry + 8 : tiff.getUint32(entry + 8, little);
    return size > 0 && at + size <= tiff.byteLength ? { type, count, at } : null;
}

function below(tiff: DataView, fields: Fields, tag: number, little: boolean): Fields {
    const field = fields.get(tag);
    if (!field || field.type !== 4) return new Map();
    return readFields(tiff, tiff.getUint32(field.at, little), little);
}

function text(tiff: DataView, field: Field | undefined, longest: number): string {
    if (!field || field.type !== 2) return '';
    let out = '';
    for (let i = 0; i < Math.min(field.count, longest); i++) {
        const code = tiff.getUint8(field.at + i);
        if (code === 0) break;
        out += String.fromCharCode(code);
    }
    return out;
}

// Degrees, minutes and seconds, each a fraction of two unsigned numbers.
function degrees(tiff: DataView, field: Field | undefined, little: boolean): number {
    if (!field || field.type !== 5 || field.count < 3) return NaN;
    const part = (i: number): number =>
        tiff.getUint32(field.at + 8 * i, little) / tiff.getUint32(field.at + 8 * i + 4, little);
    const seconds = part(2);
    return part(0) + part(1) / 60 + (Number.isNaN(seconds) ? 0 : seconds) / 3600;
}

function place(tiff: DataView, gps: Fields, little: boolean): Origin {
    const lat = degrees(tiff, gps.get(2), little) * (text(tiff, gps.get(1), 1) === 'S' ? -1 : 1);
    const lon = degrees(tiff, gps.get(4), little) * (text(tiff, gps.get(3), 1) === 'W' ? -1 : 1);
    const there = Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && (lat !== 0 || lon !== 0);
    return there ? { lat: round(lat), lon: round(lon) } : {};
}

const round = (value: number): number => Math.round(value * 1e6) / 1e6;

function taken(tiff: DataView, exif: Fields, first: Fields): Origin {
    const words = text(tiff, exif.get(tagTaken), 19) || text(tiff, first.get(tagChanged), 19);
    const found = /^(\d{4}):(\d\d):(\d\d)/.exec(words);
    if (!found) return {};
    const date = `${found[1]}-${found[2]}-${found[3]}`;
    const parsed = new Date(date + 'T00:00:00Z');
    const real = !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date);
    return real && Number(found[1]) > 1825 ? { date } : {};
}
