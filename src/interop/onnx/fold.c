/* Values that are known before any picture is seen: weights as they are stored, and the arithmetic
 * on shapes that exporters write around a reshape.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/onnx/import_int.h"

enum { MAX_FOLDED = 1 << 24 }; /* entries of a result that is computed */

/* ---- a tensor as a value --------------------------------------------------------------------- */

static size_t bytes_of(int type) {
    switch (type) {
    case OCI_ONNX_DOUBLE:
    case OCI_ONNX_INT64:
        return 8;
    case OCI_ONNX_FLOAT:
    case OCI_ONNX_INT32:
        return 4;
    case OCI_ONNX_FLOAT16:
    case OCI_ONNX_BFLOAT16:
        return 2;
    case OCI_ONNX_INT8:
    case OCI_ONNX_UINT8:
    case OCI_ONNX_BOOL:
        return 1;
    default:
        return 0;
    }
}

static bool is_real(int type) {
    return type == OCI_ONNX_FLOAT || type == OCI_ONNX_DOUBLE || type == OCI_ONNX_FLOAT16 ||
           type == OCI_ONNX_BFLOAT16;
}

static oc_dtype dtype_of(int type) {
    if (type == OCI_ONNX_DOUBLE) return OC_F64;
    if (type == OCI_ONNX_FLOAT16) return OC_F16;
    return type == OCI_ONNX_BFLOAT16 ? OC_BF16 : OC_F32;
}

static int64_t whole_at(const uint8_t *p, int type) {
    uint64_t bits = 0;
    size_t size = bytes_of(type);
    for (size_t i = 0; i < size; i++) bits |= (uint64_t)p[i] << (8 * i);
    if (type == OCI_ONNX_INT8) return (int8_t)bits;
    if (type == OCI_ONNX_INT32) return (int32_t)bits;
    return (int64_t)bits;
}

static oc_status check_values(const oci_import *x, const oci_onnx_tensor *t, oc_error *err) {
    size_t size = bytes_of(t->type), bytes = 0;
    if (size == 0)
        return oc_fail(err, OC_EUNSUPPORTED, "%s: tensor '%s' has elements of type %d", x->where,
                       t->name, t->type);
    (void)!oc_mul_size(t->count, size, &bytes);
    bool open_end = t->external && t->length == 0 && t->raw_bytes >= bytes;
    if (t->raw != NULL ? t->raw_bytes == bytes || open_end : t->listed == t->count) return OC_OK;
    char text[OC_SHAPE_TEXT];
    return oc_fail(err, OC_EFORMAT, "%s: tensor '%s' of %s needs %zu values of %zu bytes, has %zu",
                   x->where, t->name, oc_shape_text(text, &t->shape), t->count, size,
                   t->raw != NULL ? t->raw_bytes / size : t->listed);
}

static oc_status take_wholes(oci_import *x, const oci_onnx_tensor *t, oci_known *out,
                             oc_error *err) {
    int64_t *values = NULL;
    out->whole = true;
    out->type = t->type;
    out->ints = t->ints;
    if (t->raw == NULL && t->ints != NULL) return OC_OK;
    OC_TRY(oci_import_room(x, t->count, sizeof *values, &values, err));
    for (size_t i = 0; i < t->count && t->raw != NULL; i++)
        values[i] = whole_at(t->raw + i * bytes_of(t->type), t->type);
    out->ints = values;
    return OC_OK;
}

/* Half floats in a list are numbers of 16 bits each. */
static oc_status take_halves(oci_import *x, const oci_onnx_tensor *t, oci_known *out,
                             oc_error *err) {
    uint16_t *values = NULL;
    OC_TRY(oci_import_room(x, t->count, sizeof *values, &values, err));
    for (size_t i = 0; i < t->count; i++) values[i] = (uint16_t)t->ints[i];
    out->values.data = values;
    return OC_OK;
}

