/* Batch norm as an affine map per channel (Ioffe & Szegedy 2015): statistics gathered chunk by
 * chunk, the map made from them, and the way back.
 *
 * With m = dy inside the clip, M values per channel, xc = x - mean, s = 1/sqrt(var + eps):
 *   dx = gamma s (m - sum(m)/M - xc s^2 sum(m xc)/M)  =  p m + q x + r
 * Sums are kept per image and added in image order, so that threads change nothing; they are taken
 * about a pivot (the running mean), which saves the variance from cancellation.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "engine/onednn/onednn_int.h"

oc_status oci_norm_init(oci_plan *plan, oci_norm *norm, oc_error *err) {
    size_t row = (size_t)norm->blocks * OCI_ROW, arrays = 8;
    size_t sums = (size_t)plan->images * row * 2;
    size_t bytes = arrays * row * sizeof(float) + sums * sizeof(double);
    OC_TRY(oci_take(plan, &norm->memory, &plan->held.weights, bytes, "batch norm", err));
    if (!norm->memory) return OC_OK;
    float **into[] = {&norm->a,     &norm->b, &norm->batch_mean, &norm->inv_std,
                      &norm->pivot, &norm->p, &norm->q,          &norm->r};
    norm->sums = norm->memory;
    float *next = (float *)(norm->sums + sums);
    for (size_t i = 0; i < arrays; i++, next += row) *into[i] = next;
    return OC_OK;
}

void oci_norm_clear(oci_norm *norm) {
    oc_free_aligned(norm->memory);
}

/* Per-channel vector of a parameter. */
static float *vector(const oci_plan *plan, float *slab, int param) {
    return slab + plan->places[param].offset;
}

/* Element of a (blocks, OCI_ROW) array for channel c; its twin lies `lanes` behind when B is 8. */
static void put(const oci_plan *plan, float *rows, int c, float value) {
    float *row = rows + (c / plan->lanes) * OCI_ROW + c % plan->lanes;
    for (int l = 0; l + plan->lanes <= OCI_ROW; l += plan->lanes) row[l] = value;
}

/* Sum over images, and over twins, of sums' column `which` for channel c. */
static double total(const oci_plan *plan, const oci_norm *norm, int which, int c) {
    size_t image = (size_t)norm->blocks * 2 * OCI_ROW;
    const double *at =
        norm->sums + ((size_t)(c / plan->lanes) * 2 + (size_t)which) * OCI_ROW + c % plan->lanes;
    double sum = 0;
    for (int i = 0; i < plan->images; i++)
        for (int l = 0; l + plan->lanes <= OCI_ROW; l += plan->lanes)
            sum += at[(size_t)i * image + (size_t)l];
    return sum;
}

static double count_of(const oci_plan *plan, const oci_norm *norm) {
    const oci_value *v = &plan->values[norm->value];
    return (double)plan->images * v->h * v->w;
}

void oci_norm_begin(oci_plan *plan, oci_norm *norm) {
    const float *mean = vector(plan, plan->weights, norm->mean);
    for (int c = 0; c < norm->channels; c++) put(plan, norm->pivot, c, mean[c]);
}

double *oci_norm_sums(const oci_norm *norm, int image, int block) {
    size_t at = (size_t)image * (size_t)norm->blocks + (size_t)block;
    double *sums = norm->sums + at * 2 * OCI_ROW;
    memset(sums, 0, 2 * OCI_ROW * sizeof *sums);
    return sums;
}

void oci_norm_gather(oci_plan *plan, oci_norm *norm, int first, int n) {
    const oci_value *y = &plan->values[norm->value];
    const float *x = plan->values[y->base].data + (size_t)first * y->image;
    size_t row = y->image / (size_t)y->blocks;
#pragma omp parallel for collapse(2)
    for (int i = 0; i < n; i++)
        for (int k = 0; k < y->blocks; k++) {
            double *sums = oci_norm_sums(norm, first + i, k);
            oci_row_moments(x + (size_t)i * y->image + (size_t)k * row, norm->pivot + k * OCI_ROW,
                            row, sums, sums + OCI_ROW);
        }
}

