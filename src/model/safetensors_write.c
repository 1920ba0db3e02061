/* Writing a weights file in the safetensors format, so that other programs read it too: element
 * types in falling size (every tensor is aligned to its type), the header padded to 8 bytes, and
 * {"format": "pt"} in the metadata, without which torch users' loaders refuse the file.
 *
 * The same set gives the same bytes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "model/model_int.h"

enum { ALIGN_BYTES = 8 };

static oc_status put_metadata(json_t *header, const json_t *metadata, oc_error *err) {
    const char *key;
    json_t *value;
    json_t *o = json_object();
    OC_TRY(oci_json_put(header, "__metadata__", o, err));
    OC_TRY(oci_json_put(o, "format", json_string("pt"), err));
    if (metadata == NULL) return OC_OK;
    json_object_foreach((json_t *)metadata, key, value) {
        if (!json_is_string(value)) {
            return oc_fail(err, OC_EUSAGE, "metadata \"%s\" of a weights file is not a string",
                           key);
        }
        OC_TRY(oci_json_put(o, key, json_incref(value), err));
    }
    return OC_OK;
}

static oc_status put_shape(json_t *entry, const oc_shape *shape, oc_error *err) {
    json_t *array = json_array();
    OC_TRY(oci_json_put(entry, "shape", array, err));
    for (int i = 0; i < shape->rank; i++) {
        OC_TRY(oci_json_push(array, json_integer(shape->dim[i]), err));
    }
    return OC_OK;
}

/* Describe tensor t at `at` and move `at` behind it. */
static oc_status put_tensor(json_t *header, const char *name, const oc_tensor *t, uint64_t *at,
                            oc_error *err) {
    json_t *entry = json_object();
    OC_TRY(oci_json_put(header, name, entry, err));
    OC_TRY(oci_json_put(entry, "dtype", json_string(oc_dtype_name(t->dtype)), err));
    OC_TRY(put_shape(entry, &t->shape, err));
    json_t *offsets = json_array();
    OC_TRY(oci_json_put(entry, "data_offsets", offsets, err));
    OC_TRY(oci_json_push(offsets, json_integer((json_int_t)*at), err));
    *at += oc_tensor_bytes(t);
    return oci_json_push(offsets, json_integer((json_int_t)*at), err);
}

/* Calls visit for each tensor, those of larger elements first, else in the order of the set. */
static oc_status for_each(const oc_tensors *set,
                          oc_status (*visit)(void *ctx, const char *name, const oc_tensor *t,
                                             oc_error *err),
                          void *ctx, oc_error *err) {
    for (size_t bytes = 8; bytes > 0; bytes /= 2) {
        for (size_t i = 0; i < oc_tensors_count(set); i++) {
            const oc_tensor *t = oc_tensors_at(set, i);
            if (oc_dtype_bytes(t->dtype) != bytes) continue;
            OC_TRY(visit(ctx, oc_tensors_name(set, i), t, err));
        }
    }
    return OC_OK;
}

typedef struct layout {
    json_t *header;
    uint64_t at;
} layout;

static oc_status describe(void *ctx, const char *name, const oc_tensor *t, oc_error *err) {
    layout *l = ctx;
    return put_tensor(l->header, name, t, &l->at, err);
}

static oc_status write_data(void *ctx, const char *name, const oc_tensor *t, oc_error *err) {
    (void)name;
    return oc_writer_write(ctx, t->data, oc_tensor_bytes(t), err);
}

/* The length prefix and the header, padded with spaces. */
static oc_status make_head(oc_buf *head, const oc_tensors *set, const json_t *metadata,
                           oc_error *err) {
    layout l = {.header = json_object()};
    oc_status status = OC_OK;
    uint8_t prefix[ALIGN_BYTES] = {0};
    if (l.header == NULL) return oc_fail_nomem(err, 0, "a weights file's header");
    OC_GOTO(put_metadata(l.header, metadata, err));
    OC_GOTO(for_each(set, describe, &l, err));
    oc_buf_append(head, prefix, sizeof prefix);
    OC_GOTO(oc_json_append(head, l.header, err));
    while (!head->failed && head->size % ALIGN_BYTES != 0) oc_buf_puts(head, " ");
    OC_GOTO(oc_buf_status(head, err));
    uint64_t size = head->size - ALIGN_BYTES;
    for (int i = 0; i < ALIGN_BYTES; i++) head->data[i] = (char)(size >> (8 * i) & 0xFF);
done:
    json_decref(l.header);
    return status;
}

oc_status oc_safetensors_write(const char *path, const oc_tensors *set, const json_t *metadata,
                               oc_error *err) {
    oc_buf head = {0};
    oc_writer *w = NULL;
    oc_status status = OC_OK;
    OC_GOTO(make_head(&head, set, metadata, err));
    OC_GOTO(oc_writer_new(&w, path, err));
    OC_GOTO(oc_writer_write(w, head.data, head.size, err));
    OC_GOTO(for_each(set, write_data, w, err));
    status = oc_writer_commit(w, err);
done:
    oc_writer_free(w);
    oc_buf_clear(&head);
    return status;
}
