/* The public API, used as a stranger would.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../model/photos.h"
#include "../model/tiny.h"

#include "ocellus/ocellus.h"

/* A saved model of four classes in `folder`, and a photo beside it. */
static void set_up(char folder[OC_PATH_BYTES], char photo[OC_PATH_BYTES]) {
    oc_model *model = tiny_model(4);
    oc_error err = {0};
    make_scratch(folder);
    for (int i = 0; i < 4; i++) model->classes.items[i].display = oc_strdup("a name");
    check_ok(oc_model_save(model, folder, &err), err);
    check_ok(oc_path_join(photo, folder, "photo.jpg", &err), err);
    photo_file(photo, 32, 24, 10, 200, 90);
    oc_model_free(model);
}

static void a_photo_gets_names(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES], photo[OC_PATH_BYTES];
    const oc_classifier_options options = {.threads = 1, .engine = "ref"};
    oc_classifier *c = NULL;
    oc_error err = {0};
    oc_guess guesses[9];
    int count = 0;
    set_up(folder, photo);
    check_ok(oc_classifier_open(&c, folder, &options, &err), err);
    assert_int_equal(oc_classifier_classes(c), 4);
    assert_string_equal(oc_classifier_label(c, 3), "class-3");
    assert_null(oc_classifier_label(c, 4));
    check_ok(oc_classify_file(c, photo, 9, guesses, &count, &err), err);
    assert_int_equal(count, 4);
    for (int i = 0; i < count; i++) {
        assert_true(oc_starts_with(guesses[i].label, "class-"));
        assert_string_equal(guesses[i].name, "a name");
        assert_null(guesses[i].id);
        assert_true(guesses[i].p >= 0 && guesses[i].p <= 1);
    }
    check_ok(oc_classify_file(c, photo, 1, guesses + 4, &count, &err), err);
    assert_int_equal(count, 1);
    assert_string_equal(guesses[4].label, guesses[0].label);
    oc_classifier_close(c);
    drop_scratch(folder);
}

static void what_is_wrong_is_told_and_forgiven(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES], photo[OC_PATH_BYTES];
    oc_classifier *c = NULL;
    oc_error err = {0};
    oc_guess guess;
    int count = 7;
    set_up(folder, photo);
    check_fails(oc_classifier_open(&c, "/no/such/model", NULL, &err), err, OC_ENOTFOUND,
                "/no/such");
    assert_null(c);
    check_ok(oc_classifier_open(&c, folder, NULL, &err), err);
    check_fails(oc_classify_file(c, "/no/photo.jpg", 1, &guess, &count, &err), err, OC_ENOTFOUND,
                "/no/photo.jpg");
    assert_int_equal(count, 0);
    check_fails(oc_classify_bytes(c, "nonsense", 8, 1, &guess, &count, &err), err, OC_EFORMAT, "");
    check_fails(oc_classify_file(c, photo, 0, &guess, &count, &err), err, OC_EUSAGE, "photo.jpg");
    check_ok(oc_classify_file(c, photo, 1, &guess, &count, &err), err);
    assert_int_equal(count, 1);
    assert_true(oc_classifier_threshold(c) == 0);
    oc_classifier_close(c);
    oc_classifier_close(NULL);
    drop_scratch(folder);
}

static void the_version_has_three_parts(void **state) {
    (void)state;
    int major = -1, minor = -1, patch = -1;
    assert_int_equal(sscanf(oc_version(), "%d.%d.%d", &major, &minor, &patch), 3);
}

static void opening_survives_any_allocation_failing(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES], photo[OC_PATH_BYTES];
    const oc_classifier_options options = {.threads = 1, .engine = "ref"};
    oc_status status = OC_ENOMEM;
    set_up(folder, photo);
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_classifier *c = NULL;
        assert_true(n < 2000);
        oc_mem_fail_at(n);
        status = oc_classifier_open(&c, folder, &options, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || (status == OC_ENOMEM && c == NULL));
        oc_classifier_close(c);
    }
    drop_scratch(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_photo_gets_names),
        cmocka_unit_test(what_is_wrong_is_told_and_forgiven),
        cmocka_unit_test(the_version_has_three_parts),
        cmocka_unit_test(opening_survives_any_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
