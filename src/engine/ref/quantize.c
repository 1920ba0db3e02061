/* Rounding to the 256 levels that one byte can tell apart: what an int8 network does between its
 * layers, in plain floats.
 *
 *   level = clamp(round(x / step) + zero, 0, 255)     y = step * (level - zero)
 *
 * Half a step is rounded to the even level, as the processors' conversions do. A NaN, which no
 * level can hold, becomes the level 0.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "engine/ref/ref_int.h"

static float on_grid(float x, float step, int zero) {
    float level = rintf(x / step) + (float)zero;
    if (!(level > 0)) level = 0;
    if (level > OC_LEVELS - 1) level = OC_LEVELS - 1;
    return step * (level - (float)zero);
}

void ref_quantize_forward(const ref_call *c) {
    size_t count = ref_volume(c, &c->out_shape);
    const oc_attrs *a = &c->node->attrs;
#pragma omp parallel for schedule(static)
    for (size_t i = 0; i < count; i++) c->out[i] = on_grid(c->in[0][i], a->step, a->zero);
}
