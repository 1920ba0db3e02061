/* Tensors of an ONNX file: their shape, and where their values are.
 *
 * Three places are allowed: raw bytes, a list of numbers, a file beside. What a shape needs is
 * compared with what is there before anything is read.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "interop/onnx/read_int.h"

static void *pool_array(oc_pool *pool, size_t count, size_t size) {
    size_t bytes = 0;
    return oc_mul_size(count, size, &bytes) ? oc_pool_alloc(pool, bytes) : NULL;
}

oc_status oci_onnx_count(oci_wire w, uint32_t number, size_t *out, oc_error *err) {
    oci_wire_field f;
    bool more = true;
    for (*out = 0;;) {
        OC_TRY(oci_wire_next(&w, &f, &more, err));
        if (!more) return OC_OK;
        *out += f.number == number;
    }
}

/* ---- lists of numbers ----------------------------------------------------------------------- */

/* A number on the wire, of `size` bytes (0 = a varint), into entry `at` of a list. */
typedef void put_number(void *list, size_t at, uint64_t bits);

static void put_int(void *list, size_t at, uint64_t bits) {
    ((int64_t *)list)[at] = (int64_t)bits;
}

static void put_float(void *list, size_t at, uint64_t bits) {
    uint32_t low = (uint32_t)bits;
    memcpy((float *)list + at, &low, sizeof low);
}

static void put_double(void *list, size_t at, uint64_t bits) {
    memcpy((double *)list + at, &bits, sizeof bits);
}

typedef struct list {
    put_number *put;
    oci_wire_type type; /* of one number that stands alone */
    size_t bytes;       /* of an entry in memory */
    void *entries;      /* NULL while they are counted */
    size_t count;
} list;

static oc_status take_packed(list *l, const oci_wire *w, const oci_wire_field *f, oc_error *err) {
    oci_wire inner;
    size_t size = l->type == OCI_WIRE_FIXED32 ? 4 : 8;
    OC_TRY(oci_wire_enter(w, f, "a list", &inner, err));
    if (l->type != OCI_WIRE_VARINT) {
        if (f->size % size != 0)
            return oc_fail(err, OC_EFORMAT, "%s: a list of %zu bytes, not a multiple of %zu",
                           w->where, f->size, size);
        for (size_t i = 0; i < f->size / size && l->entries != NULL; i++) {
            uint64_t bits = 0;
            for (size_t k = 0; k < size; k++) bits |= (uint64_t)f->bytes[i * size + k] << (8 * k);
            l->put(l->entries, l->count + i, bits);
        }
        l->count += f->size / size;
        return OC_OK;
    }
    for (;;) {
        uint64_t value = 0;
        bool more = false;
        OC_TRY(oci_wire_varint(&inner, &value, &more, err));
        if (!more) return OC_OK;
        if (l->entries != NULL) l->put(l->entries, l->count, value);
        l->count++;
    }
}

static oc_status walk(list *l, oci_wire w, uint32_t number, oc_error *err) {
    oci_wire_field f;
    bool more = true;
    for (l->count = 0;;) {
        OC_TRY(oci_wire_next(&w, &f, &more, err));
        if (!more) return OC_OK;
        if (f.number != number) continue;
        if (f.type == OCI_WIRE_BYTES) {
            OC_TRY(take_packed(l, &w, &f, err));
            continue;
        }
        OC_TRY(oci_wire_expect(&w, &f, l->type, "a number", err));
        if (l->entries != NULL) l->put(l->entries, l->count, f.value);
        l->count++;
    }
}

/* Counted first, so that memory is taken for what is there. */
static oc_status read_list(oci_onnx_doc *doc, oci_wire w, uint32_t number, list *l, oc_error *err) {
    OC_TRY(walk(l, w, number, err));
    if (l->count == 0) return OC_OK;
    l->entries = pool_array(doc->pool, l->count, l->bytes);
    if (l->entries == NULL) return oc_fail_nomem(err, l->count * l->bytes, doc->where);
    return walk(l, w, number, err);
}

