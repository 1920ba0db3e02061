/* A small data set of one-colour photos on disk, opened for a tiny model, for the tests of this
 * room.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_GARDEN_H
#define OC_TESTS_GARDEN_H

#include "../model/photos.h"
#include "../model/tiny.h"

#include "eval/eval.h"

enum { GARDEN_CLASSES = 3, GARDEN_EACH = 5, GARDEN_COUNT = GARDEN_CLASSES * GARDEN_EACH };

typedef struct garden {
    char folder[OC_PATH_BYTES];
    oc_model *model;
    oc_dataset *ds;
    uint32_t *items;
    size_t count;
} garden;

/* Opens the data set again, as after files have changed. */
static inline void garden_open(garden *g) {
    const oc_dataset_options options = {.known = &g->model->classes};
    oc_error err = {0};
    check_ok(oc_dataset_open(&g->ds, g->folder, &options, &err), err);
    check_ok(oc_dataset_part(g->ds, OC_PART_NONE, &g->items, &g->count, &err), err);
}

static inline void garden_close(garden *g) {
    oc_free(g->items);
    oc_dataset_free(g->ds);
    g->items = NULL;
    g->ds = NULL;
}

static inline garden *garden_new(void) {
    garden *g = oc_calloc(1, sizeof *g);
    assert_non_null(g);
    make_scratch(g->folder);
    g->model = tiny_model(GARDEN_CLASSES);
    for (int c = 0; c < GARDEN_CLASSES; c++) {
        char name[64], path[OC_PATH_BYTES];
        (void)snprintf(name, sizeof name, "class-%d", c);
        assert_int_equal(oc_path_join(path, g->folder, name, NULL), OC_OK);
        assert_int_equal(oc_path_make_dirs(path, NULL), OC_OK);
        for (int i = 0; i < GARDEN_EACH; i++) {
            (void)snprintf(name, sizeof name, "class-%d/%d.jpg", c, i);
            assert_int_equal(oc_path_join(path, g->folder, name, NULL), OC_OK);
            photo_file(path, 24 + i, 24 - i, (uint8_t)(80 * c + 10 * i), (uint8_t)(200 - 40 * i),
                       (uint8_t)(60 * c));
        }
    }
    garden_open(g);
    return g;
}

static inline void garden_free(garden *g) {
    garden_close(g);
    oc_model_free(g->model);
    drop_scratch(g->folder);
    oc_free(g);
}

#endif
