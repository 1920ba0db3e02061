// Asks before something is deleted.
// SPDX-License-Identifier: BSD-2-Clause
import { h } from '../dom.ts';
import { t } from '../words/words.ts';

// True when the visitor says yes.
export function askFirst(question: string, yes: string): Promise<boolean> {
    return new Promise((resolve) => {
        const no = h('button', { value: '' }, t('cancel'));
        const sheet = h(
            'dialog',
            { class: 'sheet', 'aria-label': question },
            h(
                'form',
                { method: 'dialog' },
                h('p', {}, question),
                h('div', { class: 'acts' }, no, h('button', { value: 'yes', class: 'main' }, yes)),
            ),
        );
        sheet.onclose = (): void => {
            resolve(sheet.returnValue === 'yes');
            sheet.remove();
        };
        document.body.append(sheet);
        sheet.showModal();
    });
}
