/* Making small zip archives and pickles by hand, wrong ones too.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_ZIP_MAKER_H
#define OC_TESTS_ZIP_MAKER_H

#include "../check.h"

enum { MADE_MOST = 8 };

/* A file of the archive; sizes and place as the list tells them. */
typedef struct made_entry {
    const char *name;
    const void *data;
    uint32_t size;
    uint16_t method, flags;
    const char *local_name; /* in its own header; NULL = name */
    int64_t told_size;      /* in the list; 0 = size */
    int64_t told_place;     /* 0 = where it is */
} made_entry;

static inline void put_le(oc_buf *out, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) {
        uint8_t byte = (uint8_t)value;
        oc_buf_append(out, &byte, 1);
        value >>= 8;
    }
}

static inline void put_local(oc_buf *out, const made_entry *e) {
    const char *name = e->local_name != NULL ? e->local_name : e->name;
    put_le(out, 0x04034B50, 4);
    put_le(out, 20, 2);
    put_le(out, e->flags, 2);
    put_le(out, e->method, 2);
    put_le(out, 0, 8); /* time, date, crc */
    put_le(out, e->size, 4);
    put_le(out, e->size, 4);
    put_le(out, strlen(name), 2);
    put_le(out, 0, 2);
    oc_buf_puts(out, name);
    oc_buf_append(out, e->data, e->size);
}

static inline void put_central(oc_buf *out, const made_entry *e, size_t place) {
    uint64_t size = e->told_size != 0 ? (uint64_t)e->told_size : e->size;
    put_le(out, 0x02014B50, 4);
    put_le(out, 20, 2);
    put_le(out, 20, 2);
    put_le(out, e->flags, 2);
    put_le(out, e->method, 2);
    put_le(out, 0, 8);
    put_le(out, size, 4);
    put_le(out, size, 4);
    put_le(out, strlen(e->name), 2);
    put_le(out, 0, 12);
    put_le(out, e->told_place != 0 ? (uint64_t)e->told_place : place, 4);
    oc_buf_puts(out, e->name);
}

static inline void put_end(oc_buf *out, size_t count, size_t start, size_t size) {
    put_le(out, 0x06054B50, 4);
    put_le(out, 0, 4);
    put_le(out, count, 2);
    put_le(out, count, 2);
    put_le(out, size, 4);
    put_le(out, start, 4);
    put_le(out, 0, 2);
}

/* The caller clears it. */
static inline oc_buf make_zip(const made_entry *entries, size_t count) {
    oc_buf out = {0};
    size_t place[MADE_MOST];
    assert_true(count <= MADE_MOST);
    for (size_t i = 0; i < count; i++) {
        place[i] = out.size;
        put_local(&out, &entries[i]);
    }
    size_t start = out.size;
    for (size_t i = 0; i < count; i++) put_central(&out, &entries[i], place[i]);
    put_end(&out, count, start, out.size - start);
    assert_false(out.failed);
    return out;
}

#endif
