/* Optimisers: one pass over a range of weights, their gradients and their state.
 *
 * Every element is on its own, and the arithmetic of an element does not depend on how the range is
 * cut: the same bits for any team. The leaves are compiled for several instruction sets.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <float.h>
#include <math.h>
#include <string.h>

#include "engine/engine_int.h"

enum { CHUNK = 16384, SUM_CHUNK = 8192, SUM_GROUP = 256, LANES = 8 };

static const char *const WORDS[] = {
#define OPTIMIZER_WORD(name, word, slots) word,
    OC_OPTIMIZER_MAP(OPTIMIZER_WORD)
#undef OPTIMIZER_WORD
};

const char *oc_optimizer_name(oc_optimizer o) {
    return (unsigned)o < OC_OPTIMIZER_COUNT ? WORDS[o] : "unknown";
}

int oci_optimizer_slots(oc_optimizer o) {
    static const int slots[] = {
#define OPTIMIZER_SLOTS(name, word, slots) slots,
        OC_OPTIMIZER_MAP(OPTIMIZER_SLOTS)
#undef OPTIMIZER_SLOTS
    };
    return slots[o];
}

bool oc_optimizer_parse(const char *word, oc_optimizer *out) {
    for (int i = 0; i < OC_OPTIMIZER_COUNT; i++) {
        if (strcmp(word, WORDS[i]) != 0) continue;
        *out = (oc_optimizer)i;
        return true;
    }
    return false;
}

/* Everything that is the same for all elements of a range. */
typedef struct step_size {
    float scale; /* of the gradient as read */
    float lr, l1, l2;
    float keep, add;   /* moving averages: s = keep*s + add*... */
    float keep2, add2; /* the second one of adam and adamw */
    float epsilon;
    float ahead;      /* sgd: share of the velocity in the step */
    float now;        /* sgd: share of the gradient that Nesterov adds; else 0 */
    float correction; /* adam, adamw: 1/sqrt(1 - beta2^step) */
    float shrink;     /* adamw: 1 - lr*l2; adam: 1 */
} step_size;

static inline float full_gradient(const step_size *s, float g, float w) {
    float sign = (float)((w > 0) - (w < 0));
    return g * s->scale + s->l2 * w + s->l1 * sign;
}

OC_SIMD static void sgd_leaf(const step_size *s, float *restrict w, const float *restrict g,
                             float *restrict v, size_t count) {
    for (size_t i = 0; i < count; i++) {
        float d = full_gradient(s, g[i], w[i]);
        v[i] = s->keep * v[i] + s->add * d;
        w[i] -= s->lr * (s->now * d + s->ahead * v[i]);
    }
}

/* adagrad (keep = add = 1) and rmsprop. */
OC_SIMD static void scaled_leaf(const step_size *s, float *restrict w, const float *restrict g,
                                float *restrict sum, size_t count) {
    for (size_t i = 0; i < count; i++) {
        float d = full_gradient(s, g[i], w[i]);
        sum[i] = s->keep * sum[i] + s->add * (d * d);
        w[i] -= s->lr * d / (sqrtf(sum[i]) + s->epsilon);
    }
}

OC_SIMD static void adam_leaf(const step_size *s, float *restrict w, const float *restrict g,
                              float *restrict m, float *restrict v, size_t count) {
    for (size_t i = 0; i < count; i++) {
        float d = full_gradient(s, g[i], w[i]);
        m[i] = s->keep * m[i] + s->add * d;
        v[i] = s->keep2 * v[i] + s->add2 * (d * d);
        w[i] = s->shrink * w[i] - s->lr * m[i] / (sqrtf(v[i]) * s->correction + s->epsilon);
    }
}

OC_SIMD static void adadelta_leaf(const step_size *s, float *restrict w, const float *restrict g,
                                  float *restrict sum, float *restrict moved, size_t count) {
    for (size_t i = 0; i < count; i++) {
        float d = full_gradient(s, g[i], w[i]);
        sum[i] = s->keep * sum[i] + s->add * (d * d);
        d *= sqrtf((moved[i] + s->epsilon) / (sum[i] + s->epsilon));
        moved[i] = s->keep * moved[i] + s->add * (d * d);
        w[i] -= s->lr * d;
    }
}

/* Caffe's velocity has the rate of each step in it: (1+momentum)*v - momentum*(v before) is
 * momentum*v + lr*g. */
