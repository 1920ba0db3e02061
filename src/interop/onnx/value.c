/* Values by name, attributes, layers: what the ops of an import are written with.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "interop/onnx/ops_int.h"

enum { LACKS_LOGGED = 1000 };

/* ---- names ---------------------------------------------------------------------------------- */

oci_value *oci_value_of(const oci_import *x, const char *name) {
    if (name[0] == '\0') return NULL;
    size_t slot = oc_hash64(name, strlen(name), 0) & (x->slot_count - 1);
    for (; x->slots[slot] != 0; slot = (slot + 1) & (x->slot_count - 1)) {
        uint32_t at = x->slots[slot] - 1;
        if (strcmp(x->names[at], name) == 0) return &x->values[at];
    }
    return NULL;
}

oci_value *oci_input_of(const oci_import *x, const oci_onnx_node *node, size_t k) {
    return k < node->input_count ? oci_value_of(x, node->inputs[k]) : NULL;
}

bool oci_input_known(const oci_import *x, const oci_onnx_node *node, size_t k) {
    const oci_value *value = oci_input_of(x, node, k);
    return value != NULL && value->kind == OCI_VALUE_KNOWN;
}

static const char *title_of(const oci_onnx_node *node) {
    if (node->name[0] != '\0') return node->name;
    return node->output_count > 0 ? node->outputs[0] : "";
}

/* The place of a kind, a new one where there is none yet; NULL where all are taken. */
static oci_lacking *kind_of(oci_import *x, const oci_lacking *wanted) {
    for (size_t i = 0; i < x->lack_kinds; i++) {
        oci_lacking *kind = &x->lacks[i];
        if (strcmp(kind->op, wanted->op) == 0 && strcmp(kind->why, wanted->why) == 0) return kind;
    }
    if (x->lack_kinds == OCI_LACK_KINDS) return NULL;
    x->lacks[x->lack_kinds] = *wanted;
    x->lack_kinds++;
    return &x->lacks[x->lack_kinds - 1];
}

oc_status oci_lack(oci_import *x, const oci_onnx_node *node, const char *why, ...) {
    oci_lacking wanted = {.count = 0};
    va_list list;
    va_start(list, why);
    (void)vsnprintf(wanted.why, sizeof wanted.why, why, list);
    va_end(list);
    (void)snprintf(wanted.op, sizeof wanted.op, "%s", node->op);
    (void)snprintf(wanted.first, sizeof wanted.first, "%s", title_of(node));
    oci_lacking *kind = kind_of(x, &wanted);
    if (kind != NULL) kind->count++;
    x->lack_count++;
    if (x->lack_count <= LACKS_LOGGED)
        oc_info(x->log, "%s '%s': %s", wanted.op, title_of(node), wanted.why);
    return OC_OK;
}

oc_status oci_lacks(const oci_import *x, oc_error *err) {
    oc_buf list = {0};
    if (x->lack_count == 0) return OC_OK;
    for (size_t i = 0; i < x->lack_kinds; i++) {
        const oci_lacking *kind = &x->lacks[i];
        oc_buf_printf(&list, "%s%s '%s'", i > 0 ? "; " : "", kind->op, kind->first);
        if (kind->count > 1) oc_buf_printf(&list, " and %zu more", kind->count - 1);
        oc_buf_printf(&list, ": %s", kind->why);
    }
    oc_status status = oc_buf_status(&list, err);
    if (status == OC_OK)
        status = oc_fail(err, OC_EUNSUPPORTED, "%s: %zu node%s cannot be represented: %s", x->where,
                         x->lack_count, x->lack_count == 1 ? "" : "s", list.data);
    oc_buf_clear(&list);
    return status;
}

/* ---- attributes ----------------------------------------------------------------------------- */

const oci_onnx_attr *oci_attr(const oci_onnx_node *node, const char *name) {
    for (size_t i = 0; i < node->attr_count; i++)
        if (strcmp(node->attrs[i].name, name) == 0) return &node->attrs[i];
    return NULL;
}

int64_t oci_attr_int(const oci_onnx_node *node, const char *name, int64_t fallback) {
    const oci_onnx_attr *attr = oci_attr(node, name);
    return attr != NULL ? attr->i : fallback;
}

float oci_attr_float(const oci_onnx_node *node, const char *name, float fallback) {
    const oci_onnx_attr *attr = oci_attr(node, name);
    return attr != NULL ? attr->f : fallback;
}

const char *oci_attr_text(const oci_onnx_node *node, const char *name) {
    const oci_onnx_attr *attr = oci_attr(node, name);
    return attr != NULL ? attr->text : "";
}

