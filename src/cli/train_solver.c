/* `ocellus train --solver`: a Caffe user's solver as options of a run.
 *
 * The line is parsed twice: once bare, to find the solver and what contradicts it, then over the
 * solver's values, so that what the line gives wins.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train_solver_int.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const oc_schedule_kind schedules[OC_CAFFE_POLICY_COUNT] = {
    [OC_CAFFE_FIXED] = OC_SCHEDULE_CONSTANT,
    [OC_CAFFE_STEP] = OC_SCHEDULE_STEP,
    [OC_CAFFE_EXP] = OC_SCHEDULE_EXP,
    [OC_CAFFE_INV] = OC_SCHEDULE_INV,
    [OC_CAFFE_MULTISTEP] = OC_SCHEDULE_MULTISTEP,
    [OC_CAFFE_POLY] = OC_SCHEDULE_POLY,
    [OC_CAFFE_SIGMOID] = OC_SCHEDULE_SIGMOID,
};

/* Options that a solver or its net leaves no room for. */
static const char *const settled[] = {
    "arch",    "from",      "cut",      "strip-prefix", "tune",         "epochs",
    "size",    "optimizer", "nesterov", "schedule",     "step-epochs",  "step-factor",
    "step-at", "gamma",     "power",    "warmup",       "augment",      "mean",
    "std",     "fit",       "val",      "split",        "label-column", "group-column"};

/* ---- what the line gives ------------------------------------------------------------------- */

static size_t bytes_of(const oci_option *o) {
    switch (o->kind) {
    case OCI_FLAG:
        return sizeof(bool);
    case OCI_U64:
        return sizeof(uint64_t);
    case OCI_REAL:
        return sizeof(double);
    case OCI_TEXT:
    case OCI_PATH:
        return sizeof(const char *);
    case OCI_INT:
    case OCI_WORD:
        break;
    }
    return sizeof(int);
}

static bool differs(const oci_option *o, const oci_train_flags *a, const oci_train_flags *b) {
    return memcmp((const char *)a + o->offset, (const char *)b + o->offset, bytes_of(o)) != 0;
}

static bool is_settled(const char *name) {
    for (size_t i = 0; i < sizeof settled / sizeof *settled; i++)
        if (strcmp(settled[i], name) == 0) return true;
    return false;
}

static oc_status check_line(const oci_train_flags *bare, oc_error *err) {
    oci_train_flags none;
    oci_train_flags_init(&none);
    for (const oci_option *o = oci_train_table; o->name != NULL; o++) {
        if (!is_settled(o->name) || !differs(o, bare, &none)) continue;
        return oc_fail(err, OC_EUSAGE,
                       "--%s has no place beside --solver: %s and its net say that already; change "
                       "it there",
                       o->name, bare->solver);
    }
    return OC_OK;
}

/* Values of the solver that the line replaces, by the first of their names. */
static void tell_replaced(const oci_train_flags *solver, const oci_train_flags *flags,
                          const oc_log *log) {
    static const char *const names[] = {"lr",        "momentum", "l1",         "l2",
                                        "clip-norm", "batch",    "accumulate", "seed"};
    oc_buf list = {0};
    for (const oci_option *o = oci_train_table; o->name != NULL; o++) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            if (strcmp(o->name, names[i]) != 0 || !differs(o, solver, flags)) continue;
            oc_buf_printf(&list, "%s--%s", list.size > 0 ? ", " : "", o->name);
        }
    }
    if (list.size > 0 && !list.failed)
        oc_info(log, "given here instead of by the solver: %s", list.data);
    oc_buf_clear(&list);
}

/* ---- what the solver gives ----------------------------------------------------------------- */

static void set_update(oc_train_options *o, const oc_caffe_solver *s) {
    o->caffe = true;
    o->optimizer = (int)s->optimizer;
    o->nesterov = s->nesterov;
    o->lr = s->base_lr;
    o->momentum = s->momentum;
    o->l1 = s->l1 ? s->weight_decay : 0;
    o->l2 = s->l1 ? 0 : s->weight_decay;
    o->rho = s->optimizer == OC_ADADELTA ? s->momentum : s->rms_decay;
    o->beta1 = s->momentum;
    o->beta2 = s->momentum2;
    o->epsilon = s->delta;
    o->accumulate = s->iter_size;
    o->clip_norm = s->clip / s->iter_size; /* Caffe clips the sum over them */
}

