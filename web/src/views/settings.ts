// What the visitor can choose: language, light or dark, which server, which model, and the key a
// server may ask for.
// SPDX-License-Identifier: BSD-2-Clause
import { fill, h } from '../dom.ts';
import type { ModelCard } from '../net/answers.ts';
import { modelCard, refreshConfig } from '../net/api.ts';
import { pump } from '../net/sender.ts';
import { loadSettings, originOf, saveSettings, type Settings } from '../store/settings.ts';
import { language, languages, t, type Key } from '../words/words.ts';
import { aboutModel, modelName } from './about.ts';
import { offerInstall } from './install.ts';
import { toast } from './toast.ts';
import type { View } from './view.ts';

type Redo = () => void;

// `redo` builds the whole page anew, in another language.
export function settingsView(speak: (code: string) => Promise<void>): View {
    const rest = h('div', { class: 'server' });
    const node = h(
        'section',
        { class: 'settings' },
        h('h1', { tabindex: -1 }, t('settings.title')),
        h('label', {}, t('settings.language'), languagePicker(speak)),
        themePicker(),
        rest,
        h('p', { class: 'acts' }, offerInstall()),
        h('p', { class: 'ways' }, h('a', { href: '#/classes' }, t('classes.title'))),
        h('p', { class: 'ways' }, h('a', { href: '#/review' }, t('review.link'))),
    );
    const show = async (): Promise<void> => {
        const settings = await loadSettings();
        fill(
            rest,
            serverPart(settings, () => void show()),
        );
        const card = await ownCard(settings).catch(() => null);
        if (card) rest.append(h('p', { class: 'hint' }, aboutModel(card)));
    };
    void refreshConfig().then(show, show);
    return { title: t('settings.title'), node };
}

function languagePicker(speak: (code: string) => Promise<void>): HTMLElement {
    const picker = h('select', { name: 'language' });
    for (const [code, { name }] of Object.entries(languages))
        picker.append(h('option', { value: code, lang: code, selected: code === language }, name));
    picker.onchange = (): void => void speak(picker.value);
    return picker;
}

function themePicker(): HTMLElement {
    const now = document.documentElement.dataset['theme'] ?? 'system';
    const choices = ['system', 'light', 'dark'].map((theme) =>
        h(
            'label',
            {},
            h('input', {
                type: 'radio',
                name: 'theme',
                value: theme,
                checked: theme === now,
                onchange: () => useTheme(theme),
            }),
            h('span', {}, t(('theme.' + theme) as Key)),
        ),
    );
    return h('fieldset', { class: 'segments' }, h('legend', {}, t('settings.theme')), choices);
}

function useTheme(theme: string): void {
    if (theme === 'system') {
        localStorage.removeItem('theme');
        delete document.documentElement.dataset['theme'];
    } else {
        localStorage.setItem('theme', theme);
        document.documentElement.dataset['theme'] = theme;
    }
}

function serverPart(settings: Settings, redo: Redo): HTMLElement[] {
    const { config } = settings;
    const parts = [serverField(settings, redo)];
    if (config?.keys || settings.key) parts.push(keyField(settings));
    if (config && config.models.length > 1) parts.push(modelPicker(settings));
    return parts;
}

// Another server than the one the page came from; it must allow this page (its --cors).
function serverField(settings: Settings, redo: Redo): HTMLElement {
    const input = h('input', {
        type: 'url',
        name: 'server',
        inputmode: 'url',
        autocapitalize: 'off',
        spellcheck: 'false',
        placeholder: location.origin,
        value: settings.server,
    });
    const connect = async (event: Event): Promise<void> => {
        event.preventDefault();
        const origin = originOf(input.value);
        if (origin === null) return toast(t('settings.serverBad'));
        const server = origin === location.origin ? '' : origin;
        await saveSettings({ server, model: '', config: undefined });
        try {
            const { config } = await refreshConfig();
            toast(t('settings.connected', { name: config?.default ?? server }));
            await pump();
        } catch {
            toast(t('settings.notConnected'));
        }
        redo();
    };
    const button = h('button', { class: 'quiet' }, t('settings.connect'));
    const form = h('form', { class: 'inline', onsubmit: (event: Event) => void connect(event) });
    form.append(h('label', {}, t('settings.server'), input), button);
    return form;
}

function keyField(settings: Settings): HTMLElement {
    const input = h('input', {
        type: 'password',
        name: 'key',
        autocomplete: 'off',
        value: settings.key,
    });
    input.onchange = (): void => {
        void saveSettings({ key: input.value.trim() }).then(() => pump());
    };
    return h('label', {}, t('settings.key'), input);
}

function modelPicker(settings: Settings): HTMLElement {
    const { models, default: usual } = settings.config ?? { models: [], default: '' };
    const picker = h('select', { name: 'model' });
    for (const name of models)
        picker.append(
            h('option', { value: name, selected: name === (settings.model || usual) }, name),
        );
    picker.onchange = (): void => void saveSettings({ model: picker.value });
    return h('label', {}, t('settings.model'), picker);
}

async function ownCard(settings: Settings): Promise<ModelCard> {
    return modelCard(settings, await modelName(settings));
}