oc_status oci_known_of(oci_import *x, oci_onnx_tensor *t, oci_known *out, oc_error *err) {
    *out = (oci_known){.name = t->name, .shape = t->shape, .count = t->count};
    if (t->external) OC_TRY(oci_onnx_bring(&x->doc, x->folder, t, err));
    OC_TRY(check_values(x, t, err));
    if (!is_real(t->type)) return take_wholes(x, t, out, err);
    out->values = (oci_param_values){.data = t->raw, .dtype = dtype_of(t->type), .count = t->count};
    if (t->raw != NULL) return OC_OK;
    out->values.data = t->type == OCI_ONNX_DOUBLE ? (const void *)t->doubles : t->floats;
    bool half = t->type == OCI_ONNX_FLOAT16 || t->type == OCI_ONNX_BFLOAT16;
    return half && t->ints != NULL ? take_halves(x, t, out, err) : OC_OK;
}

/* ---- results --------------------------------------------------------------------------------- */

static oc_status set_ints(oci_import *x, const oci_onnx_node *node, const oc_shape *shape,
                          const int64_t *values, oc_error *err) {
    oci_known known = {.name = "", .shape = *shape, .whole = true};
    int64_t *copy = NULL;
    if (!oc_shape_count(shape, &known.count)) return oci_lack(x, node, "overflows");
    OC_TRY(oci_import_room(x, known.count, sizeof *copy, &copy, err));
    if (known.count > 0) memcpy(copy, values, known.count * sizeof *copy);
    known.ints = copy;
    oci_set_known(x, node, &known);
    return OC_OK;
}

static const oci_known *known_input(const oci_import *x, const oci_onnx_node *node, size_t k) {
    return oci_input_known(x, node, k) ? &oci_input_of(x, node, k)->known : NULL;
}

/* (n, c, h, w) of what a layer gives, in the order of its axes. */
static oc_status fold_shape(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_value *value = oci_input_of(x, node, 0);
    int64_t dims[OC_MAX_RANK];
    int64_t rank = value->kind == OCI_VALUE_LAYER ? value->rank : value->known.shape.rank;
    for (int i = 0; i < rank; i++)
        dims[i] = value->kind == OCI_VALUE_LAYER ? oci_axis_size(x, value, value->axis[i])
                                                 : value->known.shape.dim[i];
    int64_t start = oci_attr_int(node, "start", 0), end = oci_attr_int(node, "end", rank);
    start = start < 0 ? start + rank : start;
    end = end < 0 ? end + rank : end > rank ? rank : end;
    if (start < 0 || start > end) return oci_lack(x, node, "starts behind its end");
    const oc_shape shape = oc_shape_1d(end - start);
    return set_ints(x, node, &shape, dims + start, err);
}

static oc_status fold_constant(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_onnx_attr *tensor = oci_attr(node, "value"), *i = oci_attr(node, "value_int"),
                        *f = oci_attr(node, "value_float"), *ints = oci_attr(node, "value_ints");
    oci_known known = {.name = ""};
    const oc_shape scalar = {0};
    float *room = NULL;
    if (i != NULL) return set_ints(x, node, &scalar, &i->i, err);
    if (ints != NULL) {
        const oc_shape shape = oc_shape_1d((int64_t)ints->int_count);
        return set_ints(x, node, &shape, ints->ints, err);
    }
    if (f != NULL) {
        OC_TRY(oci_import_room(x, 1, sizeof *room, &room, err));
        *room = f->f;
        known.count = 1;
        known.values = (oci_param_values){.data = room, .dtype = OC_F32, .count = 1};
    } else if (tensor != NULL && tensor->tensor != NULL) {
        oci_onnx_tensor copy = *tensor->tensor;
        OC_TRY(oci_known_of(x, &copy, &known, err));
    } else {
        return oci_lack(x, node, "a constant of no kind known here");
    }
    oci_set_known(x, node, &known);
    return OC_OK;
}

