/* A side that another program has recorded: a .safetensors file with "input" (n, c, h, w), "output"
 * (n, ...) and the values of layers under their names; metadata "order" lists these, a line each,
 * as they were computed.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "interop/verify/verify_int.h"

enum { MOST_IMAGES = 4096, MOST_SIDE = 65536, MOST_TENSORS = 10000 };

static oc_status check_shape(const oc_tensor *t, const char *name, int64_t images,
                             const char *where, oc_error *err) {
    char text[OC_SHAPE_TEXT];
    if (t->shape.rank >= 2 && t->shape.dim[0] == images) return OC_OK;
    return oc_fail(err, OC_EMISMATCH,
                   "%s: tensor \"%s\" is %s; its first dimension should be the %lld images of "
                   "\"input\", with values behind it",
                   where, name, oc_shape_text(text, &t->shape), (long long)images);
}

static oc_status check_finite(const oci_values *v, size_t count, const char *where, oc_error *err) {
    for (size_t i = 0; i < count; i++) {
        if (isfinite(v->at[i])) continue;
        return oc_fail(err, OC_ENUMERIC,
                       "%s: tensor \"%s\" holds %g as its value %zu: the recorded network had gone "
                       "wrong there already",
                       where, v->name, (double)v->at[i], i);
    }
    return OC_OK;
}

/* The next entry, from tensor `name` of the file. */
static oc_status take(oci_side *side, const oc_tensors *set, const char *name, int64_t images,
                      const char *where, oc_error *err) {
    const oc_tensor *t = oc_tensors_find(set, name);
    oci_values *v = &side->nodes[side->count];
    OC_TRY(check_shape(t, name, images, where, err));
    size_t count = oc_tensor_count(t), bytes = 0;
    *v = (oci_values){.name = name, .op = OCI_ANY_OP, .volume = count / (size_t)images};
    v->shape.rank = t->shape.rank - 1;
    memcpy(v->shape.dim, t->shape.dim + 1, (size_t)v->shape.rank * sizeof *v->shape.dim);
    if (!oc_mul_size(count, sizeof *v->at, &bytes))
        return oc_fail(err, OC_ELIMIT, "%s: tensor \"%s\" is too large", where, name);
    v->at = oc_malloc(bytes);
    if (v->at == NULL) return oc_fail_nomem(err, bytes, "recorded values");
    if (strcmp(name, "output") == 0) side->output = side->count;
    side->count++;
    oc_status status = oc_tensor_to_f32(v->at, t->data, t->dtype, count, err);
    if (status != OC_OK) return oc_error_context(err, status, "%s: tensor \"%s\"", where, name);
    return check_finite(v, count, where, err);
}

static bool is_taken(const oci_side *side, const char *name) {
    for (size_t i = 0; i < side->count; i++) {
        if (strcmp(side->nodes[i].name, name) == 0) return true;
    }
    return false;
}

/* The name in the set that a line of the order stands for, or NULL. */
static const char *find_name(const oc_tensors *set, const char *line, size_t size) {
    for (size_t i = 0; i < oc_tensors_count(set); i++) {
        const char *name = oc_tensors_name(set, i);
        if (strlen(name) == size && memcmp(name, line, size) == 0) return name;
    }
    return NULL;
}

static oc_status take_ordered(oci_side *side, const oc_tensors *set, const char *order,
                              int64_t images, const char *where, oc_error *err) {
    side->ordered = order != NULL;
    for (const char *line = order; line != NULL && *line != '\0';) {
        size_t size = strcspn(line, "\n");
        const char *name = find_name(set, line, size);
        if (name != NULL && !is_taken(side, name))
            OC_TRY(take(side, set, name, images, where, err));
        line += size + (line[size] == '\n');
    }
    return OC_OK;
}

static oc_status check_ends(const oc_tensors *set, const char *where, size_t *images,
                            oc_error *err) {
    const oc_tensor *input = oc_tensors_find(set, "input"),
                    *output = oc_tensors_find(set, "output");
    char text[OC_SHAPE_TEXT];
    if (input == NULL || output == NULL)
        return oc_fail(err, OC_EFORMAT,
                       "%s: no tensor \"%s\"; recorded values need \"input\" (n, c, h, w) and "
                       "\"output\", as docs/03-interop.md records them",
                       where, input == NULL ? "input" : "output");
    const oc_shape *s = &input->shape;
    bool good = s->rank == 4 && s->dim[0] >= 1 && s->dim[0] <= MOST_IMAGES;
    for (int i = 1; i < s->rank; i++) good &= s->dim[i] >= 1 && s->dim[i] <= MOST_SIDE;
    if (!good)
        return oc_fail(
            err, OC_EFORMAT,
            "%s: \"input\" is %s; it should be (n, c, h, w), with n of 1 to %d and sides "
            "of 1 to %d",
            where, oc_shape_text(text, s), MOST_IMAGES, MOST_SIDE);
    *images = (size_t)s->dim[0];
    return OC_OK;
}

oc_status oci_side_recorded(oci_side *side, const oc_safetensors *file, const char *where,
                            size_t *images, oc_error *err) {
    const oc_tensors *set = oc_safetensors_tensors(file);
    const char *order = oc_safetensors_metadata(file, "order");
    *side = (oci_side){0};
    if (oc_tensors_count(set) > MOST_TENSORS)
        return oc_fail(err, OC_ELIMIT, "%s: %zu tensors; recorded values are at most %d", where,
                       oc_tensors_count(set), MOST_TENSORS);
    OC_TRY(check_ends(set, where, images, err));
    int64_t n = (int64_t)*images;
    side->nodes = oc_calloc(oc_tensors_count(set), sizeof *side->nodes);
    if (side->nodes == NULL) return oc_fail_nomem(err, oc_tensors_count(set), "recorded values");
    OC_TRY(take(side, set, "input", n, where, err));
    OC_TRY(take_ordered(side, set, order, n, where, err));
    for (size_t i = 0; i < oc_tensors_count(set); i++) {
        const char *name = oc_tensors_name(set, i);
        if (!is_taken(side, name)) OC_TRY(take(side, set, name, n, where, err));
    }
    return OC_OK;
}
