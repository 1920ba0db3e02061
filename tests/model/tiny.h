/* A network of a few hundred weights and the model around it, for the tests of this room and of
 * those above.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_TINY_H
#define OC_TESTS_TINY_H

#include "../check.h"

#include "model/model.h"

enum { TINY_SIDE = 8, TINY_SEED = 7 };

/* conv, batch norm, relu, pool, dense: "body.0", "body.1", ..., "head". */
static inline oc_graph *tiny_graph(int classes) {
    oc_build b = {0};
    assert_int_equal(oc_graph_new(&b.graph, NULL), OC_OK);
    int x = oc_build_input(&b, 3, TINY_SIDE, TINY_SIDE);
    x = oc_build_conv(&b, x, "body.0", 4, 3, 2, 1, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_batch_norm(&b, x, "body.1");
    x = oc_build_act(&b, x, "body.2", OC_OP_RELU);
    x = oc_build_global_pool(&b, x, "pool");
    x = oc_build_dropout(&b, x, "drop", 0.2F);
    (void)oc_build_dense(&b, x, "head", classes, OC_INIT_XAVIER);
    check_ok(b.status, b.error);
    return b.graph;
}

/* The same with an auxiliary head of two layers, "aux.0" and "aux.1", on "body.2". */
static inline oc_graph *tiny_graph_with_aux(int classes) {
    oc_build b = {0};
    assert_int_equal(oc_graph_new(&b.graph, NULL), OC_OK);
    int x = oc_build_input(&b, 3, TINY_SIDE, TINY_SIDE);
    x = oc_build_conv(&b, x, "body.0", 4, 3, 2, 1, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_batch_norm(&b, x, "body.1");
    x = oc_build_act(&b, x, "body.2", OC_OP_RELU);
    x = oc_build_global_pool(&b, x, "pool");
    int y = oc_build_dense(&b, x, "aux.0", 6, OC_INIT_XAVIER);
    (void)oc_build_aux_loss(&b, oc_build_dense(&b, y, "aux.1", classes, OC_INIT_XAVIER), "aux.loss",
                            0.3F);
    x = oc_build_dropout(&b, x, "drop", 0.2F);
    (void)oc_build_dense(&b, x, "head", classes, OC_INIT_XAVIER);
    check_ok(b.status, b.error);
    return b.graph;
}

static inline void tiny_classes(oc_classes *classes, int count) {
    char label[32];
    classes->items = oc_calloc((size_t)count, sizeof *classes->items);
    assert_non_null(classes->items);
    classes->count = (size_t)count;
    for (int i = 0; i < count; i++) {
        (void)snprintf(label, sizeof label, "class-%d", i);
        classes->items[i].label = oc_strdup(label);
    }
}

static inline oc_model *tiny_model(int classes) {
    oc_model *model = NULL;
    assert_int_equal(oc_model_new(&model, NULL), OC_OK);
    model->graph = tiny_graph(classes);
    assert_int_equal(oc_tensors_new(&model->weights, NULL), OC_OK);
    assert_int_equal(oc_graph_init(model->graph, TINY_SEED, model->weights, NULL), OC_OK);
    model->recipe = oc_recipe_default(TINY_SIDE, TINY_SIDE);
    tiny_classes(&model->classes, classes);
    return model;
}

#endif
