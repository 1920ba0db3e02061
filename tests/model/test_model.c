/* The model folder: saved and loaded it is the same, and a folder with a missing, truncated or
 * inconsistent file is refused by the file's name.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "tiny.h"

#include <math.h>
#include <unistd.h>

static void save_tiny(const char *folder) {
    oc_model *model = tiny_model(3);
    oc_error err = {0};
    model->arch = oc_strdup("tiny");
    model->origin =
        json_pack("{s:s,s:{s:f}}", "command", "ocellus train a|b", "options", "lr", 0.1);
    model->metrics = json_pack("{s:i,s:f,s:[ff],s:[{s:s,s:i,s:f,s:f,s:f}]}", "n", 40, "accuracy",
                               0.925, "accuracy_interval", 0.8, 0.975, "per_class", "label",
                               "class-0", "n", 40, "precision", 1.0, "recall", 0.9, "f1", 0.95);
    check_ok(oc_model_save(model, folder, &err), err);
    oc_model_free(model);
}

static void a_model_survives_saving_and_loading(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES];
    oc_model *a = tiny_model(3), *b = NULL;
    oc_error err = {0};
    make_scratch(folder);
    save_tiny(folder);
    assert_true(oc_model_is_folder(folder));
    check_ok(oc_model_load(&b, folder, &err), err);
    assert_string_equal(b->arch, "tiny");
    assert_int_equal(b->classes.count, 3);
    assert_int_equal(oc_tensors_count(b->weights), oc_tensors_count(a->weights));
    for (size_t i = 0; i < oc_tensors_count(a->weights); i++) {
        const oc_tensor *t = oc_tensors_at(a->weights, i);
        const oc_tensor *u = oc_tensors_find(b->weights, oc_tensors_name(a->weights, i));
        assert_memory_equal(t->data, u->data, oc_tensor_bytes(t));
    }
    assert_int_equal(json_integer_value(json_object_get(b->metrics, "n")), 40);
    oc_model_free(a);
    oc_model_free(b);
    drop_scratch(folder);
}

static void a_saved_model_is_without_auxiliary_heads(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES];
    oc_model *a = tiny_model(3), *b = NULL;
    oc_error err = {0};
    make_scratch(folder);
    oc_graph_free(a->graph);
    a->graph = tiny_graph_with_aux(3);
    check_ok(oc_graph_init(a->graph, TINY_SEED, a->weights, &err), err);
    assert_non_null(oc_tensors_find(a->weights, "aux.1.bias"));
    check_ok(oc_model_save(a, folder, &err), err);
    check_ok(oc_model_load(&b, folder, &err), err);
    assert_int_equal(oc_graph_node_count(b->graph), 7);
    assert_int_equal(oc_graph_find(b->graph, "aux.loss"), -1);
    assert_int_equal(oc_tensors_count(b->weights), oc_graph_param_count(b->graph));
    assert_null(oc_tensors_find(b->weights, "aux.1.bias"));
    oc_model_free(a);
    oc_model_free(b);
    drop_scratch(folder);
}

static void photos_seen_in_training_are_remembered(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
    oc_model *a = tiny_model(3), *b = NULL;
    oc_error err = {0};
    make_scratch(folder);
    a->seen = oc_calloc(3, sizeof *a->seen);
    a->seen_count = 3;
    for (uint64_t i = 0; i < 3; i++) a->seen[i] = (i + 1) << 56 | 5;
    check_ok(oc_model_save(a, folder, &err), err);
    check_ok(oc_model_load(&b, folder, &err), err);
    assert_false(oc_model_has_seen(b, a->seen[1]));
    check_ok(oc_model_load_seen(b, folder, &err), err);
    for (int i = 0; i < 3; i++) assert_true(oc_model_has_seen(b, a->seen[i]));
    assert_false(oc_model_has_seen(b, 5));
    assert_false(oc_model_has_seen(b, 0));
    check_ok(oc_path_join(path, folder, "seen.u64", &err), err);
    check_ok(oc_file_write(path, "0123456789", 10, &err), err); /* cut: the rest still counts */
    check_ok(oc_model_load_seen(b, folder, &err), err);
    assert_int_equal(b->seen_count, 1);
    oc_free(a->seen);
    a->seen = NULL;
    check_ok(oc_model_save(a, folder, &err), err);
    assert_false(oc_path_exists(path));
    oc_model_free(a);
    oc_model_free(b);
    drop_scratch(folder);
}

