/* A whole evaluation: data on disk through loader, plan and scorer to numbers, JSON and a table.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "garden.h"

#include "eval/eval_int.h"

static oc_eval run(garden *g, int threads, int batch) {
    const oc_eval_options options = {.engine = "ref", .threads = threads, .batch = batch};
    oc_eval e;
    oc_error err = {0};
    check_ok(oc_eval_run(&e, g->model, g->ds, g->items, g->count, &options, &err), err);
    return e;
}

static void every_item_is_scored_once_and_in_order(void **state) {
    (void)state;
    garden *g = garden_new();
    oc_eval e = run(g, 1, 4);
    assert_int_equal(e.score.n, GARDEN_COUNT);
    uint64_t correct = 0;
    for (size_t i = 0; i < GARDEN_COUNT; i++) {
        assert_int_equal(e.predictions[i].item, g->items[i]);
        assert_int_equal(e.predictions[i].truth, oc_dataset_item(g->ds, g->items[i])->label);
        correct += e.predictions[i].truth == e.predictions[i].label;
    }
    assert_int_equal((int)(e.score.accuracy * GARDEN_COUNT + 0.5), (int)correct);
    for (size_t c = 0; c < GARDEN_CLASSES; c++) {
        assert_int_equal(e.score.per_class[c].n, GARDEN_EACH);
    }
    oc_eval_clear(&e);
    garden_free(g);
}

static void batch_and_threads_change_no_prediction(void **state) {
    (void)state;
    garden *g = garden_new();
    oc_eval one = run(g, 1, 1);
    static const int batches[] = {2, 7, GARDEN_COUNT, 64};
    for (int b = 0; b < 4; b++) {
        oc_eval other = run(g, 2, batches[b]);
        assert_int_equal(other.score.n, one.score.n);
        for (size_t i = 0; i < GARDEN_COUNT; i++) {
            assert_int_equal(one.predictions[i].label, other.predictions[i].label);
        }
        oc_eval_clear(&other);
    }
    oc_eval_clear(&one);
    garden_free(g);
}

static void spoil(const garden *g, const char *name) {
    char path[OC_PATH_BYTES];
    assert_int_equal(oc_path_join(path, g->folder, name, NULL), OC_OK);
    assert_int_equal(oc_file_write(path, "<html>no photo", 14, NULL), OC_OK);
}

static void a_broken_file_is_rejected_and_counted_nowhere(void **state) {
    (void)state;
    garden *g = garden_new();
    json_t *o = NULL;
    oc_error err = {0};
    spoil(g, "class-1/2.jpg");
    oc_eval e = run(g, 2, 4);
    assert_int_equal(e.score.n, GARDEN_COUNT - 1);
    assert_int_equal(e.score.per_class[1].n, GARDEN_EACH - 1);
    assert_int_equal(oc_dataset_reject_count(g->ds), 1);
    check_ok(oc_eval_json(&e, g->model, g->ds, &o, &err), err);
    const json_t *reject = json_array_get(json_object_get(o, "rejected"), 0);
    const char *image = json_string_value(json_object_get(reject, "image"));
    assert_non_null(image);
    assert_true(oc_ends_with(image, "class-1/2.jpg"));
    assert_true(json_string_length(json_object_get(reject, "reason")) > 0);
    json_decref(o);
    oc_eval_clear(&e);
    garden_free(g);
}

static void nothing_readable_is_an_error(void **state) {
    (void)state;
    garden *g = garden_new();
    const oc_eval_options options = {.engine = "ref"};
    oc_eval e;
    oc_error err = {0};
    for (int i = 0; i < GARDEN_COUNT; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "class-%d/%d.jpg", i / GARDEN_EACH, i % GARDEN_EACH);
        spoil(g, name);
    }
    check_fails(oc_eval_run(&e, g->model, g->ds, g->items, g->count, &options, &err), err, OC_EDATA,
                "none of the 15");
    check_fails(oc_eval_run(&e, g->model, g->ds, g->items, 0, &options, &err), err, OC_EDATA,
                "no images");
    garden_free(g);
}

static void labels_beyond_the_model_are_refused(void **state) {
    (void)state;
    garden *g = garden_new();
    oc_model *two = tiny_model(2);
    oc_eval e;
    oc_error err = {0};
    check_fails(oc_eval_run(&e, two, g->ds, g->items, g->count, NULL, &err), err, OC_EMISMATCH,
                "the model has 2 classes");
    oc_model_free(two);
    garden_free(g);
}

static bool stop_at_once(void *ctx, size_t done, size_t total) {
    *(size_t *)ctx = done;
    assert_int_equal(total, GARDEN_COUNT);
    return false;
}

static void the_caller_may_stop(void **state) {
    (void)state;
    garden *g = garden_new();
    size_t done = 0;
    const oc_eval_options options = {
        .engine = "ref", .batch = 2, .progress = stop_at_once, .ctx = &done};
    oc_eval e;
    oc_error err = {0};
    check_fails(oc_eval_run(&e, g->model, g->ds, g->items, g->count, &options, &err), err,
                OC_ECANCELLED, "2 of 15");
    assert_int_equal(done, 2);
    garden_free(g);
}

static void the_json_has_all_members(void **state) {
    (void)state;
    garden *g = garden_new();
    json_t *o = NULL;
    oc_error err = {0};
    static const char *const numbers[] = {"n",        "accuracy",        "top5",         "nll",
                                          "macro_f1", "macro_precision", "macro_recall", "f1a",
                                          "ece",      "seconds"};
    oc_eval e = run(g, 1, 4);
    check_ok(oc_eval_json(&e, g->model, g->ds, &o, &err), err);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        assert_true(json_is_number(json_object_get(o, numbers[i])));
    }
    assert_int_equal(json_array_size(json_object_get(o, "accuracy_interval")), 2);
    assert_int_equal(json_array_size(json_object_get(o, "per_class")), GARDEN_CLASSES);
    assert_int_equal(json_array_size(json_object_get(o, "labels")), GARDEN_CLASSES);
    assert_int_equal(json_array_size(json_object_get(o, "rejected")), 0);
    const json_t *rows = json_object_get(o, "confusion");
    json_int_t sum = 0;
    for (size_t r = 0; r < GARDEN_CLASSES; r++) {
        for (size_t c = 0; c < GARDEN_CLASSES; c++) {
            sum += json_integer_value(json_array_get(json_array_get(rows, r), c));
        }
    }
    assert_int_equal(sum, GARDEN_COUNT);
    json_decref(o);
    oc_eval_clear(&e);
    garden_free(g);
}

static void the_table_is_aligned(void **state) {
    (void)state;
    garden *g = garden_new();
    oc_buf text = {0};
    oc_error err = {0};
    oc_free(g->model->classes.items[1].display);
    g->model->classes.items[1].display =
        oc_strdup("\xE8\x8F\x8A\xE8\x8F\x8A\xE8\x8F\x8A (chrysanthemum)");
    oc_eval e = run(g, 1, 4);
    check_ok(oc_eval_text(&e, g->model, g->ds, &text, &err), err);
    char *table = strstr(text.data, "\nclass ");
    assert_non_null(table);
    char *rest = NULL, *line = strtok_r(table, "\n", &rest);
    size_t columns = oci_text_columns(line);
    for (int i = 0; i < GARDEN_CLASSES; i++) {
        assert_int_equal(oci_text_columns(strtok_r(NULL, "\n", &rest)), columns);
    }
    oc_buf_clear(&text);
    oc_eval_clear(&e);
    garden_free(g);
}

static void evaluation_survives_any_allocation_failing(void **state) {
    (void)state;
    garden *g = garden_new();
    const oc_eval_options options = {.engine = "ref", .threads = 1, .batch = 8};
    bool done = false;
    for (uint64_t n = 1; !done; n++) {
        oc_eval e;
        assert_true(n < 3000);
        uint64_t before = oc_mem_allocations();
        oc_mem_fail_at(n);
        oc_status status = oc_eval_run(&e, g->model, g->ds, g->items, g->count, &options, NULL);
        oc_mem_fail_at(0);
        done = oc_mem_allocations() - before < n;
        assert_true(status == OC_OK || status == OC_ENOMEM);
        if (status == OC_OK) oc_eval_clear(&e);
        garden_close(g); /* a photo may have been rejected for want of memory */
        garden_open(g);
    }
    garden_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_is_scored_once_and_in_order),
        cmocka_unit_test(batch_and_threads_change_no_prediction),
        cmocka_unit_test(a_broken_file_is_rejected_and_counted_nowhere),
        cmocka_unit_test(nothing_readable_is_an_error),
        cmocka_unit_test(labels_beyond_the_model_are_refused),
        cmocka_unit_test(the_caller_may_stop),
        cmocka_unit_test(the_json_has_all_members),
        cmocka_unit_test(the_table_is_aligned),
        cmocka_unit_test(evaluation_survives_any_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
