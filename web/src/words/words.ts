// The texts of the page in the visitor's language. One catalogue (catalogue.json) holds all ten;
// the build cuts it so that only the language shown is fetched. Plurals, numbers, dates and the
// names of languages are the browser's own (Intl).
// SPDX-License-Identifier: BSD-2-Clause
import { languages, loaders } from 'virtual:words/all';

export type Key = keyof (typeof import('./catalogue.json'))['texts'];
type Text = string | Partial<Record<Intl.LDMLPluralRule, string>>;

let texts: Record<string, Text> = {};
export let language = 'en';
export { languages };

// The first language of the visitor's that there is: 'pt-BR' finds 'pt'.
export function pickLanguage(wanted: readonly string[], there: readonly string[]): string {
    for (const tag of wanted) {
        const code = tag.toLowerCase().split('-')[0] ?? '';
        if (there.includes(code)) return code;
    }
    return 'en';
}

export async function useLanguage(code: string): Promise<void> {
    const load = loaders[code] ?? loaders['en'];
    if (!load) return;
    texts = (await load()).default as Record<string, Text>;
    language = code;
    document.documentElement.lang = code;
    document.documentElement.dir = languages[code]?.dir ?? 'ltr';
}

export function startLanguage(): Promise<void> {
    const chosen = localStorage.getItem('lang');
    const wanted = chosen ? [chosen, ...navigator.languages] : navigator.languages;
    return useLanguage(pickLanguage(wanted, Object.keys(languages)));
}

// t('history.count', { n: 3 }): `n` picks the plural form, {name} is filled in.
export function t(key: Key, values: Record<string, string | number> = {}): string {
    let text = texts[key] ?? key;
    if (typeof text === 'object') {
        const rule = new Intl.PluralRules(language).select(Number(values['n'] ?? 0));
        text = text[rule] ?? text.other ?? key;
    }
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
        const value = values[name];
        return typeof value === 'number' ? number(value) : (value ?? whole);
    });
}

export function number(value: number): string {
    return new Intl.NumberFormat(language).format(value);
}

// 0..1 as per cent. What rounds to nothing or to all is said as less or more than one per cent of
// it: no answer is that sure.
export function percent(p: number): string {
    const format = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 0 });
    if (p > 0 && p < 0.005) return '< ' + format.format(0.01);
    return p >= 0.995 ? '> ' + format.format(0.99) : format.format(p);
}

export function when(time: number): string {
    return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(
        time,
    );
}

export function day(time: number): string {
    return new Intl.DateTimeFormat(language, { day: 'numeric', month: 'short' }).format(time);
}

// A word for a calibrated probability.
export function certainty(p: number): string {
    if (p >= 0.9) return t('sure.almost');
    if (p >= 0.7) return t('sure.likely');
    if (p >= 0.4) return t('sure.possible');
    return p >= 0.1 ? t('sure.unsure') : t('sure.unlikely');
}
