/* What a run is made of once every default is resolved, and the learning rate over its steps.
 * Private to `train`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TRAIN_SETTINGS_INT_H
#define OC_TRAIN_SETTINGS_INT_H

#include "train/train.h"

typedef struct oci_settings {
    bool scratch; /* no weights to start from */
    oc_tune tune;
    int epochs;
    int head_epochs; /* the first so many train the head alone */
    int accumulate;  /* batches an update */
    int batch, size; /* size 0: as the model or architecture has it */
    oc_optimizer optimizer;
    double lr;         /* of the head, or of everything where there is one rate */
    double head_lr;    /* while the head alone is trained */
    double body_scale; /* rate of the body / lr */
    double momentum, rho, beta1, beta2, epsilon, l1, l2;
    bool nesterov, renormalise, caffe;
    oc_schedule_kind schedule;
    int step_epochs;
    double step_factor, power;
    const double *step_at; /* the options' */
    size_t step_count;
    uint64_t iterations, judge_every; /* 0 = the run is counted in epochs */
    double warmup_epochs;
    double clip_norm;
    double sample_classes; /* share that a step sees; 0 = all */
    int patience;
    oc_level level;      /* of augmentation when the whole network is trained */
    oc_level head_level; /* ... when the head alone is */
    int head_views;      /* that many versions of each image have their features cached: the plain
                            one, then varied ones; 0 = varied anew in every epoch, not cached */
    double smoothing;    /* of labels; a level may ask for more */
    int kept_side; /* of photos that are kept decoded, where that changes pixels; 0 = does not */
    int measure_mean, squash, filter; /* as in oc_train_options, the family's wishes applied */
    double split;
    uint64_t seed;
    int threads, workers;
} oci_settings;

/* Every option checked against its range (OC_EUSAGE names option, value and range) and every
 * default filled in. `hints` are the family's wishes; they hold when training from scratch, and for
 * the recipe. May be NULL. */
OC_MUST_CHECK oc_status oci_settings_resolve(oci_settings *out, const oc_train_options *options,
                                             const oc_arch_hints *hints, oc_error *err);

/* The body's default rate for everything: for a network whose head is kept. A rate that was given
 * stays as it is. */
void oci_settings_keep_head(oci_settings *s, const oc_train_options *options);

/* Where the run is counted in iterations: so many of them, at most all, are an epoch. */
void oci_settings_count(oci_settings *s, uint64_t judge_every);

/* Once the recipe is known: what photos that are kept decoded look like. */
void oci_settings_keep_photos(oci_settings *s, const oc_train_options *options,
                              const oc_recipe *recipe);

/* An object with everything that a resumed run must share with the one it continues; new
 * reference. */
OC_MUST_CHECK oc_status oci_settings_json(const oci_settings *s, json_t **out, oc_error *err);

const char *oci_tune_name(oc_tune tune);              /* "all", "head", "staged" */
const char *oci_schedule_name(oc_schedule_kind kind); /* "cosine", "step", "constant" */

/* The learning rate's factor over the steps of one stage. */
typedef struct oci_schedule {
    oc_schedule_kind kind;
    uint64_t steps;       /* of the stage */
    uint64_t warmup;      /* steps of linear rise, at most half of all */
    uint64_t unit;        /* steps in an epoch; 1 where time is counted in iterations */
    uint64_t step_length; /* step: steps between drops; sigmoid: to the middle */
    double gamma, power;
    const double *marks; /* multistep: in units */
    size_t mark_count;
} oci_schedule;

/* With iterations, `epochs` does not matter. */
oci_schedule oci_schedule_make(const oci_settings *s, int epochs, size_t steps_per_epoch);
/* Factor 0..1 of step t = 0, 1, ...; a pure function, so that a resumed run asks for the same. */
double oci_schedule_factor(const oci_schedule *s, uint64_t t);

#endif
