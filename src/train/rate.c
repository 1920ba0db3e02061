/* How fast a head alone may learn: the default rate, or less where its features are long.
 *
 * A head on fixed features x is a softmax regression. The curvature of its loss is at most half the
 * largest eigenvalue of E[x x'] (Bohning, "Multinomial Logistic Regression Algorithm", 1992), which
 * is at most E|x|^2: the longer the features, the smaller the step that still goes down. Features
 * behind a batch norm and a pooling are a few hundred long (squared: mobilenet_v2 440 to 680);
 * those of squeezenet, without norms, 5,000 to 13,000, and at the default rate its last ReLU dies
 * in the first epoch.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "train/train_int.h"

static const double USUAL_SQUARE = 1000; /* which the default rate is for */
enum { MEASURED_BATCHES = 8 };

/* A convolution as a head is pooled behind it: what counts is the mean over all places. */
static double square_of(const float *x, size_t channels, size_t places, bool pooled) {
    double sum = 0;
    for (size_t c = 0; c < channels; c++, x += places) {
        double mean = 0, square = 0;
        for (size_t k = 0; k < places; k++) {
            mean += (double)x[k];
            square += (double)x[k] * (double)x[k];
        }
        mean /= (double)places;
        sum += pooled ? mean * mean : square;
    }
    return sum;
}

/* Over the first batches of the stage's first epoch, wherever the run goes on from. */
static oc_status measure(oci_stage *stage, oci_session *s, float sum[2], oc_error *err) {
    const oc_attrs *in = &oc_graph_node(stage->graph, 0)->attrs;
    bool pooled = oc_graph_node(stage->graph, oc_graph_head(stage->graph))->op == OC_OP_CONV;
    size_t channels = (size_t)in->channels, places = stage->feature_width / channels;
    oci_batch batch;
    OC_TRY(oci_feed_start(stage->train_feed, (uint32_t)stage->first, 0, err));
    for (int k = 0; k < MEASURED_BATCHES && !oci_session_interrupted(s); k++) {
        OC_TRY(oci_feed_next(stage->train_feed, &batch, &s->meter.times, err));
        for (int i = 0; i < batch.n; i++)
            sum[0] += (float)square_of(batch.input + (size_t)i * stage->feature_width, channels,
                                       places, pooled);
        sum[1] += (float)batch.n;
        if (batch.n == 0) break;
    }
    return oc_dist_size(s->dist) > 1 ? oc_dist_sum(s->dist, sum, 2, err) : OC_OK;
}

/* Into the model, which tells what it was trained with. */
static oc_status write_down(oci_session *s, double lr, oc_error *err) {
    json_t *options = json_object_get(s->model->origin, "options");
    if (options == NULL || json_object_set_new(options, "head_lr", oc_json_real(lr)) == 0)
        return OC_OK;
    return oc_fail_nomem(err, 0, "the head's learning rate");
}

oc_status oci_stage_slow_down(oci_stage *stage, oci_session *s, oc_error *err) {
    const oci_settings *t = &s->settings;
    float sum[2] = {0}; /* of squares, of images */
    stage->rate = 1;
    if (!stage->head_only || s->options->lr >= 0 || t->optimizer != OC_SGD) return OC_OK;
    OC_TRY(measure(stage, s, sum, err));
    double square = sum[1] > 0 ? (double)(sum[0] / sum[1]) : 0;
    if (!isfinite(square) || square <= USUAL_SQUARE) return OC_OK; /* the loss will tell */
    stage->rate = USUAL_SQUARE / square;
    oc_info(oci_session_log(s),
            "the head learns at %.2g, not at %g: its features are long (squared %.3g on average)",
            t->head_lr * stage->rate, t->head_lr, square);
    return write_down(s, t->head_lr * stage->rate, err);
}
