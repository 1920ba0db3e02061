/* Claims about runs of so many iterations of a network that is brought along: what `train --solver`
 * makes of a Caffe user's solver.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/fixture.h"

enum { PHOTOS = MAX_LABELS * PER_CLASS, PARAMS = 16 };

typedef struct run {
    fixture f;
    oc_model *net;
    char lists[2][OC_PATH_BYTES];
    float lr[PARAMS], decay[PARAMS];
    oc_augment vary;
} run;

/* "red/00.jpg 0" and so on; every third photo is for testing. */
static void write_list(run *r, int which) {
    static const char *const names[MAX_LABELS] = {"red", "green", "blue"};
    oc_buf text = {0};
    oc_error err = {0};
    path_in(r->lists[which], r->f.root, which == 0 ? "train.txt" : "test.txt");
    for (int i = 0; i < PHOTOS; i++) {
        if ((i % 3 == 2) != (which == 1)) continue;
        oc_buf_printf(&text, "%s/%02d.jpg %d\n", names[i / PER_CLASS], i % PER_CLASS,
                      i / PER_CLASS);
    }
    check_ok(oc_file_write(r->lists[which], text.data, text.size, &err), err);
    oc_buf_clear(&text);
}

/* Four outputs, of which the last never occurs. */
static void make_net(run *r) {
    static const char *const labels[] = {"0", "1", "2", "3"};
    oc_error err = {0};
    check_ok(oc_model_new(&r->net, &err), err);
    r->net->graph = tiny_graph(4);
    r->net->recipe = oc_recipe_default(SIDE, SIDE);
    r->net->classes.items = oc_calloc(4, sizeof *r->net->classes.items);
    r->net->classes.count = 4;
    for (int i = 0; i < 4; i++) r->net->classes.items[i].label = oc_strdup(labels[i]);
    assert_true(oc_graph_param_count(r->net->graph) <= PARAMS);
    for (int i = 0; i < PARAMS; i++) r->lr[i] = r->decay[i] = 1;
}

static void open_run(run *r) {
    static char root[OC_PATH_BYTES + 1];
    *r = (run){.vary = {.flip = true, .crop_shift = true}};
    fixture_init(&r->f);
    (void)snprintf(root, sizeof root, "%s/", r->f.data);
    for (int i = 0; i < 2; i++) write_list(r, i);
    make_net(r);
    oc_train_options *o = &r->f.options;
    o->from = NULL;
    o->data = r->lists[0];
    o->val = r->lists[1];
    o->dataset.root = o->val_root = root;
    o->epochs = 0;
    o->net = r->net;
    o->lr_scale = r->lr;
    o->decay_scale = r->decay;
    o->vary = &r->vary;
    o->augment = OC_LEVEL_NONE;
    o->batch = 5; /* 24 photos are four of it; the fifth begins anew */
    o->iterations = 23;
    o->judge_every = 7;
    o->schedule = OC_SCHEDULE_STEP;
    o->step_epochs = 10;
    o->step_factor = 0.5;
    o->warmup_epochs = 0;
    o->caffe = true;
    o->lr = 0.05;
}

static void close_run(run *r) {
    oc_model_free(r->net);
    fixture_clear(&r->f);
}

static void a_run_ends_after_its_iterations_and_is_judged_in_between(void **state) {
    (void)state;
    run r;
    open_run(&r);
    oc_train_result result = train_ok(&r.f);
    assert_int_equal(result.steps_done, 23);
    assert_int_equal(result.epochs_done, 4); /* 7 + 7 + 7 + 2 */
    assert_int_equal(r.f.epochs, 4);
    assert_int_equal(result.classes, 4);
    assert_int_equal(result.val_images, PHOTOS / 3);
    assert_true(result.best_accuracy > 0.6);
    for (int i = 0; i < 23; i++) {
        double wanted = i < 10 ? 0.05 : i < 20 ? 0.025 : 0.0125;
        assert_true(fabs(r.f.rate_at[i] - wanted) < 1e-12);
    }
    close_run(&r);
}

static void train_whole(run *r, char whole[OC_PATH_BYTES]) {
    path_in(whole, r->f.root, "whole");
    r->f.options.out = whole;
    (void)train_ok(&r->f);
    r->f.options.out = r->f.out;
}

static void stopping_anywhere_and_resuming_gives_the_same_bytes(void **state) {
    (void)state;
    for (int accumulate = 1; accumulate < 4; accumulate++) {
        run r;
        char whole[OC_PATH_BYTES];
        open_run(&r);
        r.f.options.accumulate = accumulate;
        train_whole(&r, whole);
        r.f.options.resume = true;
        bool stopped = true;
        for (int runs = 0; stopped; runs++) {
            assert_true(runs < 20);
            rewind_observer(&r.f, 1 + runs * 2);
            stopped = train_ok(&r.f).stopped;
        }
        assert_same_file(whole, r.f.out, "model.safetensors");
        close_run(&r);
    }
}

