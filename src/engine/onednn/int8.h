/* Inference over bytes: the units that a quantised network is made of where its values are levels
 * of quantize nodes (nn.h), and the walk that finds them is in int8_fuse.c.
 *
 * A value of bytes is (n, h, w, c): what the library's kernels for bytes want. What cannot work on
 * bytes reads floats made from them, so that every quantised graph runs, with the same results but
 * for the rounding of sums.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ENGINE_ONEDNN_INT8_H
#define OC_ENGINE_ONEDNN_INT8_H

#include "engine/onednn/onednn_int.h"

/* ---- convolutions and dense layers (int8_conv.c): signed weights over unsigned bytes -------- */

/* Images as rows: a dense layer is a 1 x 1 convolution whose picture is the batch. `images` of
 * source (c, h, w) give (out, out_h, out_w). */
oci_conv_shape oci_byte_conv_shape(const oc_node *node, int images, const oci_value *in,
                                   const oci_value *out);
OC_MUST_CHECK oc_status oci_byte_conv_init(oci_plan *plan, oci_unit *unit, oc_error *err);
void oci_byte_conv_free(oci_byte_conv *c);
const char *oci_byte_conv_kernel(const oci_unit *unit);
/* OC_EMISMATCH where weights are not whole numbers of steps, or pairs of them could overflow. */
OC_MUST_CHECK oc_status oci_byte_conv_import(oci_plan *plan, oci_unit *unit, const oc_tensors *set,
                                             oc_error *err);
oc_status oci_byte_conv_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);

/* ---- the small units (int8.c) --------------------------------------------------------------- */

oc_status oci_quantize_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_restore_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_byte_add_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);
oc_status oci_byte_max_pool_forward(oci_plan *plan, oci_unit *unit, int first, int n,
                                    oc_error *err);
oc_status oci_byte_global_pool_forward(oci_plan *plan, oci_unit *unit, int first, int n,
                                       oc_error *err);
oc_status oci_byte_concat_forward(oci_plan *plan, oci_unit *unit, int first, int n, oc_error *err);

/* ---- loops over rows (int8_rows.c) ---------------------------------------------------------- */

/* The levels that an act leaves: relu cuts at zero's level, relu6 at that of 6 too. */
typedef struct oci_levels {
    float low, high; /* within 0..255 */
} oci_levels;
oci_levels oci_levels_of(const oci_value *v);

/* `pixels` of `lanes` floats each, next to each other, into bytes `stride` apart:
 * level = clamp(x * inverse + zero). `used` lanes of each pixel are written. */
void oci_row_to_bytes(uint8_t *to, size_t stride, const float *from, int lanes, int used,
                      size_t pixels, float inverse, int zero);
void oci_row_from_bytes(float *to, int lanes, const uint8_t *from, size_t stride, int used,
                        size_t pixels, float step, int zero);
/* z = clamp(a x + b y + c), between the levels. */
void oci_row_add_bytes(uint8_t *z, const uint8_t *x, const uint8_t *y, float a, float b, float c,
                       oci_levels levels, size_t count);
void oci_row_max_bytes(uint8_t *best, const uint8_t *x, size_t count); /* best = max(best, x) */
void oci_row_sum_bytes(int32_t *sum, const uint8_t *x, size_t count);  /* sum += x */

#endif
