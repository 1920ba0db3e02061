/* Stands where the machine has no fast loops: everything is left to resize_rows.c
 * and normalise.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/resize_int.h"

bool oci_resize_is_fast(void) {
    return false;
}

int oci_rows_horizontal3_fast(const oci_axis *axis, const uint8_t *src, size_t src_stride, int rows,
                              uint8_t *dst, size_t dst_stride) {
    (void)axis, (void)src, (void)src_stride, (void)rows, (void)dst, (void)dst_stride;
    return 0;
}

size_t oci_row_vertical_fast(const oci_axis *axis, int row, const uint8_t *src, size_t stride,
                             size_t count, uint8_t *dst) {
    (void)axis, (void)row, (void)src, (void)stride, (void)count, (void)dst;
    return 0;
}

size_t oci_normalise3_fast(const uint8_t *rgb, size_t count, const float scale[3],
                           const float offset[3], float *const planes[3]) {
    (void)rgb, (void)count, (void)scale, (void)offset, (void)planes;
    return 0;
}
