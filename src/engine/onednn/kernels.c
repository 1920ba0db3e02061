/* The engine's own loops: batch norm, clip, addition and their gradients over rows of blocked
 * floats.
 *
 * The library has batch norm and element-wise primitives, but each walks whole tensors; fused and
 * run chunk by chunk these loops move less than half the bytes (ARCHITECTURE.md, "The engine").
 * Every loop handles 16 floats at a time with 16-lane coefficients: two pixels of 8 lanes or one of
 * 16. Sums are kept per lane in float for a short run, then in double. No order depends on threads.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/onednn/onednn_int.h"

#include <math.h>
#include <string.h>

enum { RUN = 64 * OCI_ROW }; /* floats summed in single precision before they go to double */

oci_clip oci_clip_of(oci_act act) {
    switch (act) {
    case OCI_ACT_RELU:
        return (oci_clip){0.f, INFINITY};
    case OCI_ACT_RELU6:
        return (oci_clip){0.f, 6.f};
    default:
        return (oci_clip){-INFINITY, INFINITY};
    }
}

/* Written so that a NaN stays one: neither comparison holds for it. */
static inline float clipped(float v, oci_clip clip) {
    v = v < clip.low ? clip.low : v;
    return v > clip.high ? clip.high : v;
}

/* The gradient passes strictly inside the clip, as torch has it. */
static inline float passed(float dy, float v, oci_clip clip) {
    return v > clip.low && v < clip.high ? dy : 0.f;
}

OC_SIMD void oci_row_affine(float *restrict y, const float *restrict x, const float *restrict a,
                            const float *restrict b, oci_clip clip, size_t count) {
    size_t i = 0;
    for (; i + OCI_ROW <= count; i += OCI_ROW)
        for (int l = 0; l < OCI_ROW; l++) y[i + l] = clipped(a[l] * x[i + l] + b[l], clip);
    for (int l = 0; i + l < count; l++) y[i + l] = clipped(a[l] * x[i + l] + b[l], clip);
}

OC_SIMD void oci_row_add(float *restrict z, const float *x1, const float *restrict a1,
                         const float *x2, const float *restrict a2, const float *restrict b,
                         oci_clip clip, size_t count) {
    size_t i = 0;
    for (; i + OCI_ROW <= count; i += OCI_ROW)
        for (int l = 0; l < OCI_ROW; l++)
            z[i + l] = clipped(a1[l] * x1[i + l] + a2[l] * x2[i + l] + b[l], clip);
    for (int l = 0; i + l < count; l++)
        z[i + l] = clipped(a1[l] * x1[i + l] + a2[l] * x2[i + l] + b[l], clip);
}

OC_SIMD void oci_row_moments(const float *restrict x, const float *restrict pivot, size_t count,
                             double *restrict s1, double *restrict s2) {
    for (size_t start = 0; start < count; start += RUN) {
        size_t end = start + RUN < count ? start + RUN : count, i = start;
        float f1[OCI_ROW] = {0}, f2[OCI_ROW] = {0};
        for (; i + OCI_ROW <= end; i += OCI_ROW)
            for (int l = 0; l < OCI_ROW; l++) {
                float d = x[i + l] - pivot[l];
                f1[l] += d;
                f2[l] += d * d;
            }
        for (int l = 0; i + l < end; l++) {
            float d = x[i + l] - pivot[l];
            f1[l] += d;
            f2[l] += d * d;
        }
        for (int l = 0; l < OCI_ROW; l++) {
            s1[l] += f1[l];
            s2[l] += f2[l];
        }
    }
}

OC_SIMD void oci_row_grad_moments(const float *restrict dy, const float *restrict x,
                                  const float *restrict a, const float *restrict b, oci_clip clip,
                                  const float *restrict pivot, size_t count, double *restrict s1,
                                  double *restrict s2) {
    for (size_t start = 0; start < count; start += RUN) {
        size_t end = start + RUN < count ? start + RUN : count, i = start;
        float f1[OCI_ROW] = {0}, f2[OCI_ROW] = {0};
        for (; i + OCI_ROW <= end; i += OCI_ROW)
            for (int l = 0; l < OCI_ROW; l++) {
                float m = passed(dy[i + l], a[l] * x[i + l] + b[l], clip);
                f1[l] += m;
                f2[l] += m * (x[i + l] - pivot[l]);
            }
        for (int l = 0; i + l < end; l++) {
            float m = passed(dy[i + l], a[l] * x[i + l] + b[l], clip);
            f1[l] += m;
            f2[l] += m * (x[i + l] - pivot[l]);
        }
        for (int l = 0; l < OCI_ROW; l++) {
            s1[l] += f1[l];
            s2[l] += f2[l];
        }
    }
}

OC_SIMD void oci_row_norm_grad(float *restrict dx, const float *restrict dy,
                               const float *restrict x, const float *restrict a,
                               const float *restrict b, oci_clip clip, const float *restrict p,
                               const float *restrict q, const float *restrict r, size_t count) {
    size_t i = 0;
    for (; i + OCI_ROW <= count; i += OCI_ROW)
        for (int l = 0; l < OCI_ROW; l++) {
            float m = passed(dy[i + l], a[l] * x[i + l] + b[l], clip);
            dx[i + l] = p[l] * m + q[l] * x[i + l] + r[l];
        }
    for (int l = 0; i + l < count; l++) {
        float m = passed(dy[i + l], a[l] * x[i + l] + b[l], clip);
        dx[i + l] = p[l] * m + q[l] * x[i + l] + r[l];
    }
}

OC_SIMD void oci_row_mask(float *dx, const float *dy, const float *restrict y, oci_clip clip,
                          size_t count) {
    for (size_t i = 0; i < count; i++) dx[i] = passed(dy[i], y[i], clip);
}

OC_SIMD void oci_row_accumulate(float *restrict dst, const float *restrict src, size_t count) {
    for (size_t i = 0; i < count; i++) dst[i] += src[i];
}

void oci_accumulate(float *dst, const float *src, size_t count) {
    size_t rows = (count + RUN - 1) / RUN;
#pragma omp parallel for
    for (size_t i = 0; i < rows; i++) {
        size_t at = i * RUN;
        oci_row_accumulate(dst + at, src + at, count - at < RUN ? count - at : RUN);
    }
}

void oci_block_image(float *blocked, const float *plain, int c, size_t hw, int lanes) {
    int blocks = (c + lanes - 1) / lanes;
    for (int k = 0; k < blocks; k++) {
        int full = c - k * lanes < lanes ? c - k * lanes : lanes;
        float *to = blocked + (size_t)k * hw * (size_t)lanes;
        if (full < lanes) memset(to, 0, hw * (size_t)lanes * sizeof *to);
        for (int l = 0; l < full; l++) {
            const float *from = plain + (size_t)(k * lanes + l) * hw;
            for (size_t s = 0; s < hw; s++) to[s * (size_t)lanes + (size_t)l] = from[s];
        }
    }
}

void oci_unblock_image(float *plain, const float *blocked, int c, size_t hw, int lanes) {
    for (int ch = 0; ch < c; ch++) {
        const float *from = blocked + (size_t)(ch / lanes) * hw * (size_t)lanes + ch % lanes;
        float *to = plain + (size_t)ch * hw;
        for (size_t s = 0; s < hw; s++) to[s] = from[s * (size_t)lanes];
    }
}
