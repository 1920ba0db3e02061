// What a model says of itself in a sentence, and which one is meant.
// SPDX-License-Identifier: BSD-2-Clause
import type { ModelCard } from '../net/answers.ts';
import { refreshConfig } from '../net/api.ts';
import type { Settings } from '../store/settings.ts';
import { percent, t } from '../words/words.ts';

// The model that photos are sent to: the visitor's choice, else the server's.
export async function modelName(settings: Settings): Promise<string> {
    const { model, config } = settings;
    return model || (config ?? (await refreshConfig()).config)?.default || '';
}

export function aboutModel(card: ModelCard): string {
    const words = t('settings.about', { name: card.name, n: card.classes.length });
    const right = card.metrics?.accuracy;
    return right ? words + ' ' + t('settings.right', { share: percent(right) }) : words;
}
