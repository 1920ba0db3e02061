/* The public C API over one model and one predictor.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "ocellus/ocellus.h"

#include <stdatomic.h>

#include "predict/predict.h"

enum { MAX_FILE_BYTES = 256 << 20 };

/* A model and the classifiers that use it. */
typedef struct common {
    oc_model *model;
    atomic_int others; /* classifiers but the first */
} common;

struct oc_classifier {
    common *common;
    const oc_model *model; /* the same */
    oc_predictor *predictor;
    oc_ranked *ranked; /* (classes) */
};

const char *oc_version(void) {
    return OC_VERSION;
}

static oc_status open_into(oc_classifier *c, const char *folder,
                           const oc_classifier_options *options, oc_error *err) {
    c->common = oc_calloc(1, sizeof *c->common);
    if (c->common == NULL) return oc_fail_nomem(err, sizeof *c->common, folder);
    OC_TRY(oc_model_load(&c->common->model, folder, err));
    c->model = c->common->model;
    size_t classes = c->model->classes.count;
    c->ranked = oc_calloc(classes, sizeof *c->ranked);
    if (c->ranked == NULL) return oc_fail_nomem(err, classes * sizeof *c->ranked, folder);
    return oc_predictor_new(&c->predictor, c->model, options->engine, options->threads, 1, err);
}

oc_status oc_classifier_open(oc_classifier **out, const char *folder,
                             const oc_classifier_options *options, oc_error *err) {
    static const oc_classifier_options defaults = {0};
    *out = NULL;
    oc_classifier *c = oc_calloc(1, sizeof *c);
    if (c == NULL) return oc_fail_nomem(err, sizeof *c, "a classifier");
    oc_status status = open_into(c, folder, options != NULL ? options : &defaults, err);
    if (status == OC_OK) {
        *out = c;
    } else {
        oc_classifier_close(c);
    }
    return status;
}

static oc_status share_into(oc_classifier *c, const oc_classifier *with, oc_error *err) {
    size_t classes = with->model->classes.count;
    c->common = with->common;
    c->model = with->model;
    atomic_fetch_add(&c->common->others, 1);
    c->ranked = oc_calloc(classes, sizeof *c->ranked);
    if (c->ranked == NULL) return oc_fail_nomem(err, classes * sizeof *c->ranked, "a classifier");
    return oc_predictor_share(&c->predictor, with->predictor, err);
}

oc_status oc_classifier_share(oc_classifier **out, const oc_classifier *with, oc_error *err) {
    *out = NULL;
    oc_classifier *c = oc_calloc(1, sizeof *c);
    if (c == NULL) return oc_fail_nomem(err, sizeof *c, "a classifier");
    oc_status status = share_into(c, with, err);
    if (status == OC_OK) {
        *out = c;
    } else {
        oc_classifier_close(c);
    }
    return status;
}

/* The last classifier frees what they have in common. */
static void leave(common *c) {
    if (c == NULL || atomic_fetch_sub(&c->others, 1) > 0) return;
    oc_model_free(c->model);
    oc_free(c);
}

void oc_classifier_close(oc_classifier *classifier) {
    if (classifier == NULL) return;
    oc_predictor_free(classifier->predictor);
    oc_free(classifier->ranked);
    leave(classifier->common);
    oc_free(classifier);
}

size_t oc_classifier_classes(const oc_classifier *classifier) {
    return classifier->model->classes.count;
}

const char *oc_classifier_label(const oc_classifier *classifier, size_t i) {
    const oc_classes *classes = &classifier->model->classes;
    return i < classes->count ? classes->items[i].label : NULL;
}

double oc_classifier_threshold(const oc_classifier *classifier) {
    return classifier->model->threshold;
}

static oc_guess guess_of(const oc_model *model, const oc_ranked *ranked) {
    const oc_class *class = &model->classes.items[ranked->label];
    return (oc_guess){.label = class->label,
                      .name = class->display != NULL ? class->display : class->label,
                      .id = class->id,
                      .p = ranked->p};
}

oc_status oc_classify_bytes(oc_classifier *classifier, const void *bytes, size_t size, int most,
                            oc_guess *guesses, int *count, oc_error *err) {
    size_t classes = classifier->model->classes.count;
    *count = 0;
    int k = most > 0 && (size_t)most > classes ? (int)classes : most;
    OC_TRY(oc_predict_bytes(classifier->predictor, bytes, size, k, classifier->ranked, err));
    for (int i = 0; i < k; i++) guesses[i] = guess_of(classifier->model, &classifier->ranked[i]);
    *count = k;
    return OC_OK;
}

oc_status oc_classify_file(oc_classifier *classifier, const char *path, int most, oc_guess *guesses,
                           int *count, oc_error *err) {
    char *bytes = NULL;
    size_t size = 0;
    *count = 0;
    OC_TRY(oc_file_read(path, MAX_FILE_BYTES, &bytes, &size, err));
    oc_status status = oc_classify_bytes(classifier, bytes, size, most, guesses, count, err);
    if (status != OC_OK) status = oc_error_context(err, status, "%s", path);
    oc_free(bytes);
    return status;
}