/* All entries alike: whole numbers, or zeros and the like in floats. */
static oc_status fold_constant_of_shape(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_known *dims = known_input(x, node, 0);
    const oci_onnx_attr *attr = oci_attr(node, "value");
    oci_known one = {.name = ""}, known = {.name = ""};
    float *floats = NULL;
    int64_t *ints = NULL;
    if (!dims->whole || dims->count > OC_MAX_RANK) return oci_lack(x, node, "no shape to fill");
    known.shape.rank = (int)dims->count;
    for (size_t i = 0; i < dims->count; i++) known.shape.dim[i] = dims->ints[i];
    if (!oc_shape_count(&known.shape, &known.count) || known.count > MAX_FOLDED)
        return oci_lack(x, node, "more than %d entries", (int)MAX_FOLDED);
    if (attr != NULL && attr->tensor != NULL) {
        oci_onnx_tensor copy = *attr->tensor;
        OC_TRY(oci_known_of(x, &copy, &one, err));
        if (one.count != 1) return oci_lack(x, node, "%zu values to fill with", one.count);
    }
    if (one.whole) {
        OC_TRY(oci_import_room(x, known.count, sizeof *ints, &ints, err));
        for (size_t i = 0; i < known.count; i++) ints[i] = one.ints[0];
    } else {
        const float zero = 0, *value = &zero;
        if (one.count == 1) OC_TRY(oci_known_floats(x, &one, &value, err));
        OC_TRY(oci_import_room(x, known.count, sizeof *floats, &floats, err));
        for (size_t i = 0; i < known.count; i++) floats[i] = *value;
    }
    known.whole = one.whole;
    known.ints = ints;
    known.values = (oci_param_values){.data = floats, .dtype = OC_F32, .count = known.count};
    oci_set_known(x, node, &known);
    return OC_OK;
}

/* ---- the same values in another shape ------------------------------------------------------- */

static oc_status set_reshaped(oci_import *x, const oci_onnx_node *node, const oci_known *from,
                              const oc_shape *shape) {
    oci_known known = *from;
    size_t count = 0;
    if (!oc_shape_count(shape, &count) || count != from->count)
        return oci_lack(x, node, "another number of values than it has");
    known.shape = *shape;
    known.steps.count = 0;
    oci_set_known(x, node, &known);
    return OC_OK;
}

static oc_status fold_reshape(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_known *from = known_input(x, node, 0), *dims = known_input(x, node, 1);
    oc_shape shape = {0};
    int64_t rest = (int64_t)from->count;
    int open = -1;
    (void)err;
    if (dims == NULL || !dims->whole || dims->count > OC_MAX_RANK)
        return oci_lack(x, node, "no shape to take");
    shape.rank = (int)dims->count;
    for (int i = 0; i < shape.rank; i++) {
        int64_t dim = dims->ints[i];
        if (dim == 0 && i < from->shape.rank) dim = from->shape.dim[i];
        if (dim == -1) open = i;
        shape.dim[i] = dim == -1 ? 1 : dim;
        if (dim > 1) rest /= dim;
    }
    if (open >= 0) shape.dim[open] = rest;
    return set_reshaped(x, node, from, &shape);
}

static oc_status fold_squeeze(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_known *from = known_input(x, node, 0);
    const int64_t *axes = NULL;
    size_t count = 0;
    oc_shape shape = {0};
    OC_TRY(oci_ints_of(x, node, "axes", 1, &axes, &count, err));
    for (int i = 0; i < from->shape.rank; i++) {
        bool drop = count == 0 && from->shape.dim[i] == 1;
        for (size_t k = 0; k < count; k++) drop |= axes[k] == i || axes[k] == i - from->shape.rank;
        if (!drop) shape.dim[shape.rank++] = from->shape.dim[i];
    }
    return set_reshaped(x, node, from, &shape);
}

static oc_status fold_unsqueeze(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_known *from = known_input(x, node, 0);
    const int64_t *axes = NULL;
    size_t count = 0;
    oc_shape shape = {0};
    OC_TRY(oci_ints_of(x, node, "axes", 1, &axes, &count, err));
    int rank = from->shape.rank + (int)(count < OC_MAX_RANK ? count : OC_MAX_RANK), at = 0;
    if (rank > OC_MAX_RANK) return oci_lack(x, node, "more than %d dimensions", OC_MAX_RANK);
    for (int i = 0; i < rank; i++) {
        bool fresh = false;
        for (size_t k = 0; k < count; k++) fresh |= axes[k] == i || axes[k] == i - rank;
        if (!fresh && at == from->shape.rank) return oci_lack(x, node, "axes that it has not");
        shape.dim[i] = fresh ? 1 : from->shape.dim[at++];
    }
    shape.rank = rank;
    return set_reshaped(x, node, from, &shape);
}

static oc_status fold_same(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    (void)err;
    oci_set_known(x, node, known_input(x, node, 0));
    return OC_OK;
}

