/* Reading a weights file in the safetensors format. Writing is safetensors_write.c.
 *
 *   u64 little-endian header size | JSON header | data
 *   header: {"name": {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, ...,
 *            "__metadata__": {"key": "text", ...}}
 *
 * Nothing is copied: tensors are views into the bytes. Before any view is handed out, the entries,
 * sorted by offset, have been shown to tile the data exactly: no hole, no overlap, no end beyond
 * the file, and each as long as its shape and type say.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_int.h"

enum { PREFIX_BYTES = 8, MAX_HEADER_BYTES = 100000000 };

#define METADATA_KEY "__metadata__"

struct oc_safetensors {
    oc_map map; /* empty when parsed from memory */
    oc_tensors *tensors;
    json_t *header;
};

/* One tensor of the header, checked on its own but not yet against its neighbours. */
typedef struct extent {
    const char *name; /* borrowed from the header */
    oc_tensor tensor; /* data not set */
    uint64_t begin, end;
} extent;

/* What a parse works on. */
typedef struct source {
    const char *where;
    const uint8_t *data; /* behind the header */
    uint64_t size;       /* of data */
} source;

static uint64_t read_u64(const uint8_t *p) {
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--) value = value << 8 | p[i];
    return value;
}

static oc_status check_header_size(const char *where, uint64_t header, size_t file, oc_error *err) {
    if (header > MAX_HEADER_BYTES) {
        return oc_fail(err, OC_EFORMAT,
                       "%s: header of %" PRIu64 " bytes, at most %d: no safetensors file, or a "
                       "damaged one",
                       where, header, MAX_HEADER_BYTES);
    }
    if (header > file - PREFIX_BYTES) {
        return oc_fail(err, OC_EFORMAT,
                       "%s: header of %" PRIu64 " bytes, but the file has %zu: truncated, copy it "
                       "again",
                       where, header, file);
    }
    return OC_OK;
}

static oc_status read_header(oc_safetensors *st, source *src, const uint8_t *bytes, size_t size,
                             oc_error *err) {
    if (size < PREFIX_BYTES) {
        return oc_fail(err, OC_EFORMAT, "%s: %zu bytes, a safetensors file has at least %d",
                       src->where, size, PREFIX_BYTES);
    }
    uint64_t header = read_u64(bytes);
    OC_TRY(check_header_size(src->where, header, size, err));
    const char *text = (const char *)bytes + PREFIX_BYTES;
    if (header == 0 || text[0] != '{') {
        return oc_fail(err, OC_EFORMAT, "%s: the header does not begin with '{'", src->where);
    }
    src->data = bytes + PREFIX_BYTES + header;
    src->size = size - PREFIX_BYTES - header;
    return oc_json_parse(text, (size_t)header, src->where, &st->header, err);
}

static oc_status check_metadata(const char *where, const json_t *metadata, oc_error *err) {
    const char *key;
    json_t *value;
    if (!json_is_object(metadata)) {
        return oc_fail(err, OC_EFORMAT, "%s: %s is not an object", where, METADATA_KEY);
    }
    json_object_foreach((json_t *)metadata, key, value) {
        if (json_is_string(value)) continue;
        return oc_fail(err, OC_EFORMAT, "%s: %s: \"%.100s\" is not a string", where, METADATA_KEY,
                       key);
    }
    return OC_OK;
}

static oc_status read_shape(const json_t *o, const char *where, oc_shape *shape, oc_error *err) {
    json_t *array = NULL;
    OC_TRY(oc_json_get_array(o, "shape", where, &array, err));
    size_t rank = json_array_size(array);
    if (rank > OC_MAX_RANK) {
        return oc_fail(err, OC_EUNSUPPORTED, "%s: %zu dimensions, at most %d", where, rank,
                       OC_MAX_RANK);
    }
    shape->rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        const json_t *dim = json_array_get(array, i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0) {
            return oc_fail(err, OC_EFORMAT, "%s: dimension %zu is no whole number from 0 up", where,
                           i);
        }
        shape->dim[i] = json_integer_value(dim);
    }
    return OC_OK;
}

static oc_status read_offsets(const json_t *o, const char *where, const source *src, extent *e,
                              oc_error *err) {
    json_t *array = NULL;
    OC_TRY(oc_json_get_array(o, "data_offsets", where, &array, err));
    const json_t *begin = json_array_get(array, 0), *end = json_array_get(array, 1);
    if (json_array_size(array) != 2 || !json_is_integer(begin) || !json_is_integer(end)) {
        return oc_fail(err, OC_EFORMAT, "%s: data_offsets are not two whole numbers", where);
    }
    int64_t from = json_integer_value(begin), to = json_integer_value(end);
    if (from < 0 || to < from || (uint64_t)to > src->size) {
        return oc_fail(err, OC_EFORMAT,
                       "%s: data_offsets %" PRId64 " to %" PRId64
                       ", outside the file's 0 to %" PRIu64 ": damaged or truncated",
                       where, from, to, src->size);
    }
    e->begin = (uint64_t)from;
    e->end = (uint64_t)to;
    return OC_OK;
}

