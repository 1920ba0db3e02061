// What a view is: something to show at an address (the part after #), that may have to tidy up when
// it is left.
// SPDX-License-Identifier: BSD-2-Clause

export interface View {
    title: string;
    node: HTMLElement;
    leave?(): void;
}

export const go = (hash: string): void => {
    if (location.hash === hash) dispatchEvent(new HashChangeEvent('hashchange'));
    else location.hash = hash;
};

// Addresses of pictures in memory, given back together.
export class Pictures {
    #urls: string[] = [];

    url(blob: Blob): string {
        const url = URL.createObjectURL(blob);
        this.#urls.push(url);
        return url;
    }

    free(): void {
        for (const url of this.#urls) URL.revokeObjectURL(url);
        this.#urls = [];
    }
}