static oc_status fold_cast(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_known *from = known_input(x, node, 0);
    const float *floats = NULL;
    int64_t *ints = NULL;
    oci_known known = *from;
    bool real = is_real((int)oci_attr_int(node, "to", 0));
    if (from->count > MAX_FOLDED && real == from->whole) return oci_lack(x, node, "too large");
    if (real && from->whole) {
        OC_TRY(oci_known_floats(x, from, &floats, err));
        known.whole = false;
        known.values = (oci_param_values){.data = floats, .dtype = OC_F32, .count = from->count};
    } else if (!real && !from->whole) {
        OC_TRY(oci_known_floats(x, from, &floats, err));
        OC_TRY(oci_import_room(x, from->count, sizeof *ints, &ints, err));
        for (size_t i = 0; i < from->count; i++)
            ints[i] = floats[i] > -9e18F && floats[i] < 9e18F ? (int64_t)floats[i] : 0;
        known.whole = true;
        known.ints = ints;
    }
    oci_set_known(x, node, &known);
    return OC_OK;
}

/* ---- lists of sizes ---------------------------------------------------------------------------
 */

static oc_status fold_gather(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_known *from = known_input(x, node, 0), *at = known_input(x, node, 1);
    int64_t *values = NULL;
    if (at == NULL || !from->whole || !at->whole || from->shape.rank != 1)
        return oci_lack(x, node, "picks from something other than a list of sizes");
    OC_TRY(oci_import_room(x, at->count, sizeof *values, &values, err));
    for (size_t i = 0; i < at->count; i++) {
        int64_t index = at->ints[i] < 0 ? at->ints[i] + (int64_t)from->count : at->ints[i];
        if (index < 0 || index >= (int64_t)from->count)
            return oci_lack(x, node, "entry %lld of %zu", (long long)at->ints[i], from->count);
        values[i] = from->ints[index];
    }
    return set_ints(x, node, &at->shape, values, err);
}

static oc_status fold_slice(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_known *from = known_input(x, node, 0);
    const int64_t *starts = NULL, *ends = NULL, *steps = NULL;
    size_t count = 0, end_count = 0, step_count = 0;
    OC_TRY(oci_ints_of(x, node, "starts", 1, &starts, &count, err));
    OC_TRY(oci_ints_of(x, node, "ends", 2, &ends, &end_count, err));
    OC_TRY(oci_ints_of(x, node, "steps", 4, &steps, &step_count, err));
    if (!from->whole || from->shape.rank != 1 || count != 1 || end_count != 1 ||
        (step_count > 0 && steps[0] != 1))
        return oci_lack(x, node, "cuts something other than a list of sizes");
    int64_t size = (int64_t)from->count;
    int64_t first = starts[0] < 0 ? starts[0] + size : starts[0];
    int64_t end = ends[0] < 0 ? ends[0] + size : ends[0];
    first = first < 0 ? 0 : first > size ? size : first;
    end = end < first ? first : end > size ? size : end;
    const oc_shape shape = oc_shape_1d(end - first);
    return set_ints(x, node, &shape, from->ints + first, err);
}

static oc_status fold_concat(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    int64_t values[64];
    size_t size = 0;
    for (size_t k = 0; k < node->input_count; k++) {
        const oci_known *from = known_input(x, node, k);
        if (from == NULL || !from->whole || from->shape.rank > 1 ||
            from->count > sizeof values / sizeof *values - size)
            return oci_lack(x, node, "joins something other than short lists of sizes");
        memcpy(values + size, from->ints, from->count * sizeof *values);
        size += from->count;
    }
    const oc_shape shape = oc_shape_1d((int64_t)size);
    return set_ints(x, node, &shape, values, err);
}

/* ---- arithmetic --------------------------------------------------------------------------------
 */

/* Sizes have 31 bits, so that no result of theirs overflows 64. */
static bool whole_result(char op, int64_t a, int64_t b, int64_t *out) {
    bool small = a >= INT32_MIN && a <= INT32_MAX && b >= INT32_MIN && b <= INT32_MAX;
    if (!small || (op == '/' && b == 0)) return false;
    *out = op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
    return true;
}

static float real_result(char op, float a, float b) {
    return op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a / b;
}

