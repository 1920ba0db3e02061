// The catalogue: ten languages, nothing missing, nothing left over.
// SPDX-License-Identifier: BSD-2-Clause
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { load, web } from './sources.mjs';

const { pickLanguage } = await load('words/words.ts');
const { languages, texts } = JSON.parse(readFileSync(web + 'src/words/catalogue.json', 'utf8'));
const codes = Object.keys(languages);
const forms = (text) => (typeof text === 'string' ? [text] : Object.values(text));
const holes = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join(' ');

function sources(folder) {
    const paths = readdirSync(folder).map((name) => folder + '/' + name);
    return paths.flatMap((path) =>
        statSync(path).isDirectory() ? sources(path) : path.endsWith('.ts') ? [path] : [],
    );
}

test('there are ten languages, and Arabic runs from right to left', () => {
    assert.equal(codes.length, 10);
    assert.equal(languages.ar.dir, 'rtl');
});

test('the first language of the visitor that there is, is taken', () => {
    assert.equal(pickLanguage(['pt-BR', 'en'], codes), 'pt');
    assert.equal(pickLanguage(['tlh', 'ZH-Hant-TW', 'de'], codes), 'zh');
    assert.equal(pickLanguage(['tlh'], codes), 'en');
});

test('every text is there in every language', () => {
    for (const [key, by] of Object.entries(texts))
        for (const code of codes)
            assert.ok(forms(by[code] ?? '').every(Boolean) && by[code], `${key} in ${code}`);
});

test('what is filled in is the same in every language', () => {
    for (const [key, by] of Object.entries(texts)) {
        const wanted = holes(forms(by.en).at(-1));
        for (const code of codes)
            assert.equal(holes(by[code].other ?? by[code]), wanted, `${key} in ${code}`);
    }
});

test('plurals have every form that their language counts with', () => {
    for (const [key, by] of Object.entries(texts).filter(([, by]) => typeof by.en !== 'string'))
        for (const code of codes)
            for (let n = 0; n <= 120; n++) {
                const rule = new Intl.PluralRules(code).select(n);
                assert.ok(by[code][rule] ?? by[code].other, `${key} in ${code} for ${n}`);
            }
});

test('every text is used, and every text used is there', () => {
    const code = sources(web + 'src')
        .map((path) => readFileSync(path, 'utf8'))
        .join('\n');
    const used = new Set(
        [...code.matchAll(/'([a-zA-Z]+(?:\.[a-zA-Z]+)?)'/g)].map((found) => found[1]),
    );
    const families = [...code.matchAll(/t\(\('([a-z]+\.)' \+/g)].map((found) => found[1]);
    for (const key of Object.keys(texts))
        assert.ok(
            used.has(key) || families.some((family) => key.startsWith(family)),
            `${key} is used`,
        );
});
