// How large a photo is sent: no more pixels than the model looks at. It looks at a rectangle of
// width x height cut from a photo that covers it, so the copy still covers it on both sides; a very
// long photo is bounded on its long side.
// SPDX-License-Identifier: BSD-2-Clause

export interface Size {
    width: number;
    height: number;
}

const longest = 4; // times the rectangle's longer side

export function coverSize(photo: Size, wanted: Size): Size {
    const cover = Math.max(wanted.width / photo.width, wanted.height / photo.height);
    const bound =
        (longest * Math.max(wanted.width, wanted.height)) / Math.max(photo.width, photo.height);
    return scaled(photo, Math.min(1, cover, bound));
}

// The longer side at most `side`: for the copy that experts look at.
export function fitSize(photo: Size, side: number): Size {
    return scaled(photo, Math.min(1, side / Math.max(photo.width, photo.height)));
}

function scaled(photo: Size, by: number): Size {
    return {
        width: Math.max(1, Math.round(photo.width * by)),
        height: Math.max(1, Math.round(photo.height * by)),
    };
}
