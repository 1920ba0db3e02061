/* What the tests of this room share: a scratch folder with small made-up photos, a log that is
 * kept, opening a source.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_DATA_TEST_H
#define OC_DATA_TEST_H

#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"
#include "data/data_int.h"

#define SHARED OC_SOURCE_DIR "/../shared/data/"

/* ---- scratch --------------------------------------------------------------------------------- */

typedef struct scratch {
    char path[OC_PATH_BYTES];
    char log[4096]; /* what was told, a line each */
    oc_log sink;
} scratch;

static inline void keep_line(void *ctx, oc_log_level level, const char *line) {
    scratch *s = ctx;
    size_t n = strlen(s->log);
    (void)snprintf(s->log + n, sizeof s->log - n, "%s%s\n", level == OC_LOG_WARN ? "! " : "", line);
}

static inline int setup_scratch(void **state) {
    scratch *s = calloc(1, sizeof *s);
    make_scratch(s->path);
    s->sink = (oc_log){keep_line, s};
    *state = s;
    return 0;
}

static inline int drop_scratch_state(void **state) {
    scratch *s = *state;
    drop_scratch(s->path);
    free(s);
    return 0;
}

#define scratch_test(f) cmocka_unit_test_setup_teardown(f, setup_scratch, drop_scratch_state)

/* ---- files ----------------------------------------------------------------------------------- */

/* Below the scratch folder, its folders made. */
static inline void path_in(const scratch *s, const char *name, char path[OC_PATH_BYTES]) {
    assert_int_equal(oc_path_join(path, s->path, name, NULL), OC_OK);
    char folder[OC_PATH_BYTES];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(oc_path_make_dirs(folder, NULL), OC_OK);
}

static inline void put_bytes(const scratch *s, const char *name, const void *bytes, size_t size) {
    char path[OC_PATH_BYTES];
    path_in(s, name, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline void put_text(const scratch *s, const char *name, const char *text) {
    put_bytes(s, name, text, strlen(text));
}

/* A smooth picture that differs with `kind`; JPEG cares little for noise. */
static inline void paint(oc_image *img, int width, int height, int kind) {
    assert_int_equal(oc_image_reserve(img, width, height, 3, NULL), OC_OK);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            uint8_t *p = img->pixels + 3 * ((size_t)y * (size_t)width + (size_t)x);
            p[0] = (uint8_t)(255 * x / width);
            p[1] = (uint8_t)(255 * y / height);
            p[2] = (uint8_t)(kind * 37);
        }
    }
}

static inline void encode_photo(oc_buf *out, int width, int height, int kind) {
    oc_image img = {0};
    oc_error err = {0};
    paint(&img, width, height, kind);
    check_ok(oc_encode_jpeg(&img, 90, out, &err), err);
    oc_image_clear(&img);
}

static inline void put_photo(const scratch *s, const char *name, int kind) {
    oc_buf jpeg = {0};
    encode_photo(&jpeg, 48 + kind % 5 * 8, 40, kind);
    put_bytes(s, name, jpeg.data, jpeg.size);
    oc_buf_clear(&jpeg);
}

/* `count` photos folder/0.jpg ... of kinds from `kind` on. */
static inline void put_photos(const scratch *s, const char *folder, int count, int kind) {
    char name[OC_PATH_BYTES];
    for (int i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "%s/%d.jpg", folder, i);
        put_photo(s, name, kind + i);
    }
}

/* ---- data sets ------------------------------------------------------------------------------- */

static inline oc_status open_in(scratch *s, const char *name, oc_dataset_options options,
                                oc_dataset **out, oc_error *err) {
    char path[OC_PATH_BYTES];
    path_in(s, name, path);
    options.log = &s->sink;
    return oc_dataset_open(out, path, &options, err);
}

/* Open with nothing given; it has to succeed. */
static inline oc_dataset *open_plain(scratch *s, const char *name) {
    oc_dataset *ds = NULL;
    oc_error err = {0};
    check_ok(open_in(s, name, (oc_dataset_options){0}, &ds, &err), err);
    return ds;
}

static inline const char *label_of(const oc_dataset *ds, size_t i) {
    return oc_dataset_classes(ds)->items[oc_dataset_item(ds, i)->label].label;
}

/* The item whose path ends so. */
static inline const oc_item *item_called(const oc_dataset *ds, const char *name) {
    for (size_t i = 0; i < oc_dataset_count(ds); i++) {
        const oc_item *item = oc_dataset_item(ds, i);
        size_t n = strlen(item->path), m = strlen(name);
        if (n >= m && strcmp(item->path + n - m, name) == 0) return item;
    }
    fail_msg("no item %s", name);
    return NULL;
}

static inline const char *label_called(const oc_dataset *ds, const char *name) {
    return oc_dataset_classes(ds)->items[item_called(ds, name)->label].label;
}

static inline size_t count_part(const oc_dataset *ds, oc_part part) {
    uint32_t *items = NULL;
    size_t count = 0;
    assert_int_equal(oc_dataset_part(ds, part, &items, &count, NULL), OC_OK);
    oc_free(items);
    return count;
}

static inline void check_told(const scratch *s, const char *part) {
    if (strstr(s->log, part) == NULL) fail_msg("no \"%s\" in the log:\n%s", part, s->log);
}

/* The reason told for the reject whose path ends so. */
static inline const char *reason_of(const oc_dataset *ds, const char *name) {
    for (size_t i = 0; i < oc_dataset_reject_count(ds); i++) {
        const oc_reject *reject = oc_dataset_rejected(ds, i);
        if (oc_ends_with(reject->path, name)) return reject->reason;
    }
    fail_msg("%s was not rejected", name);
    return NULL;
}

static inline void check_reason(const oc_dataset *ds, const char *name, const char *part) {
    const char *reason = reason_of(ds, name);
    if (strstr(reason, part) == NULL) fail_msg("no \"%s\" in \"%s\"", part, reason);
}

#endif