oc_status oci_onnx_ints(oci_onnx_doc *doc, oci_wire w, uint32_t number, const int64_t **out,
                        size_t *count, oc_error *err) {
    list l = {.put = put_int, .type = OCI_WIRE_VARINT, .bytes = sizeof(int64_t)};
    OC_TRY(read_list(doc, w, number, &l, err));
    *out = l.entries;
    *count = l.count;
    return OC_OK;
}

/* ---- a tensor -------------------------------------------------------------------------------- */

static oc_status read_shape(oci_onnx_doc *doc, const oci_wire *w, oci_onnx_tensor *t,
                            oc_error *err) {
    const int64_t *dims = NULL;
    size_t rank = 0;
    OC_TRY(oci_onnx_ints(doc, *w, OCI_TENSOR_DIMS, &dims, &rank, err));
    if (rank > OC_MAX_RANK)
        return oc_fail(err, OC_EFORMAT, "%s: tensor '%s' has %zu dimensions, at most %d", w->where,
                       t->name, rank, OC_MAX_RANK);
    t->shape.rank = (int)rank;
    for (size_t i = 0; i < rank; i++) t->shape.dim[i] = dims[i];
    if (oc_shape_count(&t->shape, &t->count) && t->count <= SIZE_MAX / 16) return OC_OK;
    char text[OC_SHAPE_TEXT];
    return oc_fail(err, OC_EFORMAT, "%s: tensor '%s' of %s: no such size", w->where, t->name,
                   oc_shape_text(text, &t->shape));
}

static oc_status read_lists(oci_onnx_doc *doc, const oci_wire *w, oci_onnx_tensor *t,
                            oc_error *err) {
    list floats = {.put = put_float, .type = OCI_WIRE_FIXED32, .bytes = sizeof(float)};
    list doubles = {.put = put_double, .type = OCI_WIRE_FIXED64, .bytes = sizeof(double)};
    list ints = {.put = put_int, .type = OCI_WIRE_VARINT, .bytes = sizeof(int64_t)};
    if (t->type == OCI_ONNX_FLOAT) OC_TRY(read_list(doc, *w, OCI_TENSOR_FLOATS, &floats, err));
    if (t->type == OCI_ONNX_DOUBLE) OC_TRY(read_list(doc, *w, OCI_TENSOR_DOUBLES, &doubles, err));
    uint32_t number = t->type == OCI_ONNX_INT64 ? OCI_TENSOR_INT64S : OCI_TENSOR_INT32S;
    bool own = t->type == OCI_ONNX_FLOAT || t->type == OCI_ONNX_DOUBLE; /* has a list of its own */
    if (!own) OC_TRY(read_list(doc, *w, number, &ints, err));
    t->floats = floats.entries;
    t->doubles = doubles.entries;
    t->ints = ints.entries;
    t->listed = floats.count + doubles.count + ints.count;
    return OC_OK;
}

static oc_status read_place(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                            oci_onnx_tensor *t, oc_error *err) {
    const char *key = "", *value = "";
    oci_wire entry;
    oci_wire_field g;
    bool more = true;
    int64_t number = 0;
    OC_TRY(oci_wire_enter(w, f, "an entry of external data", &entry, err));
    for (;;) {
        OC_TRY(oci_wire_next(&entry, &g, &more, err));
        if (!more) break;
        if (g.number == OCI_ENTRY_KEY)
            OC_TRY(oci_wire_text(&entry, &g, "a key", doc->pool, &key, err));
        if (g.number == OCI_ENTRY_VALUE)
            OC_TRY(oci_wire_text(&entry, &g, "a value", doc->pool, &value, err));
    }
    if (strcmp(key, "location") == 0) t->location = value;
    bool offset = strcmp(key, "offset") == 0;
    if (!offset && strcmp(key, "length") != 0) return OC_OK;
    if (!oc_parse_i64(value, 0, INT64_MAX, &number))
        return oc_fail(err, OC_EFORMAT, "%s: tensor '%s': %s of external data is \"%.40s\"",
                       w->where, t->name, key, value);
    *(offset ? &t->offset : &t->length) = (uint64_t)number;
    return OC_OK;
}

