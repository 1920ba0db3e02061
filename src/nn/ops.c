/* What is known of an op before any graph: its word, the attributes it reads and their ranges.
 *
 * One list of fields serves validation here and JSON and printing elsewhere, so that a new
 * attribute is one line.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn/nn_int.h"

#include <string.h>

typedef struct op_words {
    const char *word;
    int fewest, most;
} op_words;

static const op_words OPS[] = {
#define OP_WORDS(name, word, fewest, most) {word, fewest, most},
    OC_OP_MAP(OP_WORDS)
#undef OP_WORDS
};

enum { MAX_KERNEL = 4096, MAX_INPUT_SIDE = 65536 };

#define INT(member, fallback, min, max)                                                            \
    { #member, offsetof(oc_attrs, member), false, fallback, min, max }
#define REAL(member, fallback, min, max)                                                           \
    { #member, offsetof(oc_attrs, member), true, fallback, min, max }
#define WINDOW                                                                                     \
    INT(kernel_h, 1, 1, MAX_KERNEL), INT(kernel_w, 1, 1, MAX_KERNEL),                              \
        INT(stride_h, 1, 1, MAX_KERNEL), INT(stride_w, 1, 1, MAX_KERNEL),                          \
        INT(pad_top, 0, 0, MAX_KERNEL), INT(pad_left, 0, 0, MAX_KERNEL),                           \
        INT(pad_bottom, 0, 0, MAX_KERNEL), INT(pad_right, 0, 0, MAX_KERNEL)
#define LAYER                                                                                      \
    INT(out, 1, 1, OCI_MAX_CHANNELS), INT(bias, 1, 0, 1), INT(init, 0, 0, OC_INIT_NORMAL_001),     \
        INT(int8, 0, 0, 1)

static const oc_field INPUT_FIELDS[] = {INT(channels, 3, 1, OCI_MAX_CHANNELS),
                                        INT(height, 224, 1, MAX_INPUT_SIDE),
                                        INT(width, 224, 1, MAX_INPUT_SIDE)};
static const oc_field CONV_FIELDS[] = {LAYER, WINDOW, INT(dilation_h, 1, 1, MAX_KERNEL),
                                       INT(dilation_w, 1, 1, MAX_KERNEL),
                                       INT(groups, 1, 1, OCI_MAX_CHANNELS)};
static const oc_field DENSE_FIELDS[] = {LAYER};
static const oc_field MAX_POOL_FIELDS[] = {WINDOW, INT(ceil, 0, 0, 1)};
static const oc_field AVG_POOL_FIELDS[] = {WINDOW, INT(ceil, 0, 0, 1), INT(count_pad, 1, 0, 1)};
static const oc_field ADAPTIVE_POOL_FIELDS[] = {INT(out_h, 1, 1, MAX_KERNEL),
                                                INT(out_w, 1, 1, MAX_KERNEL)};
static const oc_field AUX_LOSS_FIELDS[] = {REAL(weight, 0.3, 0, 100)};
static const oc_field BATCH_NORM_FIELDS[] = {REAL(epsilon, 1e-5, 1e-12, 1),
                                             REAL(momentum, 0.1, 0, 1)};
static const oc_field DROPOUT_FIELDS[] = {REAL(p, 0.5, 0, 0.999)};
static const oc_field LRN_FIELDS[] = {INT(size, 5, 1, 1023), REAL(alpha, 1e-4, 0, 1e6),
                                      REAL(beta, 0.75, 0, 100), REAL(k, 1, 1e-6, 1e6),
                                      INT(within, 0, 0, 1)};
static const oc_field LEAKY_RELU_FIELDS[] = {REAL(slope, 0.01, -1e6, 1e6)};
static const oc_field PRELU_FIELDS[] = {INT(shared, 0, 0, 1)};
static const oc_field HARD_SIGMOID_FIELDS[] = {REAL(alpha, 1.0 / 6, -1e6, 1e6),
                                               REAL(beta, 0.5, -1e6, 1e6)};
static const oc_field CLIP_FIELDS[] = {REAL(low, 0, -1e30, 1e30), REAL(high, 6, -1e30, 1e30)};
static const oc_field POWER_FIELDS[] = {REAL(scale, 1, -1e30, 1e30), REAL(shift, 0, -1e30, 1e30),
                                        REAL(exponent, 1, -100, 100)};
static const oc_field SCALE_FIELDS[] = {INT(bias, 1, 0, 1)};
static const oc_field PAD_FIELDS[] = {
    INT(pad_top, 0, 0, MAX_KERNEL), INT(pad_left, 0, 0, MAX_KERNEL),
    INT(pad_bottom, 0, 0, MAX_KERNEL), INT(pad_right, 0, 0, MAX_KERNEL),
    REAL(value, 0, -1e30, 1e30)};

static const oc_field QUANTIZE_FIELDS[] = {REAL(step, 1, 1e-12, 1e12),
                                           INT(zero, 0, 0, OC_LEVELS - 1)};

const char *oc_op_name(oc_op op) {
    return (unsigned)op < OC_OP_COUNT ? OPS[op].word : "unknown";
}

bool oc_op_parse(const char *word, oc_op *out) {
    for (int i = 0; i < OC_OP_COUNT; i++) {
        if (strcmp(word, OPS[i].word) != 0) continue;
        *out = (oc_op)i;
        return true;
    }
    return false;
}

void oc_op_inputs(oc_op op, int *fewest, int *most) {
    *fewest = OPS[op].fewest;
    *most = OPS[op].most;
}

#define LIST(fields) *count = sizeof(fields) / sizeof *(fields), fields

const oc_field *oc_op_fields(oc_op op, size_t *count) {
    switch (op) {
    case OC_OP_INPUT:
        return LIST(INPUT_FIELDS);
    case OC_OP_CONV:
        return LIST(CONV_FIELDS);
    case OC_OP_DENSE:
        return LIST(DENSE_FIELDS);
    case OC_OP_MAX_POOL:
        return LIST(MAX_POOL_FIELDS);
    case OC_OP_AVG_POOL:
        return LIST(AVG_POOL_FIELDS);
    case OC_OP_ADAPTIVE_POOL:
        return LIST(ADAPTIVE_POOL_FIELDS);
    case OC_OP_AUX_LOSS:
        return LIST(AUX_LOSS_FIELDS);
    case OC_OP_BATCH_NORM:
        return LIST(BATCH_NORM_FIELDS);
    case OC_OP_DROPOUT:
        return LIST(DROPOUT_FIELDS);
    case OC_OP_LRN:
        return LIST(LRN_FIELDS);
    case OC_OP_QUANTIZE:
        return LIST(QUANTIZE_FIELDS);
    case OC_OP_LEAKY_RELU:
        return LIST(LEAKY_RELU_FIELDS);
    case OC_OP_PRELU:
        return LIST(PRELU_FIELDS);
    case OC_OP_HARD_SIGMOID:
        return LIST(HARD_SIGMOID_FIELDS);
    case OC_OP_CLIP:
        return LIST(CLIP_FIELDS);
    case OC_OP_POWER:
        return LIST(POWER_FIELDS);
    case OC_OP_SCALE:
        return LIST(SCALE_FIELDS);
    case OC_OP_PAD:
        return LIST(PAD_FIELDS);
    default:
        *count = 0;
        return NULL;
    }
}

double oc_field_get(const oc_field *field, const oc_attrs *attrs) {
    const char *at = (const char *)attrs + field->offset;
    if (field->is_float) return (double)*(const float *)(const void *)at;
    return *(const int32_t *)(const void *)at;
}

void oc_field_set(const oc_field *field, oc_attrs *attrs, double value) {
    char *at = (char *)attrs + field->offset;
    if (field->is_float) {
        *(float *)(void *)at = (float)value;
    } else {
        *(int32_t *)(void *)at = (int32_t)value;
    }
}

oc_attrs oc_attrs_default(oc_op op) {
    oc_attrs attrs = {0};
    size_t count;
    const oc_field *fields = oc_op_fields(op, &count);
    for (size_t i = 0; i < count; i++) oc_field_set(&fields[i], &attrs, fields[i].fallback);
    return attrs;
}

/* A bound is met when the value is within it after rounding to the field's own precision. */
static bool in_range(const oc_field *field, double value) {
    if (!field->is_float) return value >= field->min && value <= field->max;
    return value >= (double)(float)field->min && value <= (double)(float)field->max;
}

