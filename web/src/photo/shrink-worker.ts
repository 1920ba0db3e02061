// The worker's end of shrink.ts: one photo in, its copies out.
// SPDX-License-Identifier: BSD-2-Clause
import { encodeCopies, type Wanted } from './copies.ts';

interface Ask {
    file: Blob;
    wanted: Wanted;
}

self.onmessage = ({ data }: MessageEvent<Ask>): void => {
    encodeCopies(data.file, data.wanted).then(
        (copies) => self.postMessage({ copies }),
        (error: unknown) => self.postMessage({ error: String(error) }),
    );
};
