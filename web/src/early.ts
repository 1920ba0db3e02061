// Before the first paint: the chosen theme and the direction of the chosen language, so that
// nothing flashes or jumps. Everything else waits for main.ts.
// SPDX-License-Identifier: BSD-2-Clause
const page = document.documentElement;
try {
    const theme = localStorage.getItem('theme');
    const lang = localStorage.getItem('lang');
    if (theme === 'light' || theme === 'dark') page.dataset['theme'] = theme;
    if (lang) {
        page.lang = lang;
        page.dir = lang === 'ar' ? 'rtl' : 'ltr';
    }
} catch {
    // no storage: the system's theme and the page's own language
}
