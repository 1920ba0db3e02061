/* Vectors of 8 floats for the files of inner loops (loops.h); only those include it.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_LANES_H
#define OC_ENGINE_LANES_H

#include <stdint.h>

#include "base/base.h"

enum { L = 8 };

/* Loads and stores through these need no alignment and may touch any memory. */
typedef float vec __attribute__((vector_size(4 * L), aligned(4), may_alias));
typedef int32_t mask __attribute__((vector_size(4 * L), aligned(4), may_alias));
typedef uint16_t shorts __attribute__((vector_size(2 * L), aligned(2), may_alias));

/* a * b + c; a file of loops may have said before how its processor does it in one. */
#ifndef OCI_MULTIPLY_ADD
#define OCI_MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif

static inline vec load(const float *p) {
    return *(const vec *)p;
}
static inline void store(float *p, vec v) {
    *(vec *)p = v;
}
static inline vec all(float x) {
    return (vec){x, x, x, x, x, x, x, x};
}
/* Lane by lane: yes where m is set, else no. */
static inline vec choose(mask m, vec yes, vec no) {
    return (vec)((m & (mask)yes) | (~m & (mask)no));
}

/* A NaN is neither below nor above, and stays. */
static inline vec clip(vec v, float low, float high) {
    vec none = {0}, lows = none + low, highs = none + high;
    mask below = v<lows, above = v> highs;
    v = (vec)((below & (mask)lows) | (~below & (mask)v));
    return (vec)((above & (mask)highs) | (~above & (mask)v));
}

#endif