/* A pool's window must always touch the input, so that it has a maximum. */
static oc_status check_pool(const char *name, const oc_attrs *a, oc_error *err) {
    if (a->pad_top < a->kernel_h && a->pad_bottom < a->kernel_h && a->pad_left < a->kernel_w &&
        a->pad_right < a->kernel_w) {
        return OC_OK;
    }
    return oc_fail(err, OC_EFORMAT,
                   "pool '%s' of %dx%d is padded by %d,%d,%d,%d (top, left, bottom, right): each "
                   "must be smaller than the window",
                   name, a->kernel_h, a->kernel_w, a->pad_top, a->pad_left, a->pad_bottom,
                   a->pad_right);
}

static oc_status check_together(oc_op op, const char *name, const oc_attrs *a, oc_error *err) {
    if (op == OC_OP_MAX_POOL || op == OC_OP_AVG_POOL) return check_pool(name, a, err);
    if (op == OC_OP_LRN && a->size % 2 == 0) {
        return oc_fail(err, OC_EFORMAT, "lrn '%s' has size %d: an odd number is needed", name,
                       a->size);
    }
    if (op == OC_OP_CLIP && !(a->low <= a->high)) {
        return oc_fail(err, OC_EFORMAT, "clip '%s' is to %g..%g: low may not be above high", name,
                       (double)a->low, (double)a->high);
    }
    if (op == OC_OP_CONV && a->out % a->groups != 0) {
        return oc_fail(err, OC_EFORMAT, "conv '%s' has %d outputs in %d groups: not a multiple",
                       name, a->out, a->groups);
    }
    return OC_OK;
}

oc_status oci_attrs_check(oc_op op, const char *name, const oc_attrs *attrs, oc_attrs *kept,
                          oc_error *err) {
    size_t count;
    const oc_field *fields = oc_op_fields(op, &count);
    *kept = (oc_attrs){0};
    for (size_t i = 0; i < count; i++) {
        double value = oc_field_get(&fields[i], attrs);
        if (!in_range(&fields[i], value)) {
            return oc_fail(err, OC_EFORMAT, "%s '%s': %s is %g, allowed are %g to %g",
                           oc_op_name(op), name, fields[i].name, value, fields[i].min,
                           fields[i].max);
        }
        oc_field_set(&fields[i], kept, value);
    }
    return check_together(op, name, kept, err);
}
