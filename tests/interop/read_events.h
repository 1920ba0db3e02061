/* A reader of event files for tests, after TensorBoard's description: it checks both sums of each
 * record, and stops before one that is not whole.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_READ_EVENTS_H
#define OC_TESTS_READ_EVENTS_H

#include "../check.h"

#include "interop/tensorboard/events_int.h"

/* One value of one event. `bytes` is its message of field `kind`: an image, a histogram; or its
 * metadata. Valid during the call. */
typedef struct seen_value {
    uint64_t step;
    char tag[256];
    uint32_t kind;
    double scalar;
    oci_wire_field field;
} seen_value;
typedef void (*value_reader)(void *ctx, const seen_value *value);

static inline uint64_t little(const uint8_t *p, int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value |= (uint64_t)p[i] << (8 * i);
    return value;
}

static inline bool next_field(oci_wire *w, oci_wire_field *f) {
    oc_error err = {0};
    bool more = false;
    check_ok(oci_wire_next(w, f, &more, &err), err);
    return more;
}

static inline void read_value(oci_wire w, uint64_t step, value_reader each, void *ctx) {
    seen_value v = {.step = step};
    for (oci_wire_field f; next_field(&w, &f);) {
        if (f.number == OCI_VALUE_TAG) {
            assert_true(f.size < sizeof v.tag);
            memcpy(v.tag, f.bytes, f.size);
        } else if (v.kind == 0) {
            v.kind = f.number;
            v.field = f;
            if (f.number == OCI_VALUE_SIMPLE) v.scalar = (double)oci_wire_float(&f);
        }
    }
    if (each != NULL) each(ctx, &v);
}

static inline void read_event(const uint8_t *bytes, size_t size, value_reader each, void *ctx) {
    oc_error err = {0};
    oci_wire w = oci_wire_open(bytes, size, "event"), summary, value;
    uint64_t step = 0;
    for (oci_wire_field f, v; next_field(&w, &f);) {
        if (f.number == OCI_EVENT_STEP) step = f.value;
        if (f.number == OCI_EVENT_SESSION_LOG && each != NULL)
            each(ctx, &(seen_value){.step = step, .tag = "START", .kind = f.number});
        if (f.number != OCI_EVENT_SUMMARY) continue;
        check_ok(oci_wire_enter(&w, &f, "summary", &summary, &err), err);
        while (next_field(&summary, &v)) {
            check_ok(oci_wire_enter(&summary, &v, "value", &value, &err), err);
            read_value(value, step, each, ctx);
        }
    }
}

/* Returns how many whole records there are. */
static inline int read_events(const char *bytes, size_t size, value_reader each, void *ctx) {
    enum { HEAD = 12, TAIL = 4 };
    const uint8_t *p = (const uint8_t *)bytes;
    int records = 0;
    for (; size >= HEAD + TAIL; records++) {
        uint64_t length = little(p, 8);
        assert_int_equal(little(p + 8, 4), oci_crc32c_masked(p, 8));
        if (length > size - HEAD - TAIL) break;
        assert_int_equal(little(p + HEAD + length, 4), oci_crc32c_masked(p + HEAD, length));
        read_event(p + HEAD, length, each, ctx);
        p += HEAD + length + TAIL;
        size -= HEAD + length + TAIL;
    }
    return records;
}

/* All event files of a folder in the order of their names; returns how many there are. */
static inline int read_event_folder(const char *folder, value_reader each, void *ctx) {
    char path[OC_PATH_BYTES], *bytes;
    size_t size;
    oc_path_list list = {0};
    oc_error err = {0};
    int files = 0;
    check_ok(oc_path_list_dir(folder, false, &list, &err), err);
    for (size_t i = 0; i < list.count; i++) {
        if (!oc_starts_with(list.names[i], "events.out.tfevents.")) continue;
        check_ok(oc_path_join(path, folder, list.names[i], &err), err);
        check_ok(oc_file_read(path, 1 << 26, &bytes, &size, &err), err);
        (void)read_events(bytes, size, each, ctx);
        oc_free(bytes);
        files++;
    }
    oc_path_list_free(&list);
    return files;
}

#endif
