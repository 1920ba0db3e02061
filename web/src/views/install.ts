// Installing the page as an app, where the browser offers it.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';
import { t } from '../words/words.ts';

interface Offer extends Event {
    prompt(): Promise<void>;
}
let offer: Offer | undefined;

export function awaitOffer(): void {
    addEventListener('beforeinstallprompt', (event) => {
        event.preventDefault();
        offer = event as Offer;
    });
}

export function offerInstall(): HTMLElement | null {
    if (!offer) return null;
    const click = (): void => void offer?.prompt();
    return h('button', { type: 'button', class: 'quiet', onclick: click }, t('settings.install'));
}