static void map_from(oci_plan *plan, oci_norm *norm, int c, float mean, float var) {
    float inv_std = 1.f / sqrtf(var + norm->epsilon);
    float a = vector(plan, plan->weights, norm->scale)[c] * inv_std;
    put(plan, norm->batch_mean, c, mean);
    put(plan, norm->inv_std, c, inv_std);
    put(plan, norm->a, c, a);
    put(plan, norm->b, c, vector(plan, plan->weights, norm->shift)[c] - mean * a);
}

void oci_norm_finish(oci_plan *plan, oci_norm *norm) {
    float *mean = vector(plan, plan->weights, norm->mean);
    float *var = vector(plan, plan->weights, norm->var);
    double m = count_of(plan, norm), unbiased = m > 1 ? m / (m - 1) : 1;
    for (int c = 0; c < norm->channels; c++) {
        double d = total(plan, norm, 0, c) / m;
        double batch_var = total(plan, norm, 1, c) / m - d * d;
        double batch_mean = (double)mean[c] + d;
        if (batch_var < 0) batch_var = 0;
        map_from(plan, norm, c, (float)batch_mean, (float)batch_var);
        if (plan->looking) continue;
        mean[c] += norm->momentum * ((float)batch_mean - mean[c]);
        var[c] += norm->momentum * ((float)(batch_var * unbiased) - var[c]);
    }
}

void oci_norm_running(oci_plan *plan, oci_norm *norm) {
    const float *mean = vector(plan, plan->weights, norm->mean);
    const float *var = vector(plan, plan->weights, norm->var);
    for (int c = 0; c < norm->channels; c++) map_from(plan, norm, c, mean[c], var[c]);
}

void oci_norm_reduce(oci_plan *plan, oci_norm *norm, const float *dy, int first, int n) {
    const oci_value *y = &plan->values[norm->value];
    const float *x = plan->values[y->base].data + (size_t)first * y->image;
    oci_clip clip = oci_clip_of(y->act);
    size_t row = y->image / (size_t)y->blocks;
#pragma omp parallel for collapse(2)
    for (int i = 0; i < n; i++)
        for (int k = 0; k < y->blocks; k++) {
            size_t at = (size_t)i * y->image + (size_t)k * row, m = (size_t)k * OCI_ROW;
            double *sums = oci_norm_sums(norm, first + i, k);
            oci_row_grad_moments(dy + at, x + at, (oci_row_map){norm->a + m, norm->b + m, clip},
                                 norm->batch_mean + m, row, sums, sums + OCI_ROW);
        }
}

void oci_norm_backward(oci_plan *plan, oci_norm *norm) {
    double m = count_of(plan, norm);
    float *dscale = vector(plan, plan->grads, norm->scale);
    float *dshift = vector(plan, plan->grads, norm->shift);
    bool trains_scale = plan->places[norm->scale].trained;
    bool trains_shift = plan->places[norm->shift].trained;
    for (int c = 0; c < norm->channels; c++) {
        size_t at = (size_t)(c / plan->lanes) * OCI_ROW + (size_t)(c % plan->lanes);
        double s1 = total(plan, norm, 0, c), s2 = total(plan, norm, 1, c);
        double a = (double)norm->a[at], inv = (double)norm->inv_std[at];
        if (trains_scale) dscale[c] = (float)(s2 * inv);
        if (trains_shift) dshift[c] = (float)s1;
        double q = norm->batch_stats ? -a * inv * inv * s2 / m : 0;
        double r = norm->batch_stats ? -a * s1 / m - q * (double)norm->batch_mean[at] : 0;
        put(plan, norm->p, c, (float)a);
        put(plan, norm->q, c, (float)q);
        put(plan, norm->r, c, (float)r);
    }
}