static void saving_twice_gives_the_same_weights_file(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES], *first = NULL, *second = NULL;
    size_t n = 0, m = 0;
    make_scratch(folder);
    assert_int_equal(oc_path_join(path, folder, "model.safetensors", NULL), OC_OK);
    save_tiny(folder);
    assert_int_equal(oc_file_read(path, 1 << 20, &first, &n, NULL), OC_OK);
    save_tiny(folder);
    assert_int_equal(oc_file_read(path, 1 << 20, &second, &m, NULL), OC_OK);
    assert_int_equal(n, m);
    assert_memory_equal(first, second, n);
    oc_free(first);
    oc_free(second);
    drop_scratch(folder);
}

static void old_metrics_go_when_there_are_none(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
    oc_model *model = tiny_model(3);
    oc_error err = {0};
    make_scratch(folder);
    save_tiny(folder);
    assert_int_equal(oc_path_join(path, folder, "metrics.json", NULL), OC_OK);
    assert_true(oc_path_exists(path));
    check_ok(oc_model_save(model, folder, &err), err);
    assert_false(oc_path_exists(path));
    oc_model_free(model);
    drop_scratch(folder);
}

static void the_card_says_what_is_known(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES], *card = NULL;
    size_t size = 0;
    make_scratch(folder);
    save_tiny(folder);
    assert_int_equal(oc_path_join(path, folder, "README.md", NULL), OC_OK);
    assert_int_equal(oc_file_read(path, 1 << 20, &card, &size, NULL), OC_OK);
    static const char *const parts[] = {
        "92.5 %",           "80.0 to 97.5 %", "| class-0 | 40 | 100.0 | 90.0",
        "ocellus predict ", "a\\|b",          "| lr | 0.1 |",
        "Intended use",     "8 x 8 pixels"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strstr(card, parts[i]) == NULL) fail_msg("no \"%s\" in\n%s", parts[i], card);
    }
    oc_free(card);
    drop_scratch(folder);
}

/* Loading fails after `file` in a good folder has become `text` (NULL: removed). */
static void refuse(const char *file, const char *text, oc_status wanted, const char *part) {
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
    oc_model *model = NULL;
    oc_error err = {0};
    make_scratch(folder);
    save_tiny(folder);
    assert_int_equal(oc_path_join(path, folder, file, NULL), OC_OK);
    if (text == NULL) {
        assert_int_equal(unlink(path), 0);
    } else {
        check_ok(oc_file_write(path, text, strlen(text), &err), err);
    }
    check_fails(oc_model_load(&model, folder, &err), err, wanted, part);
    assert_null(model);
    drop_scratch(folder);
}

static void missing_files_are_named(void **state) {
    (void)state;
    refuse("config.json", NULL, OC_ENOTFOUND, "config.json is missing");
    refuse("graph.json", NULL, OC_ENOTFOUND, "graph.json is missing");
    refuse("model.safetensors", NULL, OC_ENOTFOUND, "model.safetensors is missing");
    oc_model *model = NULL;
    oc_error err = {0};
    check_fails(oc_model_load(&model, "/no/such/model", &err), err, OC_ENOTFOUND, "/no/such/model");
}

static void damaged_files_are_named(void **state) {
    (void)state;
    refuse("config.json", "", OC_EFORMAT, "config.json");
    refuse("config.json", "{\"format\": \"oce", OC_EFORMAT, "config.json");
    refuse("graph.json", "null", OC_EFORMAT, "graph.json");
    refuse("model.safetensors", "short", OC_EFORMAT, "model.safetensors");
    refuse("metrics.json", "[]", OC_EFORMAT, "metrics.json");
}

static void truncated_weights_are_refused(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES], *bytes = NULL;
    size_t size = 0;
    oc_model *model = NULL;
    oc_error err = {0};
    make_scratch(folder);
    save_tiny(folder);
    assert_int_equal(oc_path_join(path, folder, "model.safetensors", NULL), OC_OK);
    assert_int_equal(oc_file_read(path, 1 << 20, &bytes, &size, NULL), OC_OK);
    assert_int_equal(truncate(path, (off_t)size - 4), 0);
    check_fails(oc_model_load(&model, folder, &err), err, OC_EFORMAT, "model.safetensors");
    oc_free(bytes);
    drop_scratch(folder);
}

