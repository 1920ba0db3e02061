/* Reading the list of a zip archive (PKWARE's APPNOTE 6.3: 4.3.7 local header, 4.3.12 central
 * directory, 4.3.14 to 4.3.16 the ends of it, 4.5.3 sizes of 64 bits).
 *
 * The central directory says what is there; each entry's own header must agree on the name, and no
 * two entries may share a byte: an archive whose files overlap is made to deceive.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/weights/zip_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    CENTRAL_BYTES = 46,
    LOCAL_BYTES = 30,
    MAX_COMMENT = 65535,
    MAX_ENTRIES = 1 << 20,
    MAX_NAME = 1024,
    EXTRA_SIZES = 1, /* the kind of extra field that holds sizes of 64 bits */
    FLAG_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
};
static const uint32_t END_MARK = 0x06054B50, END64_MARK = 0x06064B50, LOCATOR_MARK = 0x07064B50,
                      CENTRAL_MARK = 0x02014B50, LOCAL_MARK = 0x04034B50;

static uint16_t u16(const uint8_t *p) {
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t u32(const uint8_t *p) {
    return (uint32_t)u16(p) | (uint32_t)u16(p + 2) << 16;
}

static uint64_t u64(const uint8_t *p) {
    return (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32;
}

/* What a reading works on. */
typedef struct archive {
    const uint8_t *bytes;
    size_t size;
    const char *where;
    uint64_t at, end, count; /* of the central directory */
} archive;

bool oci_is_zip(const uint8_t *bytes, size_t size) {
    return size >= 4 && (u32(bytes) == LOCAL_MARK || u32(bytes) == END_MARK);
}

static oc_status damaged(const archive *a, uint64_t at, const char *what, oc_error *err) {
    return oc_fail(err, OC_EFORMAT, "%s: at %" PRIu64 ": %s: a damaged zip archive", a->where, at,
                   what);
}

/* ---- where the list is ----------------------------------------------------------------------
 */

/* The end record: the last place that looks like one and whose comment ends with the file. */
static bool find_end(const archive *a, size_t *at) {
    if (a->size < END_BYTES) return false;
    size_t last = a->size - END_BYTES, first = last > MAX_COMMENT ? last - MAX_COMMENT : 0;
    for (size_t i = last + 1; i-- > first;) {
        if (u32(a->bytes + i) != END_MARK) continue;
        if (i + END_BYTES + u16(a->bytes + i + 20) != a->size) continue;
        *at = i;
        return true;
    }
    return false;
}

/* The record of 64 bits before the end record at `end`, where there is one. */
static oc_status read_end64(archive *a, size_t end, oc_error *err) {
    if (end < LOCATOR_BYTES || u32(a->bytes + end - LOCATOR_BYTES) != LOCATOR_MARK) return OC_OK;
    uint64_t at = u64(a->bytes + end - LOCATOR_BYTES + 8);
    if (at > end - LOCATOR_BYTES || end - LOCATOR_BYTES - at < END64_BYTES)
        return damaged(a, end, "the end of 64 bits lies outside the file", err);
    const uint8_t *p = a->bytes + at;
    if (u32(p) != END64_MARK) return damaged(a, at, "no end of 64 bits where it should be", err);
    a->count = u64(p + 32);
    a->at = u64(p + 48);
    a->end = u64(p + 40);
    return OC_OK;
}

static oc_status find_list(archive *a, oc_error *err) {
    size_t end = 0;
    if (!find_end(a, &end)) {
        return oc_fail(err, OC_EFORMAT,
                       "%s: a zip archive without its end: truncated, copy it again", a->where);
    }
    const uint8_t *p = a->bytes + end;
    if (u16(p + 4) != u16(p + 6) && u16(p + 4) != 0xFFFF)
        return damaged(a, end, "an archive in several parts", err);
    a->count = u16(p + 10);
    a->end = u32(p + 12); /* its length, at first */
    a->at = u32(p + 16);
    OC_TRY(read_end64(a, end, err));
    if (a->at > end || a->end > end - a->at)
        return damaged(a, end, "the list of files lies outside the file", err);
    a->end += a->at;
    if (a->count <= MAX_ENTRIES && a->count <= (a->end - a->at) / CENTRAL_BYTES) return OC_OK;
    return oc_fail(err, a->count > MAX_ENTRIES ? OC_ELIMIT : OC_EFORMAT,
                   "%s: a zip archive of %" PRIu64 " files, at most %d and as many as its list of "
                   "%" PRIu64 " bytes can hold",
                   a->where, a->count, MAX_ENTRIES, a->end - a->at);
}

/* ---- an entry -------------------------------------------------------------------------------
 */

typedef struct extent {
    uint64_t packed, size, header;
} extent;

/* Those of the three that did not fit into 32 bits are in an extra field, in this order. */
static bool read_extra(const uint8_t *p, size_t size, extent *e) {
    uint64_t *wanted[] = {&e->size, &e->packed, &e->header};
    bool open[3], any = false;
    for (int i = 0; i < 3; i++) any |= open[i] = *wanted[i] == UINT32_MAX;
    while (any && size >= 4) {
        size_t length = u16(p + 2);
        if (length > size - 4) return false;
        const uint8_t *field = p + 4, *stop = field + length;
        for (int i = 0; u16(p) == EXTRA_SIZES && i < 3; i++) {
            if (!open[i]) continue;
            if (stop - field < 8) return false;
            *wanted[i] = u64(field);
            field += 8;
        }
        if (u16(p) == EXTRA_SIZES) return true;
        size -= 4 + length;
        p = stop;
    }
    return !any;
}

static oc_status copy_name(const archive *a, oci_zip *zip, const uint8_t *p, size_t size,
                           const char **out, oc_error *err) {
    uint64_t at = (uint64_t)(p - a->bytes);
    bool fine = size > 0 && size <= MAX_NAME && oc_is_utf8((const char *)p, size) &&
                memchr(p, 0, size) == NULL;
    if (!fine) return damaged(a, at, "a file's name is empty, too long or no UTF-8", err);
    char *name = oc_pool_alloc(zip->pool, size + 1);
    if (name == NULL) return oc_fail_nomem(err, size + 1, "a name");
    memcpy(name, p, size);
    *out = name;
    return OC_OK;
}

/* From the entry's own header to where its data begin. */
static oc_status read_local(const archive *a, const extent *x, oci_zip_entry *e, oc_error *err) {
    if (x->header > a->at || a->at - x->header < LOCAL_BYTES)
        return damaged(a, x->header, "a file's header lies outside", err);
    const uint8_t *p = a->bytes + x->header;
    size_t name = u16(p + 26), head = LOCAL_BYTES + name + u16(p + 28);
    if (u32(p) != LOCAL_MARK) return damaged(a, x->header, "no file's header there", err);
    if (head > a->at - x->header || x->packed > a->at - x->header - head)
        return oc_fail(err, OC_EFORMAT,
                       "%s: %.200s: %" PRIu64 " bytes do not fit into the archive: damaged",
                       a->where, e->name, x->packed);
    if (name != strlen(e->name) || memcmp(p + LOCAL_BYTES, e->name, name) != 0)
        return damaged(a, x->header, "the list calls this file by another name", err);
    e->begin = x->header;
    e->end = x->header + head + x->packed;
    if (e->packed == NULL) e->data = p + head;
    return OC_OK;
}

/* The entry of the list at *at, which moves behind it. */
static oc_status read_entry(const archive *a, oci_zip *zip, uint64_t *at, oci_zip_entry *e,
                            oc_error *err) {
    const uint8_t *p = a->bytes + *at;
    if (a->end - *at < CENTRAL_BYTES || u32(p) != CENTRAL_MARK)
        return damaged(a, *at, "the list of files breaks off", err);
    size_t name = u16(p + 28), extra = u16(p + 30), whole = CENTRAL_BYTES + name + extra;
    whole += u16(p + 32);
    if (whole > a->end - *at) return damaged(a, *at, "the list of files breaks off", err);
    extent x = {.packed = u32(p + 20), .size = u32(p + 24), .header = u32(p + 42)};
    OC_TRY(copy_name(a, zip, p + CENTRAL_BYTES, name, &e->name, err));
    if (!read_extra(p + CENTRAL_BYTES + name, extra, &x))
        return damaged(a, *at, "a size of 64 bits is missing", err);
    if (u16(p + 10) != 0) e->packed = "compressed";
    if (u16(p + 8) & FLAG_ENCRYPTED) e->packed = "encrypted";
    if (e->packed == NULL && x.packed != x.size)
        return damaged(a, *at, "a stored file has two sizes", err);
    e->size = (size_t)x.size;
    *at += whole;
    return read_local(a, &x, e, err);
}

/* ---- all of them ----------------------------------------------------------------------------
 */

static int by_place(const void *a, const void *b) {
    const oci_zip_entry *p = a, *q = b;
    return p->begin != q->begin ? (p->begin < q->begin ? -1 : 1) : strcmp(p->name, q->name);
}

static int by_name(const void *a, const void *b) {
    const oci_zip_entry *p = a, *q = b;
    return strcmp(p->name, q->name);
}

static oc_status check_places(oci_zip *zip, oc_error *err) {
    qsort(zip->entries, zip->count, sizeof *zip->entries, by_place);
    for (size_t i = 1; i < zip->count; i++) {
        if (zip->entries[i].begin >= zip->entries[i - 1].end) continue;
        return oc_fail(err, OC_EFORMAT, "%s: the files %.200s and %.200s overlap", zip->where,
                       zip->entries[i - 1].name, zip->entries[i].name);
    }
    return OC_OK;
}

static oc_status check_names(oci_zip *zip, oc_error *err) {
    qsort(zip->entries, zip->count, sizeof *zip->entries, by_name);
    for (size_t i = 1; i < zip->count; i++) {
        if (strcmp(zip->entries[i].name, zip->entries[i - 1].name) != 0) continue;
        return oc_fail(err, OC_EFORMAT, "%s: two files are called %.200s", zip->where,
                       zip->entries[i].name);
    }
    return OC_OK;
}

static oc_status read_all(const archive *a, oci_zip *zip, oc_error *err) {
    uint64_t at = a->at;
    size_t bytes = (size_t)(a->count + 1) * sizeof *zip->entries;
    zip->entries = oc_calloc((size_t)a->count + 1, sizeof *zip->entries);
    if (zip->entries == NULL) return oc_fail_nomem(err, bytes, a->where);
    OC_TRY(oc_pool_new(&zip->pool, err));
    for (; zip->count < a->count; zip->count++)
        OC_TRY(read_entry(a, zip, &at, &zip->entries[zip->count], err));
    OC_TRY(check_places(zip, err));
    return check_names(zip, err);
}

oc_status oci_zip_open(oci_zip *zip, const uint8_t *bytes, size_t size, const char *where,
                       oc_error *err) {
    archive a = {.bytes = bytes, .size = size, .where = where};
    *zip = (oci_zip){.where = where};
    OC_TRY(find_list(&a, err));
    oc_status status = read_all(&a, zip, err);
    if (status != OC_OK) oci_zip_clear(zip);
    return status;
}

void oci_zip_clear(oci_zip *zip) {
    oc_free(zip->entries);
    oc_pool_free(zip->pool);
    *zip = (oci_zip){0};
}

const oci_zip_entry *oci_zip_find(const oci_zip *zip, const char *name) {
    oci_zip_entry key = {.name = name};
    if (zip->count == 0) return NULL;
    return bsearch(&key, zip->entries, zip->count, sizeof key, by_name);
}

oc_status oci_zip_check_plain(const oci_zip *zip, const oci_zip_entry *entry, oc_error *err) {
    if (entry->packed == NULL) return OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED,
                   "%s: %.200s is %s; PyTorch and Keras store what they write: save the file anew",
                   zip->where, entry->name, entry->packed);
}