oc_status oci_ints_of(oci_import *x, const oci_onnx_node *node, const char *attr, size_t k,
                      const int64_t **out, size_t *count, oc_error *err) {
    const oci_onnx_attr *found = oci_attr(node, attr);
    const oci_value *value = oci_input_of(x, node, k);
    (void)err;
    *out = NULL;
    *count = 0;
    if (found != NULL) {
        *out = found->ints;
        *count = found->int_count;
    } else if (value != NULL && value->kind == OCI_VALUE_KNOWN && value->known.whole) {
        *out = value->known.ints;
        *count = value->known.count;
    }
    return OC_OK;
}

/* ---- known values --------------------------------------------------------------------------- */

oc_status oci_import_room(oci_import *x, size_t count, size_t size, void *out_pp, oc_error *err) {
    size_t bytes = 0;
    void *room = oc_mul_size(count, size, &bytes) ? oc_pool_alloc(x->pool, bytes) : NULL;
    if (room == NULL) return oc_fail_nomem(err, bytes, x->where);
    memcpy(out_pp, &room, sizeof room);
    return OC_OK;
}

oc_status oci_known_floats(oci_import *x, const oci_known *known, const float **out,
                           oc_error *err) {
    float *values = NULL;
    OC_TRY(oci_import_room(x, known->count, sizeof *values, &values, err));
    *out = values;
    if (known->whole) {
        for (size_t i = 0; i < known->count; i++) values[i] = (float)known->ints[i];
        return OC_OK;
    }
    return oc_tensor_to_f32(values, known->values.data, known->values.dtype, known->count, err);
}

void oci_set_known(oci_import *x, const oci_onnx_node *node, const oci_known *known) {
    oci_value *value = node->output_count > 0 ? oci_value_of(x, node->outputs[0]) : NULL;
    if (value != NULL) *value = (oci_value){.kind = OCI_VALUE_KNOWN, .made = true, .known = *known};
}

/* ---- layers ---------------------------------------------------------------------------------- */

const oci_layer *oci_layer_of(const oci_import *x, const oci_value *value) {
    return &x->layers[value->layer];
}

int64_t oci_axis_size(const oci_import *x, const oci_value *value, oci_axis axis) {
    if (axis == OCI_ONE) return 1;
    if (axis == OCI_GROUP) return value->groups;
    const oc_shape *s = &oci_layer_of(x, value)->shape;
    if (axis == OCI_MEMBER) return s->dim[1] / value->groups;
    return axis == OCI_N ? x->batch : s->dim[axis];
}

bool oci_is_laid(const oci_import *x, const oci_value *value, const char *order) {
    if (value->kind != OCI_VALUE_LAYER || value->rank != (int)strlen(order)) return false;
    for (int i = 0; i < value->rank; i++) {
        oci_axis wanted = order[i] == 'n'   ? OCI_N
                          : order[i] == 'c' ? OCI_C
                          : order[i] == 'h' ? OCI_H
                                            : OCI_W;
        if (value->axis[i] == wanted) continue;
        if (value->axis[i] == OCI_N || wanted == OCI_N) return false;
        if (oci_axis_size(x, value, value->axis[i]) != 1 || oci_axis_size(x, value, wanted) != 1)
            return false;
    }
    return true;
}

int oci_channel_axis(const oci_value *value) {
    for (int i = 0; i < value->rank; i++)
        if (value->axis[i] == OCI_C) return i;
    return -1;
}

oc_status oci_add_layer(oci_import *x, const oci_onnx_node *node, int op, const oc_attrs *attrs,
                        const int *inputs, int count, int *out, oc_error *err) {
    oc_error why = {0};
    oc_shape in[OC_MAX_INPUTS];
    oci_layer layer = {.op = op, .input_count = count, .attrs = *attrs};
    *out = -1;
    for (int i = 0; i < count; i++) {
        layer.inputs[i] = inputs[i];
        in[i] = x->layers[inputs[i]].shape;
    }
    layer.shape = in[0];
    layer.name = oci_layer_name(x, node, NULL);
    if (layer.name == NULL) return oc_fail_nomem(err, OC_NAME_BYTES, x->where);
    if (op < OC_OP_COUNT &&
        oc_op_shape((oc_op)op, layer.name, attrs, in, count, &layer.shape, &why) != OC_OK)
        return oci_lack(x, node, "%s", why.message);
    if (layer.shape.dim[2] == 0)
        return oci_lack(x, node, "does not fit what reaches it, %lldx%lldx%lld (c, h, w)",
                        (long long)in[0].dim[1], (long long)in[0].dim[2], (long long)in[0].dim[3]);
    OC_TRY(oc_grow(&x->layers, &x->layer_room, x->layer_count + 1, sizeof layer, err));
    x->layers[x->layer_count] = layer;
    *out = (int)x->layer_count;
    x->layer_count++;
    return OC_OK;
}