/* Of equal shapes, or with one number. */
static oc_status fold_arithmetic(oci_import *x, const oci_onnx_node *node, char op, oc_error *err) {
    const oci_known *a = known_input(x, node, 0), *b = known_input(x, node, 1);
    if (b == NULL || a->whole != b->whole) return oci_lack(x, node, "mixes kinds of numbers");
    const oci_known *like = a->count == 1 && b->shape.rank >= a->shape.rank ? b : a;
    size_t count = like->count;
    if ((a->count != count && a->count != 1) || (b->count != count && b->count != 1) ||
        count > MAX_FOLDED)
        return oci_lack(x, node, "joins constants of different shapes");
    if (a->whole) {
        int64_t *values = NULL;
        OC_TRY(oci_import_room(x, count, sizeof *values, &values, err));
        for (size_t i = 0; i < count; i++)
            if (!whole_result(op, a->ints[a->count == 1 ? 0 : i], b->ints[b->count == 1 ? 0 : i],
                              &values[i]))
                return oci_lack(x, node, "%lld and %lld: no sizes", (long long)a->ints[0],
                                (long long)b->ints[0]);
        return set_ints(x, node, &like->shape, values, err);
    }
    const float *p = NULL, *q = NULL;
    float *values = NULL;
    OC_TRY(oci_known_floats(x, a, &p, err));
    OC_TRY(oci_known_floats(x, b, &q, err));
    OC_TRY(oci_import_room(x, count, sizeof *values, &values, err));
    for (size_t i = 0; i < count; i++)
        values[i] = real_result(op, p[a->count == 1 ? 0 : i], q[b->count == 1 ? 0 : i]);
    const oci_known known = {.name = "",
                             .shape = like->shape,
                             .count = count,
                             .values = {.data = values, .dtype = OC_F32, .count = count}};
    oci_set_known(x, node, &known);
    return OC_OK;
}

static oc_status fold_add(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return fold_arithmetic(x, node, '+', err);
}
static oc_status fold_sub(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return fold_arithmetic(x, node, '-', err);
}
static oc_status fold_mul(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return fold_arithmetic(x, node, '*', err);
}
static oc_status fold_div(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    return fold_arithmetic(x, node, '/', err);
}

/* ---- matrices ---------------------------------------------------------------------------------
 */

static oc_status fold_transpose(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_known *from = known_input(x, node, 0);
    const oci_onnx_attr *perm = oci_attr(node, "perm");
    const float *values = NULL;
    float *turned = NULL;
    bool turns = perm == NULL || (perm->int_count == 2 && perm->ints[0] == 1 && perm->ints[1] == 0);
    if (from->whole || from->shape.rank != 2 || !turns)
        return oci_lack(x, node, "turns a constant that is no matrix");
    size_t rows = (size_t)from->shape.dim[0], columns = (size_t)from->shape.dim[1];
    OC_TRY(oci_known_floats(x, from, &values, err));
    OC_TRY(oci_import_room(x, from->count, sizeof *turned, &turned, err));
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < columns; k++) turned[k * rows + i] = values[i * columns + k];
    oci_known known = *from;
    known.shape = oc_shape_2d((int64_t)columns, (int64_t)rows);
    known.steps.count = 0;
    known.values = (oci_param_values){.data = turned, .dtype = OC_F32, .count = from->count};
    oci_set_known(x, node, &known);
    return OC_OK;
}

/* Rows of int8 without an offset are kept as they are, with their steps. */
static oc_status keep_int8(oci_import *x, const oci_known *from, const oci_known *zero,
                           const float *steps, size_t count, oci_known *out, oc_error *err) {
    size_t rows = from->shape.rank > 1 ? (size_t)from->shape.dim[0] : 0;
    bool even = from->type == OCI_ONNX_INT8 && rows > 0 && (count == 1 || count == rows);
    float *spread = NULL;
    int8_t *wholes = NULL;
    for (size_t i = 0; zero != NULL && i < zero->count; i++) even &= zero->ints[i] == 0;
    if (!even) return OC_OK;
    OC_TRY(oci_import_room(x, rows, sizeof *spread, &spread, err));
    OC_TRY(oci_import_room(x, from->count, sizeof *wholes, &wholes, err));
    for (size_t i = 0; i < rows; i++) spread[i] = steps[count == 1 ? 0 : i];
    for (size_t i = 0; i < from->count; i++) wholes[i] = (int8_t)from->ints[i];
    out->steps = (oci_param_values){.data = spread, .dtype = OC_F32, .count = rows};
    out->wholes = (oci_param_values){.data = wholes, .dtype = OC_I8, .count = from->count};
    return OC_OK;
}