static oc_status check_length(const char *where, const extent *e, oc_error *err) {
    char text[OC_SHAPE_TEXT];
    size_t count = 0, bytes = 0;
    const oc_tensor *t = &e->tensor;
    if (!oc_shape_count(&t->shape, &count) ||
        !oc_mul_size(count, oc_dtype_bytes(t->dtype), &bytes)) {
        return oc_fail(err, OC_EFORMAT, "%s: the shape %s is larger than any memory", where,
                       oc_shape_text(text, &t->shape));
    }
    if (bytes == e->end - e->begin) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: %s of %s needs %zu bytes, data_offsets give it %" PRIu64,
                   where, oc_shape_text(text, &t->shape), oc_dtype_name(t->dtype), bytes,
                   e->end - e->begin);
}

static oc_status read_extent(const json_t *o, const source *src, extent *e, oc_error *err) {
    char where[320];
    (void)snprintf(where, sizeof where, "%.180s: tensor %.100s", src->where, e->name);
    const char *word = NULL;
    OC_TRY(oc_json_get_string(o, "dtype", where, &word, err));
    if (!oc_dtype_parse(word, &e->tensor.dtype)) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s: element type %.32s is not handled; save it as F32 or F16", where, word);
    }
    OC_TRY(read_shape(o, where, &e->tensor.shape, err));
    OC_TRY(read_offsets(o, where, src, e, err));
    return check_length(where, e, err);
}

static oc_status read_extents(const json_t *header, const source *src, extent *extents,
                              size_t *count, oc_error *err) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)header, key, value) {
        if (strcmp(key, METADATA_KEY) == 0) {
            OC_TRY(check_metadata(src->where, value, err));
            continue;
        }
        extent *e = &extents[(*count)++];
        e->name = key;
        OC_TRY(read_extent(value, src, e, err));
    }
    return OC_OK;
}

static int by_offset(const void *a, const void *b) {
    const extent *p = a, *q = b;
    if (p->begin != q->begin) return p->begin < q->begin ? -1 : 1;
    return p->end < q->end ? -1 : p->end > q->end;
}

/* The extents, sorted, must cover the data without hole or overlap. */
static oc_status check_tiling(const source *src, const extent *extents, size_t count,
                              oc_error *err) {
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const extent *e = &extents[i];
        if (e->begin != at) {
            return oc_fail(err, OC_EFORMAT,
                           "%s: tensor %.100s begins at %" PRIu64
                           ", the one before ends at %" PRIu64 ": %s",
                           src->where, e->name, e->begin, at,
                           e->begin < at ? "they overlap" : "there is a hole");
        }
        at = e->end;
    }
    if (at == src->size) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: tensors cover %" PRIu64 " of %" PRIu64 " bytes of data",
                   src->where, at, src->size);
}

static oc_status add_views(oc_safetensors *st, const source *src, extent *extents, size_t count,
                           oc_error *err) {
    for (size_t i = 0; i < count; i++) {
        extents[i].tensor.data = (void *)(src->data + extents[i].begin); /* only ever read */
        OC_TRY(oc_tensors_add_view(st->tensors, extents[i].name, &extents[i].tensor, err));
    }
    return OC_OK;
}

static oc_status read_tensors(oc_safetensors *st, const source *src, oc_error *err) {
    oc_status status = OC_OK;
    size_t entries = json_object_size(st->header), count = 0;
    extent *extents = oc_calloc(entries + 1, sizeof *extents);
    if (extents == NULL) return oc_fail_nomem(err, entries * sizeof *extents, src->where);
    OC_GOTO(read_extents(st->header, src, extents, &count, err));
    qsort(extents, count, sizeof *extents, by_offset);
    OC_GOTO(check_tiling(src, extents, count, err));
    OC_GOTO(oc_tensors_new(&st->tensors, err));
    status = add_views(st, src, extents, count, err);
done:
    oc_free(extents);
    return status;
}

static oc_status new_handle(oc_safetensors **out, oc_error *err) {
    *out = oc_calloc(1, sizeof **out);
    return *out != NULL ? OC_OK : oc_fail_nomem(err, sizeof **out, "a weights file");
}

static oc_status parse_into(oc_safetensors *st, const void *bytes, size_t size, const char *where,
                            oc_error *err) {
    source src = {.where = where};
    OC_TRY(read_header(st, &src, bytes, size, err));
    return read_tensors(st, &src, err);
}

oc_status oc_safetensors_parse(oc_safetensors **out, const void *bytes, size_t size,
                               const char *where, oc_error *err) {
    oc_safetensors *st = NULL;
    *out = NULL;
    OC_TRY(new_handle(&st, err));
    oc_status status = OC_OK;
    OC_GOTO(parse_into(st, bytes, size, where, err));
    *out = st;
    st = NULL;
done:
    oc_safetensors_close(st);
    return status;
}

oc_status oc_safetensors_open(oc_safetensors **out, const char *path, oc_error *err) {
    oc_safetensors *st = NULL;
    *out = NULL;
    OC_TRY(new_handle(&st, err));
    oc_status status = OC_OK;
    OC_GOTO(oc_map_open(&st->map, path, err));
    OC_GOTO(parse_into(st, st->map.data, st->map.size, path, err));
    *out = st;
    st = NULL;
done:
    oc_safetensors_close(st);
    return status;
}

void oc_safetensors_close(oc_safetensors *st) {
    if (st == NULL) return;
    oc_tensors_free(st->tensors);
    json_decref(st->header);
    oc_map_close(&st->map);
    oc_free(st);
}

const oc_tensors *oc_safetensors_tensors(const oc_safetensors *st) {
    return st->tensors;
}

const char *oc_safetensors_metadata(const oc_safetensors *st, const char *key) {
    return json_string_value(json_object_get(json_object_get(st->header, METADATA_KEY), key));
}