static oc_status read_tensor_field(oci_onnx_doc *doc, const oci_wire *w, const oci_wire_field *f,
                                   oci_onnx_tensor *t, oc_error *err) {
    switch (f->number) {
    case OCI_TENSOR_TYPE:
        OC_TRY(oci_wire_expect(w, f, OCI_WIRE_VARINT, "a tensor's type", err));
        t->type = f->value <= INT32_MAX ? (int)f->value : 0;
        return OC_OK;
    case OCI_TENSOR_NAME:
        return oci_wire_text(w, f, "a tensor's name", doc->pool, &t->name, err);
    case OCI_TENSOR_RAW:
        OC_TRY(oci_wire_expect(w, f, OCI_WIRE_BYTES, "a tensor's values", err));
        t->raw = f->bytes;
        t->raw_bytes = f->size;
        return OC_OK;
    case OCI_TENSOR_EXTERNAL:
        return read_place(doc, w, f, t, err);
    case OCI_TENSOR_LOCATION:
        OC_TRY(oci_wire_expect(w, f, OCI_WIRE_VARINT, "a tensor's location", err));
        t->external = f->value == OCI_LOCATION_EXTERNAL;
        return OC_OK;
    default:
        return OC_OK;
    }
}

oc_status oci_onnx_read_tensor(oci_onnx_doc *doc, const oci_wire *w, oci_onnx_tensor *out,
                               oc_error *err) {
    oci_wire message = *w;
    oci_wire_field f;
    bool more = true;
    *out = (oci_onnx_tensor){.name = ""};
    for (;;) {
        OC_TRY(oci_wire_next(&message, &f, &more, err));
        if (!more) break;
        OC_TRY(read_tensor_field(doc, &message, &f, out, err));
    }
    OC_TRY(read_shape(doc, w, out, err));
    return read_lists(doc, w, out, err);
}

/* ---- files beside --------------------------------------------------------------------------- */

/* A plain name in the folder, or in folders below it: no root, no way up. */
static bool stays_within(const char *location) {
    if (location[0] == '\0' || location[0] == '/') return false;
    for (const char *part = location; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        size_t size = strcspn(part, "/");
        if (size == 0 || (size <= 2 && strncmp(part, "..", size) == 0)) return false;
    }
    return strchr(location, '\\') == NULL;
}

static oc_status open_file(oci_onnx_doc *doc, const char *folder, const char *location,
                           const oc_map **out, oc_error *err) {
    char path[OC_PATH_BYTES];
    for (size_t i = 0; i < doc->map_count; i++) {
        *out = &doc->maps[i].map;
        if (strcmp(doc->maps[i].location, location) == 0) return OC_OK;
    }
    OC_TRY(oc_path_join(path, folder, location, err));
    OC_TRY(oc_grow(&doc->maps, &doc->map_room, doc->map_count + 1, sizeof *doc->maps, err));
    oci_onnx_map *map = &doc->maps[doc->map_count];
    map->location = location;
    OC_TRY(oc_map_open(&map->map, path, err));
    doc->map_count++;
    *out = &map->map;
    return OC_OK;
}

oc_status oci_onnx_bring(oci_onnx_doc *doc, const char *folder, oci_onnx_tensor *t, oc_error *err) {
    const oc_map *map = NULL;
    const char *location = t->location != NULL ? t->location : "";
    if (folder == NULL || !stays_within(location))
        return oc_fail(err, OC_EFORMAT,
                       "%s: tensor '%s' lies in \"%.200s\": only files beside the model are read",
                       doc->where, t->name, location);
    OC_TRY(open_file(doc, folder, location, &map, err));
    if (t->offset > map->size || t->length > map->size - t->offset)
        return oc_fail(err, OC_EFORMAT,
                       "%s: tensor '%s' is %" PRIu64 " bytes at %" PRIu64
                       " of %s, which has %zu: another file, or truncated",
                       doc->where, t->name, t->length, t->offset, location, map->size);
    t->raw = map->data + t->offset;
    t->raw_bytes = t->length > 0 ? (size_t)t->length : map->size - (size_t)t->offset;
    return OC_OK;
}