void oci_set_output(oci_import *x, const oci_onnx_node *node, size_t k, int layer,
                    const oci_value *like) {
    static const oci_axis planes[] = {OCI_N, OCI_C, OCI_H, OCI_W};
    oci_value *value = node->output_count > k ? oci_value_of(x, node->outputs[k]) : NULL;
    if (value == NULL || layer < 0) return;
    oci_value result = {.rank = 4};
    memcpy(result.axis, planes, sizeof planes);
    if (like != NULL) result = *like;
    result.kind = OCI_VALUE_LAYER;
    result.layer = layer;
    *value = result;
}

void oci_set_layer(oci_import *x, const oci_onnx_node *node, int layer, const oci_value *like) {
    oci_set_output(x, node, 0, layer, like);
}

void oci_set_alias(oci_import *x, const oci_onnx_node *node, const oci_value *value) {
    oci_value *out = node->output_count > 0 ? oci_value_of(x, node->outputs[0]) : NULL;
    if (out != NULL) *out = *value;
}

oc_status oci_add_pointwise(oci_import *x, const oci_onnx_node *node, int op, const oc_attrs *attrs,
                            const oci_value *from, oc_error *err) {
    int layer = -1;
    const oc_attrs none = {0};
    const oc_attrs fallback = op < OC_OP_COUNT ? oc_attrs_default((oc_op)op) : none;
    OC_TRY(oci_add_layer(x, node, op, attrs != NULL ? attrs : &fallback, &from->layer, 1, &layer,
                         err));
    oci_set_layer(x, node, layer, from);
    return OC_OK;
}

/* ---- names of layers ------------------------------------------------------------------------- */

/* "layer1.0.conv1" of "/layer1/layer1.0/conv1/Conv": torch names a node by the modules it is in,
 * each with its own path. Nothing where the op stands in no module. */
static void join_modules(const char *path, char out[OC_NAME_BYTES]) {
    size_t size = 0;
    out[0] = '\0';
    while (*path == '/') path++;
    for (const char *next = strchr(path, '/'); next != NULL; next = strchr(path, '/')) {
        size_t part = (size_t)(next - path);
        bool longer = part > size && strncmp(path, out, size) == 0 && path[size] == '.';
        if (size > 0 && !longer) {
            if (size + 1 + part >= OC_NAME_BYTES) return;
            out[size++] = '.';
            memcpy(out + size, path, part);
            size += part;
        } else {
            if (part >= OC_NAME_BYTES) return;
            memcpy(out, path, part);
            size = part;
        }
        out[size] = '\0';
        path = next + 1;
    }
}

/* The end of a name that is too long, from a character's first byte on. */
static const char *fitting(const char *name) {
    size_t size = strlen(name), most = OC_NAME_BYTES - 16;
    if (size <= most) return name;
    for (name += size - most; ((unsigned char)*name & 0xC0) == 0x80; name++) {
    }
    return name;
}

static bool names_a_weight(const char *weight) {
    return weight != NULL && oc_ends_with(weight, ".weight") && strlen(weight) > 7;
}

const char *oci_layer_name(oci_import *x, const oci_onnx_node *node, const char *weight) {
    char modules[OC_NAME_BYTES];
    const char *title = title_of(node);
    if (names_a_weight(weight)) {
        char *copy = oc_pool_strdup(x->pool, weight);
        if (copy == NULL) return NULL;
        copy[strlen(copy) - strlen(".weight")] = '\0';
        return fitting(copy);
    }
    if (title[0] == '/') {
        join_modules(title, modules);
        if (modules[0] != '\0') return oc_pool_strdup(x->pool, fitting(modules));
    }
    while (*title == '/') title++;
    return oc_pool_strdup(x->pool, title[0] != '\0' ? fitting(title) : node->op);
}

oc_status oci_name_layer(oci_import *x, int layer, const oci_onnx_node *node, const char *weight,
                         oc_error *err) {
    if (!names_a_weight(weight)) return OC_OK;
    const char *name = oci_layer_name(x, node, weight);
    if (name == NULL) return oc_fail_nomem(err, OC_NAME_BYTES, x->where);
    x->layers[layer].name = name;
    return OC_OK;
}