static void a_network_without_a_head_is_a_body_to_train_on_and_no_model(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
    oc_error err = {0};
    char *card = NULL;
    size_t size = 0;
    oc_model *model = tiny_model(3), *again = NULL;
    oc_graph *whole = model->graph;
    make_scratch(folder);
    check_ok(oc_graph_upto(whole, "body.0", &model->graph, &err), err);
    oc_classes_clear(&model->classes);
    check_ok(oc_model_save(model, folder, &err), err);
    check_fails(oc_model_load(&again, folder, &err), err, OC_EUNSUPPORTED, "ends at 'body.0'");
    assert_null(again);
    check_ok(oc_model_load_body(&again, folder, &err), err);
    assert_int_equal(again->classes.count, 0);
    assert_int_equal(oc_tensors_count(again->weights), oc_graph_param_count(model->graph));
    check_ok(oc_path_join(path, folder, "README.md", &err), err);
    check_ok(oc_file_read(path, 1 << 20, &card, &size, &err), err);
    assert_null(strstr(card, "ocellus predict"));
    assert_non_null(strstr(card, "ocellus train PHOTOS --from"));
    oc_free(card);
    oc_graph_free(whole);
    oc_model_free(again);
    oc_model_free(model);
    drop_scratch(folder);
}

/* A folder whose parts are each fine, but not of one model. */
static void parts_that_do_not_fit_are_refused(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES];
    oc_error err = {0};
    oc_model *model = tiny_model(3), *again = NULL;
    make_scratch(folder);
    oc_free(model->classes.items[2].label);
    model->classes.count = 2;
    check_ok(oc_model_save(model, folder, &err), err);
    check_fails(oc_model_load(&again, folder, &err), err, OC_EMISMATCH,
                "names 2 classes, the network has 3 outputs");
    model->classes.items[2].label = oc_strdup("c");
    model->classes.count = 3;
    model->recipe.channels = 1;
    check_ok(oc_model_save(model, folder, &err), err);
    check_fails(oc_model_load(&again, folder, &err), err, OC_EMISMATCH, "channels");
    model->recipe.channels = 3;
    oc_tensors_free(model->weights);
    assert_int_equal(oc_tensors_new(&model->weights, NULL), OC_OK);
    check_ok(oc_model_save(model, folder, &err), err);
    check_fails(oc_model_load(&again, folder, &err), err, OC_EMISMATCH, "body.0.weight is missing");
    assert_non_null(strstr(err.message, "model.safetensors"));
    oc_model_free(model);
    drop_scratch(folder);
}

static void a_plan_of_the_model_gives_one_row_of_logits(void **state) {
    (void)state;
    oc_model *model = tiny_model(3);
    oc_plan *plan = NULL;
    oc_error err = {0};
    check_ok(oc_model_plan(model, "ref", 1, 2, &plan, &err), err);
    float *input = oc_plan_input(plan);
    for (int i = 0; i < 2 * 3 * TINY_SIDE * TINY_SIDE; i++) input[i] = (float)(i % 7) / 7;
    check_ok(oc_plan_forward(plan, NULL, 2, 0, NULL, NULL, &err), err);
    const float *logits = oc_plan_output(plan);
    for (int i = 0; i < 6; i++) assert_true(logits[i] - logits[i] == 0);
    oc_plan_free(plan);
    oc_model_free(model);
}

static void loading_and_saving_survive_any_allocation_failing(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES];
    oc_model *model = tiny_model(3);
    oc_status status = OC_ENOMEM;
    make_scratch(folder);
    for (uint64_t n = 1; status != OC_OK; n++) {
        assert_true(n < 2000);
        oc_mem_fail_at(n);
        status = oc_model_save(model, folder, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || status == OC_ENOMEM);
    }
    status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_model *again = NULL;
        assert_true(n < 2000);
        oc_mem_fail_at(n);
        status = oc_model_load(&again, folder, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || (status == OC_ENOMEM && again == NULL));
        oc_model_free(again);
    }
    oc_model_free(model);
    drop_scratch(folder);
}

