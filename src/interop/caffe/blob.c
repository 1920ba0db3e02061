/* Blobs: what their shape is, and their values as floats.
 *
 * Values come as one run of floats, as doubles, or in pieces; never through a copy of the whole.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/caffe_int.h"
#include "interop/wire_int.h"

enum { CHUNK = 1 << 20 }; /* values */

oc_status oci_caffe_blob_shape(const oci_proto *blob, const char *what, oc_shape *out,
                               oc_error *err) {
    static const char *const sides[] = {"num", "channels", "height", "width"};
    const oci_proto_value *v = NULL;
    size_t count;
    *out = (oc_shape){0};
    if (oci_proto_has(blob, "shape")) {
        const oci_proto *shape = oci_proto_sub(blob, "shape");
        if (oci_proto_count(shape, "dim") > OC_MAX_RANK) {
            return oc_fail(err, OC_EFORMAT, "%s: %s has %zu dimensions, at most %d are allowed",
                           blob->where, what, oci_proto_count(shape, "dim"), OC_MAX_RANK);
        }
        while ((v = oci_proto_next(shape, "dim", v)) != NULL) out->dim[out->rank++] = v->as.integer;
    } else {
        for (; out->rank < 4; out->rank++)
            out->dim[out->rank] = oci_proto_int(blob, sides[out->rank]);
    }
    if (oc_shape_count(out, &count)) return OC_OK;
    char text[OC_SHAPE_TEXT];
    return oc_fail(err, OC_EFORMAT, "%s: %s has the shape %s, which cannot be", blob->where, what,
                   oc_shape_text(text, out));
}

static oc_status read_values(const oci_proto_run *run, bool floats, size_t first, size_t count,
                             float *dst, oc_error *err) {
    const uint8_t *at = run->bytes + first * run->stride;
    size_t size = floats ? sizeof(float) : sizeof(double);
    oc_dtype dtype = floats ? OC_F32 : OC_F64;
    if (run->stride == size) return oc_tensor_to_f32(dst, at, dtype, count, err);
    for (size_t i = 0; i < count; i++)
        OC_TRY(oc_tensor_to_f32(dst + i, at + i * run->stride, dtype, 1, err));
    return OC_OK;
}

static oc_status read_run(const oci_proto_run *run, bool floats, const oc_map *map, float *dst,
                          oc_error *err) {
    for (size_t i = 0; i < run->count; i += CHUNK) {
        size_t count = run->count - i < CHUNK ? run->count - i : CHUNK;
        OC_TRY(read_values(run, floats, i, count, dst + i, err));
        if (map != NULL) oc_map_forget(map, run->bytes + i * run->stride, count * run->stride);
    }
    return OC_OK;
}

oc_status oci_caffe_blob_read(const oci_proto *blob, const oc_map *map, const char *what,
                              size_t count, float *dst, oc_error *err) {
    bool floats = !oci_proto_has(blob, "double_data");
    const char *field = floats ? "data" : "double_data";
    const oci_proto_value *v = NULL;
    size_t found = 0;
    while ((v = oci_proto_next(blob, field, v)) != NULL) found += v->as.run.count;
    if (found != count) {
        return oc_fail(err, OC_EFORMAT, "%s: %s holds %zu values, its shape asks for %zu",
                       blob->where, what, found, count);
    }
    while ((v = oci_proto_next(blob, field, v)) != NULL) {
        OC_TRY(read_run(&v->as.run, floats, map, dst, err));
        dst += v->as.run.count;
    }
    return OC_OK;
}