/* (whole - zero) * step, a step for all or one an entry of `axis`. */
static oc_status fold_dequantize(oci_import *x, const oci_onnx_node *node, oc_error *err) {
    const oci_known *from = known_input(x, node, 0), *step = known_input(x, node, 1),
                    *zero = known_input(x, node, 2);
    const float *steps = NULL;
    float *values = NULL;
    int64_t axis = oci_attr_int(node, "axis", 1), inner = 1;
    if (step == NULL || !from->whole || (zero != NULL && !zero->whole))
        return oci_lack(x, node, "no whole numbers with their step");
    axis = axis < 0 ? axis + from->shape.rank : axis;
    for (int64_t i = axis + 1; i > 0 && i < from->shape.rank; i++) inner *= from->shape.dim[i];
    bool fits = step->count == 1 || (axis >= 0 && axis < from->shape.rank &&
                                     step->count == (size_t)from->shape.dim[axis]);
    if (!fits || inner < 1 || step->count < 1 || (zero != NULL && zero->count != step->count))
        return oci_lack(x, node, "%zu steps do not fit", step->count);
    OC_TRY(oci_known_floats(x, step, &steps, err));
    OC_TRY(oci_import_room(x, from->count, sizeof *values, &values, err));
    for (size_t i = 0; i < from->count; i++) {
        size_t k = i / (size_t)inner % step->count;
        values[i] = ((float)from->ints[i] - (zero != NULL ? (float)zero->ints[k] : 0)) * steps[k];
    }
    oci_known known = *from;
    x->int8_floated += !x->ours && from->type == OCI_ONNX_INT8 && from->shape.rank > 1;
    if (x->ours && (axis == 0 || step->count == 1))
        OC_TRY(keep_int8(x, from, zero, steps, step->count, &known, err));
    known.whole = false;
    known.values = (oci_param_values){.data = values, .dtype = OC_F32, .count = from->count};
    oci_set_known(x, node, &known);
    return OC_OK;
}

/* ---- by op -------------------------------------------------------------------------------------
 */

static const oci_onnx_op folded[] = {{"Constant", fold_constant},
                                     {"ConstantOfShape", fold_constant_of_shape},
                                     {"Shape", fold_shape},
                                     {"Reshape", fold_reshape},
                                     {"Squeeze", fold_squeeze},
                                     {"Unsqueeze", fold_unsqueeze},
                                     {"Identity", fold_same},
                                     {"Cast", fold_cast},
                                     {"Gather", fold_gather},
                                     {"Slice", fold_slice},
                                     {"Concat", fold_concat},
                                     {"Add", fold_add},
                                     {"Sub", fold_sub},
                                     {"Mul", fold_mul},
                                     {"Div", fold_div},
                                     {"Transpose", fold_transpose},
                                     {"DequantizeLinear", fold_dequantize},
                                     {NULL, NULL}};

bool oci_folds(const char *op) {
    for (const oci_onnx_op *f = folded; f->name != NULL; f++)
        if (strcmp(f->name, op) == 0) return true;
    return false;
}

oc_status oci_fold(oci_import *x, const oci_onnx_node *node, bool *done, oc_error *err) {
    bool known = strcmp(node->op, "Shape") == 0
                     ? node->input_count > 0
                     : node->input_count == 0 || oci_input_known(x, node, 0);
    for (size_t k = 1; k < node->input_count; k++)
        known = known && (oci_input_of(x, node, k) == NULL || oci_input_known(x, node, k));
    *done = false;
    for (const oci_onnx_op *op = folded; known && op->name != NULL; op++) {
        if (strcmp(op->name, node->op) != 0) continue;
        if (node->input_count == 0 && op->take != fold_constant) continue;
        *done = true;
        return op->take(x, node, err);
    }
    return OC_OK;
}
