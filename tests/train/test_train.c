/* Claims about whole runs on a tiny set: that they learn, what they leave behind, what they refuse.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/fixture.h"

enum { TRAIN_IMAGES = 30, VAL_IMAGES = 6 }; /* 36 photos, a fifth of each 12 held out: 2 */

static bool has_file(const char *folder, const char *name) {
    char path[OC_PATH_BYTES];
    path_in(path, folder, name);
    return oc_path_is_file(path);
}

static void training_learns_colours_and_leaves_a_model_folder(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_model *model;
    fixture_init(&f);
    oc_train_result r = train_ok(&f);
    assert_true(r.best_accuracy > 0.9);
    assert_int_equal(r.epochs_done, 6);
    assert_int_equal(f.epochs, 6);
    assert_int_equal(r.classes, 3);
    assert_int_equal(r.train_images + r.val_images, TRAIN_IMAGES + VAL_IMAGES);
    assert_false(r.stopped);
    assert_true(has_file(f.out, "log.jsonl") && has_file(f.out, "metrics.json"));
    check_ok(oc_model_load(&model, f.out, &err), err);
    assert_int_equal(model->classes.count, 3);
    assert_string_equal(model->classes.items[0].label, "blue");
    oc_model_free(model);
    fixture_clear(&f);
}

static void the_same_seed_gives_the_same_bytes_and_another_does_not(void **state) {
    (void)state;
    fixture f;
    char again[OC_PATH_BYTES], other[OC_PATH_BYTES];
    size_t a_size, b_size;
    fixture_init(&f);
    path_in(again, f.root, "again");
    path_in(other, f.root, "other");
    (void)train_ok(&f);
    f.options.out = again;
    f.options.workers = 1;
    (void)train_ok(&f);
    assert_same_file(f.out, again, "model.safetensors");
    f.options.out = other;
    f.options.seed++;
    (void)train_ok(&f);
    char *a = slurp(again, "model.safetensors", &a_size);
    char *b = slurp(other, "model.safetensors", &b_size);
    assert_true(a_size != b_size || memcmp(a, b, a_size) != 0);
    oc_free(a);
    oc_free(b);
    fixture_clear(&f);
}

/* A network of the zoo by its own wishes: squashed pictures, measured colours, Adagrad. */
static void a_network_of_the_zoo_learns_from_scratch(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_model *model;
    fixture_init(&f);
    f.options.from = NULL;
    f.options.arch = "thesis";
    f.options.size = 66;
    f.options.lr = -1;
    f.options.epochs = 4;
    f.options.augment = OC_LEVEL_NONE;
    assert_true(train_ok(&f).best_accuracy > 0.9);
    assert_non_null(strstr(f.words, "measured mean"));
    check_ok(oc_model_load(&model, f.out, &err), err);
    assert_string_equal(model->arch, "thesis");
    assert_int_equal(model->recipe.fit, OC_FIT_SQUASH);
    assert_int_equal(model->recipe.width, 66);
    oc_model_free(model);
    fixture_clear(&f);
}

static void every_optimiser_learns(void **state) {
    (void)state;
    const double rates[OC_OPTIMIZER_COUNT] = {0.1, 0.05, 0.01, 0.02, 0.02, 10};
    for (int optimizer = 0; optimizer < OC_OPTIMIZER_COUNT; optimizer++) {
        fixture f;
        fixture_init(&f);
        f.options.optimizer = optimizer;
        f.options.lr = rates[optimizer];
        f.options.epochs = 8;
        assert_true(train_ok(&f).best_accuracy > 0.6);
        fixture_clear(&f);
    }
}

static void cached_features_give_the_same_head_as_features_computed_anew(void **state) {
    (void)state;
    fixture f;
    char anew[OC_PATH_BYTES];
    fixture_init(&f);
    path_in(anew, f.root, "anew");
    f.options.tune = OC_TUNE_HEAD;
    f.options.augment = OC_LEVEL_NONE;
    (void)train_ok(&f);
    assert_non_null(strstr(f.words, "computing features once"));
    oci_session s = {.journal.fd = -1};
    oci_stage stage = {0};
    oc_error err = {0};
    f.options.out = anew;
    check_ok(oci_session_open(&s, &f.options, &f.observer, &err), err);
    s.feature_budget = 100;
    check_ok(oci_stage_open(&stage, &s, 0, f.options.epochs, true, &err), err);
    assert_non_null(strstr(f.words, "more than a quarter of the memory"));
    check_ok(oci_loop_run(&stage, &s, &err), err);
    oci_stage_clear(&stage);
    oci_session_clear(&s);
    assert_same_file(f.out, anew, "model.safetensors");
    fixture_clear(&f);
}

