/* Spoils made-up files the way that collected ones are: damaged, cut off, under the wrong name,
 * twice, blurred.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "synth_int.h"

const char *oci_spoil_name(oci_spoil kind) {
    static const char *const word[] = {
#define OCI_SPOIL_WORD(name, text) text,
        OCI_SPOIL_MAP(OCI_SPOIL_WORD)
#undef OCI_SPOIL_WORD
    };
    return word[kind];
}

void oci_spoil_choose(oci_spoil *kinds, size_t count, double fraction, uint64_t seed) {
    oc_rng rng;
    oc_rng_init(&rng, seed, OC_RNG_SYNTH, 1, 0);
    size_t left = (size_t)llround(fraction * (double)count);
    uint32_t turn = oc_rng_below(&rng, OCI_SPOIL_COUNT - 1);
    for (size_t i = 0; i < count; i++) { /* selection sampling: `left` of the rest, all alike */
        kinds[i] = OCI_SPOIL_NONE;
        if (oc_rng_below(&rng, (uint32_t)(count - i)) >= left) continue;
        kinds[i] = (oci_spoil)(1 + turn++ % (OCI_SPOIL_COUNT - 1));
        left--;
    }
}

void oci_spoil_bytes(oc_buf *file, oci_spoil kind, oc_rng *rng) {
    if (file->size < 64) return;
    if (kind == OCI_SPOIL_TRUNCATED) {
        file->size = (size_t)((double)file->size * (double)oc_rng_between(rng, 0.3f, 0.7f));
        return;
    }
    if (kind != OCI_SPOIL_CORRUPT) return;
    static const char page[] = "<!DOCTYPE html><html><body>404 Not Found</body></html>\n";
    switch (oc_rng_below(rng, 3)) {
    case 0:
        file->size = 0;
        break; /* an empty download */
    case 1:    /* an error page under the picture's name */
        memcpy(file->data, page, sizeof page - 1);
        file->size = sizeof page - 1;
        break;
    default: /* noise over the tables and the start of the scan */
        for (size_t i = 20; i < file->size / 2; i++) file->data[i] = (char)oc_rng_u32(rng);
    }
}