static void set_schedule(oci_train_flags *f, const oc_caffe_solver *s) {
    oc_train_options *o = &f->train;
    oc_schedule_kind kind = schedules[s->policy];
    f->schedule = (int)kind;
    o->warmup_epochs = 0;
    o->step_factor = s->gamma;
    if (kind == OC_SCHEDULE_POLY || kind == OC_SCHEDULE_INV) o->power = s->power;
    if (kind == OC_SCHEDULE_STEP || kind == OC_SCHEDULE_SIGMOID) o->step_epochs = s->stepsize;
    if (kind != OC_SCHEDULE_MULTISTEP) return;
    o->step_at = s->stepvalues;
    o->step_count = s->stepvalue_count;
}

static void set_data(oc_train_options *o, const oc_caffe_solver *s) {
    o->data = s->train.source;
    o->dataset.root = s->train.root;
    o->val = s->test.source;
    o->val_root = s->test.root;
    if (s->test.source == NULL) o->split = -1;
    o->batch = s->train.batch;
    o->augment = OC_LEVEL_NONE;
    o->vary = &s->vary;
    o->iterations = (uint64_t)s->max_iter;
    o->judge_every = (uint64_t)s->test_interval;
    o->snapshot_every = (uint64_t)s->snapshot;
    if (s->seed >= 0) o->seed = (uint64_t)s->seed;
}

static void set_net(oc_train_options *o, const oc_caffe_solver *s) {
    o->net = s->model;
    o->lr_scale = s->lr_scale;
    o->decay_scale = s->decay_scale;
    o->freeze_stats = s->freeze_stats;
}

/* ---- the whole ----------------------------------------------------------------------------- */

/* Over the solver's values once more what the line says. */
static oc_status parse_over(oci_args *args, oci_train_flags *flags, const oc_caffe_solver *s,
                            const oc_log *log, oc_error *err) {
    oci_train_flags before;
    oci_train_flags_init(flags);
    set_update(&flags->train, s);
    set_schedule(flags, s);
    set_data(&flags->train, s);
    before = *flags;
    OC_TRY(oci_options_parse(args, flags, err));
    tell_replaced(&before, flags, log);
    return OC_OK;
}

static oc_status take_solver(oci_args *args, oci_train_flags *flags, oc_caffe_solver **solver,
                             const oc_log *log, oc_error *err) {
    const char *path = flags->solver;
    OC_TRY(oc_caffe_solver_read(solver, path, log, err));
    OC_TRY(parse_over(args, flags, *solver, log, err));
    OC_TRY(oc_caffe_solver_net(*solver, flags->weights, flags->train.dataset.names,
                               flags->train.seed, log, err));
    flags->train.dataset.names = NULL; /* the classes have them now */
    set_net(&flags->train, *solver);
    return OC_OK;
}

oc_status oci_train_parse(oci_args *args, oci_train_flags *flags, oc_caffe_solver **solver,
                          const oc_log *log, oc_error *err) {
    *solver = NULL;
    char **words = oc_calloc((size_t)args->count + 1, sizeof *words);
    oci_args again = *args;
    oc_status status = OC_OK;
    if (words == NULL) return oc_fail_nomem(err, 0, "the command line");
    memcpy(words, args->argv, (size_t)args->count * sizeof *words);
    oci_train_flags_init(flags);
    OC_GOTO(oci_options_parse(args, flags, err));
    if (flags->solver == NULL) {
        if (flags->weights != NULL)
            status =
                oc_fail(err, OC_EUSAGE,
                        "--weights goes with --solver; without one, --from starts from weights");
        goto done;
    }
    OC_GOTO(check_line(flags, err));
    again.argv = words;
    status = take_solver(&again, flags, solver, log, err);
done:
    oc_free(words);
    return status;
}