static void head_tuning_caches_a_plain_and_a_varied_view_by_itself(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.tune = OC_TUNE_HEAD;
    f.options.epochs = 12;
    assert_true(train_ok(&f).best_accuracy > 0.9);
    assert_non_null(strstr(f.words, "16 values an image, 2 views"));
    fixture_clear(&f);
}

static void head_tuning_leaves_the_body_as_it_was(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_model *before, *after;
    fixture_init(&f);
    f.options.tune = OC_TUNE_HEAD;
    f.options.augment = OC_LEVEL_LIGHT;
    (void)train_ok(&f);
    check_ok(oc_model_load(&before, f.seed, &err), err);
    check_ok(oc_model_load(&after, f.out, &err), err);
    for (size_t i = 0; i < oc_tensors_count(before->weights); i++) {
        const char *name = oc_tensors_name(before->weights, i);
        const oc_tensor *a = oc_tensors_at(before->weights, i);
        const oc_tensor *b = oc_tensors_find(after->weights, name);
        assert_non_null(b);
        bool same = oc_shape_equal(&a->shape, &b->shape) &&
                    memcmp(a->data, b->data, oc_tensor_bytes(a)) == 0;
        assert_int_equal(same, oc_starts_with(name, "body."));
    }
    oc_model_free(before);
    oc_model_free(after);
    fixture_clear(&f);
}

static void staged_trains_the_head_first_and_starts_its_schedule_anew(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.tune = OC_TUNE_STAGED;
    f.options.epochs = 4;
    f.options.warmup_epochs = 0;
    (void)train_ok(&f);
    assert_int_equal(f.steps, 4 * (TRAIN_IMAGES / 5));
    int first_of_all = TRAIN_IMAGES / 5;
    assert_true(f.rate_at[first_of_all - 1] < 0.05);
    assert_true(f.rate_at[first_of_all] > 0.0999);
    fixture_clear(&f);
}

static void a_head_for_the_same_classes_is_kept(void **state) {
    (void)state;
    fixture f;
    char second[OC_PATH_BYTES];
    fixture_init(&f);
    path_in(second, f.root, "second");
    (void)train_ok(&f);
    assert_non_null(strstr(f.words, "new head for 3 classes"));
    rewind_observer(&f, 0);
    f.options.from = f.out;
    f.options.out = second;
    f.options.epochs = 1;
    assert_true(train_ok(&f).best_accuracy > 0.9);
    assert_non_null(strstr(f.words, "the head is kept"));
    fixture_clear(&f);
}

static void without_validation_the_last_epoch_is_kept_and_that_is_told(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.split = -1;
    f.options.epochs = 2;
    oc_train_result r = train_ok(&f);
    assert_int_equal(r.val_images, 0);
    assert_int_equal(r.best_epoch, 2);
    assert_true(isnan(r.best_accuracy));
    assert_non_null(strstr(f.words, "the last epoch is kept"));
    json_t *told = oc_train_result_json(&r);
    assert_true(json_is_null(json_object_get(told, "best_accuracy")));
    json_decref(told);
    fixture_clear(&f);
}

static void a_validation_set_of_its_own_is_judged_on_whole(void **state) {
    (void)state;
    fixture f;
    char val[OC_PATH_BYTES];
    fixture_init(&f);
    path_in(val, f.root, "val");
    write_photos(val, MAX_LABELS, 4);
    f.options.val = val;
    f.options.epochs = 2;
    oc_train_result r = train_ok(&f);
    assert_int_equal(r.train_images, MAX_LABELS * PER_CLASS);
    assert_int_equal(r.val_images, MAX_LABELS * 4);
    fixture_clear(&f);
}

static void a_batch_larger_than_the_set_is_reduced_and_that_is_told(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.batch = 5000;
    f.options.epochs = 1;
    (void)train_ok(&f);
    assert_int_equal(f.steps, 1);
    assert_non_null(strstr(f.words, "batch 5000 is more than the 30 training images"));
    fixture_clear(&f);
}

/* Train by so many batches a step; what came of it. */
static oc_model *trained_by(fixture *f, int batch, int accumulate) {
    oc_error err = {0};
    oc_model *model = NULL;
    f->options.batch = batch;
    f->options.accumulate = accumulate;
    (void)train_ok(f);
    check_ok(oc_model_load(&model, f->out, &err), err);
    return model;
}

