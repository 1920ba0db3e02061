/* A store of photos: Caffe's LMDB, whose records are Datum messages. Each becomes an item; what it
 * holds is handed on as the bytes of a file: an encoded photo as it is, raw planes as a PNM.
 *
 * The message is read by hand, in a page: seven fields, of which all but the label are looked at
 * only when the photo is. https://protobuf.dev/programming-guides/encoding.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data/store_int.h"

#include <stdio.h>
#include <string.h>

enum { MAX_KEY_BYTES = 1024, MAX_SIDE = 65500, HEAD_BYTES = 32, PEEK_BYTES = 256 << 20 };

struct oci_store {
    oci_lmdb *db;
    size_t folder_bytes; /* of an item's path, the slash behind it with them */
};

/* ---- Datum ----------------------------------------------------------------------------------- */

typedef struct cursor {
    const uint8_t *at, *end;
} cursor;

static bool read_varint(cursor *c, uint64_t *out) {
    *out = 0;
    for (unsigned shift = 0; shift < 64 && c->at < c->end; shift += 7) {
        uint8_t byte = *c->at++;
        *out |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

/* A field's number and its value, or its bytes; false where the message is damaged. */
static bool read_field(cursor *c, uint64_t *number, uint64_t *value, const uint8_t **bytes) {
    uint64_t key = 0;
    if (!read_varint(c, &key)) return false;
    *number = key >> 3;
    *bytes = NULL;
    size_t fixed = (key & 7) == 1 ? 8 : (key & 7) == 5 ? 4 : 0;
    if ((key & 7) == 0) return read_varint(c, value);
    if ((key & 7) == 2 && !read_varint(c, value)) return false;
    if (fixed > 0) *value = fixed;
    if (((key & 7) != 2 && fixed == 0) || *value > (uint64_t)(c->end - c->at)) return false;
    if (fixed == 0) *bytes = c->at;
    c->at += *value;
    return true;
}

oc_status oci_datum_parse(const void *bytes, size_t size, oci_datum *out, oc_error *err) {
    cursor c = {bytes, (const uint8_t *)bytes + size};
    *out = (oci_datum){0};
    while (c.at < c.end) {
        uint64_t number = 0, value = 0;
        const uint8_t *data = NULL;
        size_t at = (size_t)(c.at - (const uint8_t *)bytes);
        if (!read_field(&c, &number, &value, &data))
            return oc_fail(err, OC_EFORMAT, "a damaged record: no field of a Datum at byte %zu",
                           at);
        int side = value <= MAX_SIDE ? (int)value : -1;
        if (number == 1) out->channels = side;
        if (number == 2) out->height = side;
        if (number == 3) out->width = side;
        if (number == 4) out->data = data, out->size = data != NULL ? (size_t)value : 0;
        if (number == 5) out->label = (int64_t)value;
        if (number == 7) out->encoded = value != 0;
    }
    return OC_OK;
}

/* ---- one photo ------------------------------------------------------------------------------- */

typedef struct target {
    size_t budget;
    char **buffer;
    size_t *capacity, *size;
} target;

static oc_status reserve(const target *t, size_t bytes, oc_error *err) {
    if (bytes > t->budget)
        return oc_fail(err, OC_ELIMIT, "a record of %zu bytes, at most %zu are read", bytes,
                       t->budget);
    *t->size = bytes;
    return oc_grow(t->buffer, t->capacity, bytes > 0 ? bytes : 1, 1, err);
}

/* Planes in the order B, G, R to pixels of R, G, B. */
static void interleave(const oci_datum *d, uint8_t *to) {
    size_t plane = (size_t)d->width * (size_t)d->height, channels = (size_t)d->channels;
    for (size_t c = 0; c < channels; c++) {
        const uint8_t *from = d->data + (channels - 1 - c) * plane;
        for (size_t i = 0; i < plane; i++) to[i * channels + c] = from[i];
    }
}

static oc_status put_planes(const target *t, const oci_datum *d, oc_error *err) {
    char head[HEAD_BYTES];
    bool sized = d->width > 0 && d->height > 0 && (d->channels == 1 || d->channels == 3);
    size_t pixels = sized ? (size_t)d->width * (size_t)d->height * (size_t)d->channels : 0;
    if (!sized || pixels != d->size)
        return oc_fail(err, OC_EFORMAT,
                       "a record of %d x %d pixels of %d channels in %zu bytes: expected planes of "
                       "bytes, grey or BGR, or an encoded photo",
                       d->width, d->height, d->channels, d->size);
    int length = snprintf(head, sizeof head, "P%c\n%d %d\n255\n", d->channels == 3 ? '6' : '5',
                          d->width, d->height);
    OC_TRY(reserve(t, (size_t)length + pixels, err));
    memcpy(*t->buffer, head, (size_t)length);
    interleave(d, (uint8_t *)*t->buffer + length);
    return OC_OK;
}

static oc_status take_photo(void *ctx, oci_bytes_view key, oci_bytes_view value, oc_error *err) {
    const target *t = ctx;
    oci_datum d;
    (void)key;
    OC_TRY(oci_datum_parse(value.data, value.size, &d, err));
    if (!d.encoded) return put_planes(t, &d, err);
    OC_TRY(reserve(t, d.size, err));
    if (d.size > 0) memcpy(*t->buffer, d.data, d.size);
    return OC_OK;
}

oc_status oci_store_read(const oci_store *store, const char *path, size_t budget, char **buffer,
                         size_t *capacity, size_t *size, oc_error *err) {
    target t = {.budget = budget, .buffer = buffer, .capacity = capacity, .size = size};
    if (store == NULL) return oc_file_read_into(path, budget, buffer, capacity, size, err);
    const char *key = path + store->folder_bytes;
    oci_bytes_view name = {(const uint8_t *)key, strlen(key)};
    return oci_lmdb_get(store->db, name, take_photo, &t, err);
}

/* ---- all of them ----------------------------------------------------------------------------- */

bool oci_store_is(const char *path) {
    char file[OC_PATH_BYTES];
    return oc_path_join(file, path, "data.mdb", NULL) == OC_OK && oc_path_is_file(file);
}

void oci_store_free(oci_store *store) {
    if (store == NULL) return;
    oci_lmdb_close(store->db);
    oc_free(store);
}

typedef struct listing {
    oci_builder *b;
    char path[OC_PATH_BYTES]; /* of the folder, then of each item */
    size_t folder_bytes;
} listing;

/* A key becomes part of a path: text that is one line. */
static bool is_plain(oci_bytes_view key) {
    if (key.size == 0 || key.size > MAX_KEY_BYTES || !oc_is_utf8((const char *)key.data, key.size))
        return false;
    for (size_t i = 0; i < key.size; i++)
        if (key.data[i] < ' ' || key.data[i] == 0x7F) return false;
    return true;
}

static oc_status take_item(void *ctx, oci_bytes_view key, oci_bytes_view value, oc_error *err) {
    listing *l = ctx;
    oci_datum d;
    char number[24];
    uint32_t label = 0;
    oc_error told = {0};
    if (!is_plain(key) || l->folder_bytes + key.size >= sizeof l->path) {
        oci_dataset_note_reject(l->b->ds, l->b->ds->source, "a record whose key is no plain text");
        return OC_OK;
    }
    memcpy(l->path + l->folder_bytes, key.data, key.size);
    l->path[l->folder_bytes + key.size] = '\0';
    if (oci_datum_parse(value.data, value.size, &d, &told) != OC_OK) {
        oci_dataset_note_reject(l->b->ds, l->path, told.message);
        return OC_OK;
    }
    (void)snprintf(number, sizeof number, "%lld", (long long)d.label);
    oc_status status = oci_builder_label(l->b, number, &label, err);
    if (status != OC_OK) return oc_error_context(err, status, "%s", l->path);
    return oci_builder_add(l->b, l->path, l->folder_bytes, label, OCI_NO_GROUP, OC_PART_NONE, err);
}

oc_status oci_read_store(oci_builder *b, const char *folder, oc_error *err) {
    listing l = {.b = b};
    oci_store *store = oc_calloc(1, sizeof *store);
    if (store == NULL) return oc_fail_nomem(err, sizeof *store, "a store of photos");
    b->ds->store = store;
    OC_TRY(oci_lmdb_open(&store->db, folder, err));
    int size = snprintf(l.path, sizeof l.path, "%s/", folder);
    if (size < 0 || (size_t)size >= sizeof l.path)
        return oc_fail(err, OC_ELIMIT, "%.80s: a path that long is not read", folder);
    store->folder_bytes = l.folder_bytes = (size_t)size;
    return oci_lmdb_walk(store->db, SIZE_MAX, take_item, &l, err);
}

oc_status oc_lmdb_peek(const char *folder, int *width, int *height, oc_error *err) {
    char *bytes = NULL;
    size_t capacity = 0;
    oci_lmdb *db = NULL;
    oc_image_info info;
    size_t size = 0;
    oc_status status = OC_OK;
    target t = {.budget = PEEK_BYTES, .buffer = &bytes, .capacity = &capacity, .size = &size};
    OC_GOTO(oci_lmdb_open(&db, folder, err));
    OC_GOTO(oci_lmdb_walk(db, 1, take_photo, &t, err));
    if (bytes == NULL) OC_GOTO(oc_fail(err, OC_EDATA, "%s: an LMDB without records", folder));
    status = oc_image_probe(bytes, size, NULL, &info, err);
    if (status != OC_OK) status = oc_error_context(err, status, "%s: its first record", folder);
    *width = info.width;
    *height = info.height;
done:
    oci_lmdb_close(db);
    oc_free(bytes);
    return status;
}