static void set_sgd(step_size *s, const oc_update *u) {
    float rate = u->caffe ? s->lr : 1;
    if (u->caffe) s->lr = 1;
    s->keep = u->step == 1 ? 0 : u->momentum;
    s->add = rate;
    s->now = u->nesterov ? rate : 0;
    s->ahead = u->nesterov ? u->momentum : 1;
}

/* adamw's decay is decoupled: it shrinks the weight and leaves the moments alone. */
static void set_adam(step_size *s, const oc_update *u) {
    double step = (double)u->step;
    double root = sqrt(1 - pow((double)u->beta2, step));
    if (u->optimizer == OC_ADAMW) {
        s->shrink = 1 - s->lr * s->l2;
        s->l2 = 0;
    }
    if (u->caffe) s->epsilon = (float)((double)s->epsilon / root);
    s->keep = u->beta1, s->add = 1 - u->beta1;
    s->keep2 = u->beta2, s->add2 = 1 - u->beta2;
    s->lr = (float)((double)s->lr / (1 - pow((double)u->beta1, step)));
    s->correction = (float)(1 / root);
}

static step_size sizes(const oc_update *u, float lr_scale, float decay_scale, float grad_scale) {
    step_size s = {.scale = grad_scale,
                   .lr = u->lr * lr_scale,
                   .l1 = u->l1 * decay_scale,
                   .l2 = u->l2 * decay_scale,
                   .shrink = 1,
                   .epsilon = u->epsilon};
    switch (u->optimizer) {
    case OC_SGD:
        set_sgd(&s, u);
        break;
    case OC_RMSPROP:
    case OC_ADADELTA:
        s.keep = u->rho, s.add = 1 - u->rho;
        break;
    case OC_ADAM:
    case OC_ADAMW:
        set_adam(&s, u);
        break;
    default:
        s.keep = s.add = 1;
        break;
    }
    return s;
}

void oci_update_range(const oc_update *u, float *w, const float *g, float *s0, float *s1,
                      size_t count, float lr_scale, float decay_scale, float grad_scale) {
    step_size s = sizes(u, lr_scale, decay_scale, grad_scale);
#pragma omp parallel for schedule(static) if (count > CHUNK)
    for (size_t i = 0; i < count; i += CHUNK) {
        size_t some = count - i < CHUNK ? count - i : CHUNK;
        switch (u->optimizer) {
        case OC_SGD:
            sgd_leaf(&s, w + i, g + i, s0 + i, some);
            break;
        case OC_ADAM:
        case OC_ADAMW:
            adam_leaf(&s, w + i, g + i, s0 + i, s1 + i, some);
            break;
        case OC_ADADELTA:
            adadelta_leaf(&s, w + i, g + i, s0 + i, s1 + i, some);
            break;
        default:
            scaled_leaf(&s, w + i, g + i, s0 + i, some);
            break;
        }
    }
}

OC_SIMD static double sum_leaf(const float *x, size_t count) {
    double lane[LANES] = {0}, sum = 0;
    size_t whole = count - count % LANES;
    for (size_t i = 0; i < whole; i += LANES) {
        for (size_t k = 0; k < LANES; k++) lane[k] += (double)x[i + k] * (double)x[i + k];
    }
    for (size_t i = whole; i < count; i++) sum += (double)x[i] * (double)x[i];
    for (size_t k = 0; k < LANES; k++) sum += lane[k];
    return sum;
}

double oci_sum_squares(const float *x, size_t count) {
    double sum = 0;
    size_t chunks = (count + SUM_CHUNK - 1) / SUM_CHUNK;
    for (size_t first = 0; first < chunks; first += SUM_GROUP) {
        double part[SUM_GROUP];
        size_t some = chunks - first < SUM_GROUP ? chunks - first : SUM_GROUP;
#pragma omp parallel for schedule(static) if (some > 1)
        for (size_t k = 0; k < some; k++) {
            size_t at = (first + k) * SUM_CHUNK;
            part[k] = sum_leaf(x + at, count - at < SUM_CHUNK ? count - at : SUM_CHUNK);
        }
        for (size_t k = 0; k < some; k++) sum += part[k];
    }
    return sum;
}

float oci_clip_scale(const oc_update *update, double norm) {
    double limit = (double)update->clip_norm;
    return limit > 0 && norm > limit ? (float)(limit / norm) : 1;
}

float oci_renormalise_scale(double norm) {
    return norm > (double)FLT_MIN ? (float)(1 / norm) : 1;
}