static void accumulated_batches_step_like_one_of_their_size(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    write_seed_model(f.seed, plain_graph(2));
    f.options.epochs = 2;
    oc_model *whole = trained_by(&f, 15, 1);
    assert_int_equal(f.steps, 4);
    char parts_out[OC_PATH_BYTES];
    path_in(parts_out, f.root, "parts");
    f.options.out = parts_out;
    rewind_observer(&f, 0);
    oc_model *parts = trained_by(&f, 5, 3);
    assert_int_equal(f.steps, 4);
    for (size_t i = 0; i < oc_tensors_count(whole->weights); i++) {
        const oc_tensor *a = oc_tensors_at(whole->weights, i);
        const oc_tensor *b = oc_tensors_find(parts->weights, oc_tensors_name(whole->weights, i));
        const float *x = a->data, *y = b->data;
        for (size_t k = 0; k < oc_tensor_count(a); k++)
            assert_true(fabsf(x[k] - y[k]) <= 1e-5F * (1 + fabsf(x[k])));
    }
    oc_model_free(whole);
    oc_model_free(parts);
    fixture_clear(&f);
}

static void more_batches_than_there_are_is_reduced_and_that_is_told(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.accumulate = 9;
    f.options.epochs = 1;
    (void)train_ok(&f);
    assert_int_equal(f.steps, 1);
    assert_non_null(strstr(f.words, "30 training images are 6 batches of 5: reduced to 6"));
    fixture_clear(&f);
}

static void recomputing_leaves_the_same_bytes(void **state) {
    (void)state;
    fixture f;
    char again[OC_PATH_BYTES];
    fixture_init(&f);
    f.options.engine = NULL;
    path_in(again, f.root, "again");
    (void)train_ok(&f);
    f.options.out = again;
    f.options.recompute = true;
    (void)train_ok(&f);
    assert_same_file(f.out, again, "model.safetensors");
    fixture_clear(&f);
}

static void early_stopping_ends_a_run_that_does_not_get_better(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.lr = 0;
    f.options.epochs = 50;
    f.options.patience = 3;
    oc_train_result r = train_ok(&f);
    assert_true(r.epochs_done < 50);
    assert_int_equal(r.epochs_done, r.best_epoch + 3);
    assert_non_null(strstr(f.words, "stopping early"));
    fixture_clear(&f);
}

static void a_loss_that_explodes_names_layer_rate_and_remedy(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_train_result r;
    fixture_init(&f);
    f.options.lr = 1000;
    f.options.warmup_epochs = 0;
    f.options.l2 = 10;
    f.options.epochs = 40;
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_ENUMERIC, "try a lower --lr");
    assert_non_null(strstr(err.message, "layer "));
    fixture_clear(&f);
}

static void a_network_that_learns_nothing_is_pointed_out(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.lr = 0;
    f.options.epochs = 1;
    (void)train_ok(&f);
    assert_non_null(strstr(f.words, "has learned nothing yet"));
    fixture_clear(&f);
}

static void spoil(const fixture *f, int count) {
    char path[OC_PATH_BYTES], name[48];
    oc_error err = {0};
    for (int i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "red/bad%d.jpg", i);
        path_in(path, f->data, name);
        check_ok(oc_file_write(path, "<html>", 6, &err), err);
    }
}

static void too_many_rejects_stop_the_run_unless_allowed(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_train_result r;
    fixture_init(&f);
    spoil(&f, 12);
    f.options.epochs = 1;
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_EDATA, "--allow-rejects");
    assert_non_null(strstr(err.message, "12 of 48"));
    f.options.allow_rejects = true;
    assert_int_equal(train_ok(&f).rejected, 12);
    fixture_clear(&f);
}

static void a_few_rejects_are_named_and_the_run_goes_on(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    spoil(&f, 2);
    f.options.epochs = 1;
    assert_int_equal(train_ok(&f).rejected, 2);
    assert_non_null(strstr(f.words, "bad0.jpg"));
    fixture_clear(&f);
}

static void a_folder_with_foreign_files_is_refused(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_train_result r;
    fixture_init(&f);
    f.options.out = f.data;
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_EUSAGE, "no model folder");
    assert_true(oc_path_is_dir(f.data));
    fixture_clear(&f);
}

static void training_onto_the_start_itself_is_refused(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_train_result r;
    fixture_init(&f);
    f.options.out = f.seed;
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_EUSAGE, "another folder");
    fixture_clear(&f);
}

