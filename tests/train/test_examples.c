/* Photos that stand for the classes: which are chosen, and what a run leaves of them.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/fixture.h"

enum { CLASSES = 3, JUDGED = 5 };

/* Of each photo: the logits, what it is, its number. */
static const float logits[JUDGED * CLASSES] = {
    2, 0, 0, /* right, a little sure */
    9, 0, 0, /* right, very sure */
    9, 0, 8, /* wrong */
    0, 3, 1, /* right */
    7, 6, 0, /* wrong */
};
static const int32_t truth[JUDGED] = {0, 0, 2, 1, 1};
static const uint32_t item[JUDGED] = {10, 11, 12, 13, 14};

typedef struct chosen {
    oc_train_options options;
    oc_model model;
    oci_session session;
} chosen;

static void set_up(chosen *c, size_t classes) {
    *c = (chosen){.model.classes.count = classes};
    c->session = (oci_session){.options = &c->options, .model = &c->model};
    c->session.position.temperature = 1.5;
}

static void choose(chosen *c) {
    const oci_judged judged = {NULL, logits, truth, item, JUDGED, CLASSES};
    oc_error err = {0};
    check_ok(oci_examples_choose(&c->session, &judged, &err), err);
}

static void the_surest_right_answer_stands_for_its_class(void **state) {
    (void)state;
    chosen c;
    set_up(&c, CLASSES);
    choose(&c);
    assert_int_equal(c.session.examples[0], 11);
    assert_int_equal(c.session.examples[1], 13);
    assert_int_equal(c.session.examples[2], OCI_NO_EXAMPLE);
    choose(&c); /* a better epoch chooses anew */
    assert_int_equal(c.session.examples[0], 11);
    oc_free(c.session.examples);
}

static void a_checkpoint_keeps_the_choice(void **state) {
    (void)state;
    chosen c;
    set_up(&c, CLASSES);
    json_t *none = oci_examples_json(&c.session);
    assert_true(json_is_null(none));
    choose(&c);
    json_t *kept = oci_examples_json(&c.session);
    assert_int_equal(json_array_size(kept), CLASSES);
    assert_int_equal(json_integer_value(json_array_get(kept, 1)), 13);
    assert_true(json_is_null(json_array_get(kept, 2)));
    json_decref(none);
    json_decref(kept);
    oc_free(c.session.examples);
}

static void none_are_chosen_where_none_are_wanted(void **state) {
    (void)state;
    chosen c;
    set_up(&c, CLASSES);
    c.options.no_examples = true;
    choose(&c);
    assert_null(c.session.examples);
    set_up(&c, 2001);
    choose(&c);
    assert_null(c.session.examples);
}

static void choosing_survives_any_allocation_failing(void **state) {
    (void)state;
    const oci_judged judged = {NULL, logits, truth, item, JUDGED, CLASSES};
    for (uint64_t n = 1; n <= 2; n++) {
        chosen c;
        set_up(&c, CLASSES);
        oc_mem_fail_at(n);
        assert_int_equal(oci_examples_choose(&c.session, &judged, NULL), OC_ENOMEM);
        oc_mem_fail_at(0);
        oc_free(c.session.examples);
    }
}

/* ---- runs -------------------------------------------------------------------------------------
 */

static size_t examples_in(const char *out) {
    char folder[OC_PATH_BYTES];
    oc_path_list list = {0};
    path_in(folder, out, "examples");
    if (!oc_path_is_dir(folder)) return 0;
    assert_int_equal(oc_path_list_dir(folder, true, &list, NULL), OC_OK);
    size_t count = list.count;
    oc_path_list_free(&list);
    return count;
}

static void check_thumbnail(const char *out, const char *name) {
    size_t size = 0;
    char *bytes = slurp(out, name, &size);
    const oc_image_limits limits = {0};
    oc_image_info info;
    oc_error err = {0};
    check_ok(oc_image_probe(bytes, size, &limits, &info, &err), err);
    assert_int_equal(info.format, OC_FORMAT_JPEG);
    assert_int_equal(info.width, 160);
    assert_int_equal(info.height, 160);
    oc_free(bytes);
}

static void a_finished_run_leaves_one_of_each_class(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.epochs = 2;
    (void)train_ok(&f);
    assert_int_equal(examples_in(f.out), MAX_LABELS);
    check_thumbnail(f.out, "examples/0.jpg");
    check_thumbnail(f.out, "examples/2.jpg");
    f.options.no_examples = true;
    (void)train_ok(&f);
    assert_int_equal(examples_in(f.out), 0);
    fixture_clear(&f);
}

static void without_validation_photos_of_training_stand_for_them(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.epochs = 1;
    f.options.split = -1;
    (void)train_ok(&f);
    assert_int_equal(examples_in(f.out), MAX_LABELS);
    fixture_clear(&f);
}

static void a_run_that_was_stopped_leaves_the_same_in_the_end(void **state) {
    (void)state;
    fixture f;
    char whole[OC_PATH_BYTES];
    fixture_init(&f);
    f.options.epochs = 2;
    (void)train_ok(&f);
    path_in(whole, f.root, "model");
    path_in(f.out, f.root, "stopped");
    f.options.resume = true;
    rewind_observer(&f, 9); /* in the second epoch: the choice is in the checkpoint */
    (void)train_ok(&f);
    assert_int_equal(examples_in(f.out), 0);
    rewind_observer(&f, 0);
    (void)train_ok(&f);
    for (int c = 0; c < MAX_LABELS; c++) {
        char name[32];
        (void)snprintf(name, sizeof name, "examples/%d.jpg", c);
        assert_same_file(whole, f.out, name);
    }
    fixture_clear(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_surest_right_answer_stands_for_its_class),
        cmocka_unit_test(a_checkpoint_keeps_the_choice),
        cmocka_unit_test(none_are_chosen_where_none_are_wanted),
        cmocka_unit_test(choosing_survives_any_allocation_failing),
        cmocka_unit_test(a_finished_run_leaves_one_of_each_class),
        cmocka_unit_test(without_validation_photos_of_training_stand_for_them),
        cmocka_unit_test(a_run_that_was_stopped_leaves_the_same_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