/* 17 MB of head: enough to be worth it. */
static void a_large_head_is_read_where_the_file_is_mapped(void **state) {
    (void)state;
    enum { WIDE = 1024, CLASSES = 4200 };
    char folder[OC_PATH_BYTES];
    oc_build b = {0};
    oc_model *a = NULL, *z = NULL;
    oc_plan *plan = NULL;
    oc_error err = {0};
    float pixels[3 * TINY_SIDE * TINY_SIDE] = {0.5F}, logit;
    make_scratch(folder);
    check_ok(oc_model_new(&a, &err), err);
    check_ok(oc_graph_new(&b.graph, &err), err);
    int x = oc_build_input(&b, 3, TINY_SIDE, TINY_SIDE);
    x = oc_build_conv(&b, x, "body", WIDE, 1, 1, 0, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_global_pool(&b, x, "pool");
    (void)oc_build_dense(&b, x, "head", CLASSES, OC_INIT_XAVIER);
    a->graph = b.graph;
    check_ok(oc_tensors_new(&a->weights, &err), err);
    check_ok(oc_graph_init(a->graph, TINY_SEED, a->weights, &err), err);
    a->recipe = oc_recipe_default(TINY_SIDE, TINY_SIDE);
    tiny_classes(&a->classes, CLASSES);
    check_ok(oc_model_plan(a, NULL, 1, 1, &plan, &err), err);
    check_ok(oc_plan_forward(plan, pixels, 1, 0, NULL, NULL, &err), err);
    logit = oc_plan_output(plan)[CLASSES - 1];
    uint64_t held = oc_plan_memory_use(plan).weights;
    if (strcmp(oc_plan_engine(plan), "ref") != 0)
        assert_true(held < sizeof(float) * WIDE * CLASSES / 10); /* the plan has no copy */
    oc_plan_free(plan);
    check_ok(oc_model_save(a, folder, &err), err);
    check_ok(oc_model_load(&z, folder, &err), err);
    assert_non_null(z->file);
    assert_false(oc_tensors_all_owned(z->weights));
    check_ok(oc_model_plan(z, NULL, 1, 1, &plan, &err), err);
    check_ok(oc_plan_forward(plan, pixels, 1, 0, NULL, NULL, &err), err);
    assert_true(oc_plan_output(plan)[CLASSES - 1] == logit);
    oc_plan_free(plan);
    oc_tensor *head = oc_tensors_find(a->weights, "head.weight");
    ((float *)head->data)[WIDE * CLASSES - 1] = NAN;
    check_ok(oc_model_save(a, folder, &err), err);
    oc_model_free(z);
    check_fails(oc_model_load(&z, folder, &err), err, OC_EMISMATCH, "head.weight");
    oc_model_free(a);
    drop_scratch(folder);
}

static void very_many_classes_are_not_listed_in_stored_metrics(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES];
    oc_error err = {0};
    make_scratch(folder);
    for (int classes = OC_MAX_STORED_CLASSES; classes <= OC_MAX_STORED_CLASSES + 1; classes++) {
        oc_model *a = tiny_model(classes), *z = NULL;
        a->metrics = json_pack("{s:f,s:[{s:s}],s:[s]}", "accuracy", 0.5, "per_class", "label",
                               "class-0", "labels", "class-0");
        check_ok(oc_model_save(a, folder, &err), err);
        check_ok(oc_model_load(&z, folder, &err), err);
        assert_int_equal(z->classes.count, classes);
        bool listed = json_object_get(z->metrics, "per_class") != NULL;
        assert_int_equal(listed, classes == OC_MAX_STORED_CLASSES);
        assert_non_null(json_object_get(z->metrics, "accuracy"));
        oc_model_free(a);
        oc_model_free(z);
    }
    drop_scratch(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_survives_saving_and_loading),
        cmocka_unit_test(a_saved_model_is_without_auxiliary_heads),
        cmocka_unit_test(photos_seen_in_training_are_remembered),
        cmocka_unit_test(saving_twice_gives_the_same_weights_file),
        cmocka_unit_test(old_metrics_go_when_there_are_none),
        cmocka_unit_test(the_card_says_what_is_known),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(damaged_files_are_named),
        cmocka_unit_test(truncated_weights_are_refused),
        cmocka_unit_test(a_network_without_a_head_is_a_body_to_train_on_and_no_model),
        cmocka_unit_test(parts_that_do_not_fit_are_refused),
        cmocka_unit_test(a_plan_of_the_model_gives_one_row_of_logits),
        cmocka_unit_test(loading_and_saving_survive_any_allocation_failing),
        cmocka_unit_test(a_large_head_is_read_where_the_file_is_mapped),
        cmocka_unit_test(very_many_classes_are_not_listed_in_stored_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