static void a_start_that_does_not_exist_is_named(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_train_result r;
    fixture_init(&f);
    f.options.from = "no-such-weights.safetensors";
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_ENOTFOUND, "no-such-weights");
    f.options.from = NULL;
    f.options.arch = "mobilnet_v2";
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_ENOTFOUND, "mobilenet_v2");
    fixture_clear(&f);
}

static void every_allocation_may_fail_without_harm(void **state) {
    (void)state;
    fixture f;
    oc_train_result r;
    oc_status status = OC_ENOMEM;
    fixture_init(&f);
    f.options.epochs = 1;
    f.options.workers = 1;
    for (uint64_t n = 1; status != OC_OK; n += n / 12 + 1) {
        oc_error err = {0};
        oc_mem_fail_at(n);
        status = oc_train(&f.options, &f.observer, &r, &err);
        oc_mem_fail_at(0);
        if (status != OC_OK && status != OC_ENOMEM) {
            fail_msg("allocation %llu: %s: %s", (unsigned long long)n, oc_status_name(status),
                     err.message);
        }
        assert_true(n < 1000000);
    }
    fixture_clear(&f);
}

static void a_run_that_cannot_fit_says_what_would(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_train_result r;
    fixture_init(&f);
    f.options.batch = 20;
    (void)train_ok(&f);
    assert_non_null(strstr(f.words, "memory: "));
    f.options.memory_limit = 220000;
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_ELIMIT,
                "is the largest that fits");
    f.options.memory_limit = 1000;
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_ELIMIT, "no batch fits");
    f.options.tune = OC_TUNE_HEAD;
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_ELIMIT, "no batch fits");
    fixture_clear(&f);
}

/* Accuracy is of all photos, whatever is kept to find the temperature. */
static void a_sample_of_the_logits_judges_alike(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    oc_train_result all = train_ok(&f);
    rewind_observer(&f, 0);
    f.options.logits_in_memory = 5 * MAX_LABELS * sizeof(float);
    oc_train_result some = train_ok(&f);
    assert_int_equal(some.val_images, all.val_images);
    assert_true(some.val_images > 5);
    assert_int_equal(some.best_epoch, all.best_epoch);
    assert_true(some.best_accuracy == all.best_accuracy);
    assert_true(some.temperature > 0);
    fixture_clear(&f);
}

int main(int argc, char **argv) {
    const struct CMUnitTest slow[] = {cmocka_unit_test(a_network_of_the_zoo_learns_from_scratch)};
    if (argc > 1 && strcmp(argv[1], "slow") == 0) return cmocka_run_group_tests(slow, NULL, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_learns_colours_and_leaves_a_model_folder),
        cmocka_unit_test(the_same_seed_gives_the_same_bytes_and_another_does_not),
        cmocka_unit_test(every_optimiser_learns),
        cmocka_unit_test(cached_features_give_the_same_head_as_features_computed_anew),
        cmocka_unit_test(head_tuning_caches_a_plain_and_a_varied_view_by_itself),
        cmocka_unit_test(head_tuning_leaves_the_body_as_it_was),
        cmocka_unit_test(staged_trains_the_head_first_and_starts_its_schedule_anew),
        cmocka_unit_test(a_head_for_the_same_classes_is_kept),
        cmocka_unit_test(without_validation_the_last_epoch_is_kept_and_that_is_told),
        cmocka_unit_test(a_validation_set_of_its_own_is_judged_on_whole),
        cmocka_unit_test(a_batch_larger_than_the_set_is_reduced_and_that_is_told),
        cmocka_unit_test(accumulated_batches_step_like_one_of_their_size),
        cmocka_unit_test(more_batches_than_there_are_is_reduced_and_that_is_told),
        cmocka_unit_test(recomputing_leaves_the_same_bytes),
        cmocka_unit_test(early_stopping_ends_a_run_that_does_not_get_better),
        cmocka_unit_test(a_loss_that_explodes_names_layer_rate_and_remedy),
        cmocka_unit_test(a_network_that_learns_nothing_is_pointed_out),
        cmocka_unit_test(too_many_rejects_stop_the_run_unless_allowed),
        cmocka_unit_test(a_few_rejects_are_named_and_the_run_goes_on),
        cmocka_unit_test(a_folder_with_foreign_files_is_refused),
        cmocka_unit_test(training_onto_the_start_itself_is_refused),
        cmocka_unit_test(a_start_that_does_not_exist_is_named),
        cmocka_unit_test(every_allocation_may_fail_without_harm),
        cmocka_unit_test(a_run_that_cannot_fit_says_what_would),
        cmocka_unit_test(a_sample_of_the_logits_judges_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
