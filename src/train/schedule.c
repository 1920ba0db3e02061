/* The learning rate as a pure function of the step: linear warm-up, then cosine, steps or nothing.
 *
 * Warm-up ends at factor 1 with its last step, so that the first step already learns; the cosine
 * (Loshchilov & Hutter 2017, without restarts) then falls from 1 towards 0.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "train/settings_int.h"

static const double PI = 3.14159265358979323846;

const char *oci_schedule_name(oc_schedule_kind kind) {
    static const char *const names[] = {[OC_SCHEDULE_COSINE] = "cosine",
                                        [OC_SCHEDULE_STEP] = "step",
                                        [OC_SCHEDULE_CONSTANT] = "constant"};
    return names[kind];
}

oci_schedule oci_schedule_make(const oci_settings *s, int epochs, size_t steps_per_epoch) {
    uint64_t steps = (uint64_t)epochs * steps_per_epoch;
    uint64_t warmup = (uint64_t)llround(s->warmup_epochs * (double)steps_per_epoch);
    uint64_t length = (uint64_t)s->step_epochs * steps_per_epoch;
    return (oci_schedule){.kind = s->schedule,
                          .steps = steps,
                          .warmup = warmup < steps / 2 ? warmup : steps / 2,
                          .step_length = length > 0 ? length : 1,
                          .step_factor = s->step_factor};
}

static double cosine(const oci_schedule *s, uint64_t t) {
    double share = (double)(t - s->warmup) / (double)(s->steps - s->warmup);
    return 0.5 * (1 + cos(PI * share));
}

double oci_schedule_factor(const oci_schedule *s, uint64_t t) {
    if (t >= s->steps) t = s->steps == 0 ? 0 : s->steps - 1;
    if (t < s->warmup) return (double)(t + 1) / (double)s->warmup;
    switch (s->kind) {
    case OC_SCHEDULE_COSINE:
        return s->steps == 0 ? 1 : cosine(s, t);
    case OC_SCHEDULE_STEP:
        return pow(s->step_factor, (double)(t / s->step_length));
    case OC_SCHEDULE_CONSTANT:
        break;
    }
    return 1;
}
