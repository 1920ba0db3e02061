/* The learning rate as a pure function of the step: linear warm-up, then one of the kinds of
 * train.h.
 *
 * Warm-up ends at factor 1 with its last step, so that the first step already learns; the cosine
 * (Loshchilov & Hutter 2017, without restarts) then falls from 1 towards 0. Time is in epochs, or
 * in iterations where a run is counted in those: then each kind is Caffe's lr_policy of that name.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "train/settings_int.h"

static const double PI = 3.14159265358979323846;

const char *oci_schedule_name(oc_schedule_kind kind) {
    static const char *const names[] = {
#define SCHEDULE_WORD(name, word) word,
        OC_SCHEDULE_MAP(SCHEDULE_WORD)
#undef SCHEDULE_WORD
    };
    return names[kind];
}

oci_schedule oci_schedule_make(const oci_settings *s, int epochs, size_t steps_per_epoch) {
    uint64_t unit = s->iterations > 0 ? 1 : steps_per_epoch;
    uint64_t steps = s->iterations > 0 ? s->iterations : (uint64_t)epochs * steps_per_epoch;
    uint64_t warmup = (uint64_t)llround(s->warmup_epochs * (double)steps_per_epoch);
    uint64_t length = (uint64_t)s->step_epochs * unit;
    return (oci_schedule){.kind = s->schedule,
                          .steps = steps,
                          .warmup = warmup < steps / 2 ? warmup : steps / 2,
                          .unit = unit > 0 ? unit : 1,
                          .step_length = length > 0 ? length : 1,
                          .gamma = s->step_factor,
                          .power = s->power,
                          .marks = s->step_at,
                          .mark_count = s->step_count};
}

/* 0..1 behind the warm-up. */
static double share(const oci_schedule *s, uint64_t t) {
    if (s->steps == 0) return 0;
    return (double)(t - s->warmup) / (double)(s->steps - s->warmup);
}

static size_t marks_passed(const oci_schedule *s, uint64_t t) {
    size_t passed = 0;
    while (passed < s->mark_count && (double)t >= s->marks[passed] * (double)s->unit) passed++;
    return passed;
}

double oci_schedule_factor(const oci_schedule *s, uint64_t t) {
    if (t >= s->steps) t = s->steps == 0 ? 0 : s->steps - 1;
    if (t < s->warmup) return (double)(t + 1) / (double)s->warmup;
    double time = (double)t / (double)s->unit;
    switch (s->kind) {
    case OC_SCHEDULE_COSINE:
        return 0.5 * (1 + cos(PI * share(s, t)));
    case OC_SCHEDULE_STEP:
        return pow(s->gamma, (double)(t / s->step_length));
    case OC_SCHEDULE_POLY:
        return pow(1 - share(s, t), s->power);
    case OC_SCHEDULE_MULTISTEP:
        return pow(s->gamma, (double)marks_passed(s, t));
    case OC_SCHEDULE_EXP:
        return pow(s->gamma, time);
    case OC_SCHEDULE_INV:
        return pow(1 + s->gamma * time, -s->power);
    case OC_SCHEDULE_SIGMOID:
        return 1 / (1 + exp(-s->gamma * (time - (double)s->step_length / (double)s->unit)));
    case OC_SCHEDULE_CONSTANT:
    case OC_SCHEDULE_COUNT:
        break;
    }
    return 1;
}