static void other_multipliers_do_not_continue_a_run(void **state) {
    (void)state;
    run r;
    oc_error err = {0};
    oc_train_result result;
    open_run(&r);
    rewind_observer(&r.f, 3);
    assert_true(train_ok(&r.f).stopped);
    rewind_observer(&r.f, 0);
    r.f.options.resume = true;
    r.decay[0] = 0;
    check_fails(oc_train(&r.f.options, &r.f.observer, &result, &err), err, OC_EMISMATCH,
                "net_digest was");
    close_run(&r);
}

/* The order of the photos goes on across judgements: how often one looks changes nothing. */
static void judging_more_often_does_not_change_the_training(void **state) {
    (void)state;
    run r;
    char whole[OC_PATH_BYTES];
    open_run(&r);
    r.f.options.val = NULL;
    r.f.options.split = -1;
    train_whole(&r, whole);
    r.f.options.judge_every = 3;
    (void)train_ok(&r.f);
    assert_same_file(whole, r.f.out, "model.safetensors");
    close_run(&r);
}

static bool same_values(const oc_model *model, const oc_tensors *before, const char *name) {
    const oc_tensor *a = oc_tensors_find(model->weights, name), *b = oc_tensors_find(before, name);
    assert_non_null(a);
    assert_non_null(b);
    return memcmp(a->data, b->data, oc_tensor_bytes(a)) == 0;
}

static int param_called(const oc_graph *graph, const char *name) {
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        if (strcmp(oc_graph_param(graph, i)->name, name) == 0) return i;
    }
    fail_msg("no parameter %s", name);
    return -1;
}

/* lr_mult 0 is a fixed parameter; what is next to it learns on. */
static void a_rate_of_zero_fixes_a_parameter(void **state) {
    (void)state;
    static const char *const fixed[] = {"body.conv1.weight", "body.norm1.weight",
                                        "body.conv2.bias"};
    run r;
    oc_model *model = NULL;
    oc_error err = {0};
    open_run(&r);
    check_ok(oc_tensors_new(&r.net->weights, &err), err);
    check_ok(oc_graph_init(r.net->graph, 5, r.net->weights, &err), err);
    for (size_t i = 0; i < 3; i++) r.lr[param_called(r.net->graph, fixed[i])] = 0;
    (void)train_ok(&r.f);
    check_ok(oc_model_load(&model, r.f.out, &err), err);
    for (size_t i = 0; i < 3; i++) assert_true(same_values(model, r.net->weights, fixed[i]));
    assert_false(same_values(model, r.net->weights, "body.conv2.weight"));
    assert_false(same_values(model, r.net->weights, "body.norm1.bias"));
    oc_model_free(model);
    close_run(&r);
}

static void nothing_left_to_train_is_an_error(void **state) {
    (void)state;
    run r;
    oc_error err = {0};
    oc_train_result result;
    open_run(&r);
    memset(r.lr, 0, sizeof r.lr);
    check_fails(oc_train(&r.f.options, &r.f.observer, &result, &err), err, OC_EUSAGE, "rate");
    close_run(&r);
}

static void a_label_beyond_the_outputs_is_told_with_its_line(void **state) {
    (void)state;
    run r;
    oc_error err = {0};
    oc_train_result result;
    static const char text[] = "red/00.jpg 0\ngreen/01.jpg 4\n";
    open_run(&r);
    check_ok(oc_file_write(r.lists[0], text, sizeof text - 1, &err), err);
    check_fails(oc_train(&r.f.options, &r.f.observer, &result, &err), err, OC_EDATA,
                "train.txt:2: label 4: the network has 4 outputs");
    close_run(&r);
}

static void snapshots_are_checkpoints(void **state) {
    (void)state;
    run r;
    char whole[OC_PATH_BYTES], current[OC_PATH_BYTES];
    size_t size = 0;
    open_run(&r);
    r.f.options.checkpoint_minutes = 1000;
    r.f.options.snapshot_every = 2;
    train_whole(&r, whole);
    path_in(current, whole, "checkpoint");
    char *text = slurp(current, "current", &size);
    int64_t written = 0;
    assert_true(oc_parse_i64(oc_trim(text), 0, 1000, &written));
    assert_true(written >= 11); /* one for every second of 23 */
    oc_free(text);
    close_run(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_ends_after_its_iterations_and_is_judged_in_between),
        cmocka_unit_test(stopping_anywhere_and_resuming_gives_the_same_bytes),
        cmocka_unit_test(other_multipliers_do_not_continue_a_run),
        cmocka_unit_test(judging_more_often_does_not_change_the_training),
        cmocka_unit_test(a_rate_of_zero_fixes_a_parameter),
        cmocka_unit_test(nothing_left_to_train_is_an_error),
        cmocka_unit_test(a_label_beyond_the_outputs_is_told_with_its_line),
        cmocka_unit_test(snapshots_are_checkpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
