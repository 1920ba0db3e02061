/* Files that other programs wrote (make_weights_fixtures.py).
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "interop/interop.h"

#define FIXTURES OC_SOURCE_DIR "/tests/interop/fixtures/"

static oc_weights_file *open_fixture(const char *name) {
    char path[OC_PATH_BYTES];
    oc_weights_file *f = NULL;
    oc_error err = {0};
    check_ok(oc_path_join(path, FIXTURES, name, &err), err);
    check_ok(oc_weights_file_open(&f, path, &err), err);
    return f;
}

static void refuse_fixture(const char *name, oc_status wanted, const char *part) {
    char path[OC_PATH_BYTES];
    oc_weights_file *f = NULL;
    oc_error err = {0};
    check_ok(oc_path_join(path, FIXTURES, name, &err), err);
    check_fails(oc_weights_file_open(&f, path, &err), err, wanted, part);
    assert_null(f);
}

/* The tensor's values as floats. */
static void expect(const oc_weights_file *f, const char *name, const char *shape, size_t count,
                   const float *values) {
    char text[OC_SHAPE_TEXT];
    float found[16];
    const oc_tensor *t = oc_tensors_find(oc_weights_file_tensors(f), name);
    assert_non_null(t);
    assert_string_equal(oc_shape_text(text, &t->shape), shape);
    assert_int_equal(oc_tensor_count(t), count);
    assert_int_equal(oc_tensor_to_f32(found, t->data, t->dtype, count, NULL), OC_OK);
    for (size_t i = 0; i < count; i++) assert_true(found[i] == values[i]);
}

static void check_state(const char *name) {
    oc_weights_file *f = open_fixture(name);
    const oc_tensors *set = oc_weights_file_tensors(f);
    assert_string_equal(oc_weights_file_kind(f), "PyTorch");
    assert_int_equal(oc_tensors_count(set), 9);
    expect(f, "rows", "2x3", 6, (float[]){0, 1, 2, 3, 4, 5});
    expect(f, "turned", "3x2", 6, (float[]){0, 3, 1, 4, 2, 5});
    expect(f, "part", "2", 2, (float[]){4, 5});
    expect(f, "half", "2", 2, (float[]){1.5F, -2});
    expect(f, "brain", "2", 2, (float[]){1.5F, -2});
    expect(f, "double", "1", 1, (float[]){0.25F});
    const oc_tensor *count = oc_tensors_find(set, "count");
    int64_t seven = 0;
    assert_int_equal(count->dtype, OC_I64);
    assert_int_equal(count->shape.rank, 0);
    memcpy(&seven, count->data, sizeof seven);
    assert_int_equal(seven, 7);
    assert_int_equal(oc_tensor_count(oc_tensors_find(set, "none")), 0);
    assert_int_equal(((const uint8_t *)oc_tensors_find(set, "bytes")->data)[1], 255);
    oc_weights_file_close(f);
}

static void what_both_versions_of_torch_save_is_read(void **state) {
    (void)state;
    check_state("state_one.pth");
    check_state("state_two.pth");
}

static void rows_are_views_and_turned_ones_copies(void **state) {
    (void)state;
    oc_weights_file *f = open_fixture("state_two.pth");
    const oc_tensors *set = oc_weights_file_tensors(f);
    const float *rows = oc_tensors_find(set, "rows")->data;
    const float *part = oc_tensors_find(set, "part")->data;
    assert_ptr_equal(part, rows + 4);
    assert_false(oc_tensors_all_owned(set));
    oc_weights_file_close(f);
}

static void a_checkpoint_gives_its_state(void **state) {
    (void)state;
    static const char *const FILES[] = {"checkpoint_one.pth", "checkpoint_two.pth"};
    for (size_t i = 0; i < 2; i++) {
        oc_weights_file *f = open_fixture(FILES[i]);
        assert_int_equal(oc_tensors_count(oc_weights_file_tensors(f)), 1);
        expect(f, "module.rows", "2x3", 6, (float[]){0, 1, 2, 3, 4, 5});
        oc_weights_file_close(f);
    }
}

/* Beside the state: a tensor, options, numbers of numpy, a counter, a path. */
static void what_training_scripts_save_beside_the_state_is_passed_over(void **state) {
    (void)state;
    oc_weights_file *f = open_fixture("script_two.pth");
    assert_int_equal(oc_tensors_count(oc_weights_file_tensors(f)), 1);
    expect(f, "rows", "2x3", 6, (float[]){0, 1, 2, 3, 4, 5});
    oc_weights_file_close(f);
}

static void whole_modules_and_old_files_say_how_to_save_them(void **state) {
    (void)state;
    refuse_fixture("module_one.pth", OC_EUNSUPPORTED, "torch.nn.modules.linear.Linear");
    refuse_fixture("module_two.pth", OC_EUNSUPPORTED, "model.state_dict()");
    refuse_fixture("old_one.pth", OC_EUNSUPPORTED, "torch.save(torch.load(FILE), NEW)");
}

/* HDF5 may be absent from the build. */
static void need_h5(void) {
    oc_weights_file *f = NULL;
    oc_status status = oc_weights_file_open(&f, FIXTURES "layers_one.h5", NULL);
    oc_weights_file_close(f);
    if (status == OC_EENV) skip();
}

static void layers_of_keras_are_read(void **state) {
    (void)state;
    need_h5();
    oc_weights_file *f = open_fixture("layers_one.h5");
    assert_string_equal(oc_weights_file_kind(f), "Keras");
    assert_int_equal(oc_tensors_count(oc_weights_file_tensors(f)), 5);
    expect(f, "conv/kernel", "1x1x2x3", 6, (float[]){0, 1, 2, 3, 4, 5});
    expect(f, "conv/bias", "3", 3, (float[]){0, 1, 2});
    expect(f, "old/kernel", "2x2", 4, (float[]){1, 1, 1, 1});
    expect(f, "old/bias", "2", 2, (float[]){0, 0});
    expect(f, "deep/kernel", "1x1x2x1", 2, (float[]){1, 1});
    oc_weights_file_close(f);
}

static void variables_of_keras_3_are_read(void **state) {
    (void)state;
    need_h5();
    oc_weights_file *f = open_fixture("vars_one.weights.h5");
    assert_int_equal(oc_tensors_count(oc_weights_file_tensors(f)), 6);
    expect(f, "bn1/gamma", "2", 2, (float[]){0, 0});
    expect(f, "bn1/moving_variance", "2", 2, (float[]){3, 3});
    expect(f, "fc/kernel", "2x3", 6, (float[]){1, 1, 1, 1, 1, 1});
    oc_weights_file_close(f);
}

static void a_net_is_the_same_in_all_forms_of_keras_3(void **state) {
    (void)state;
    static const char *const FORMS[] = {"net_one.weights.h5", "net_one.keras", "net_one.h5"};
    need_h5();
    for (size_t i = 0; i < sizeof FORMS / sizeof *FORMS; i++) {
        oc_weights_file *f = open_fixture(FORMS[i]);
        assert_string_equal(oc_weights_file_kind(f), "Keras");
        assert_int_equal(oc_tensors_count(oc_weights_file_tensors(f)), 9);
        expect(f, "first/kernel", "1x2x2x3", 12, (float[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
        expect(f, "first/bias", "3", 3, (float[]){12, 13, 14});
        expect(f, "norm/moving_variance", "3", 3, (float[]){24, 25, 26});
        expect(f, "deep/kernel", "1x1x3x1", 3, (float[]){27, 28, 29});
        expect(f, "last/bias", "2", 2, (float[]){36, 37});
        oc_weights_file_close(f);
    }
}

static void hdf5_that_looks_elsewhere_is_refused(void **state) {
    (void)state;
    need_h5();
    refuse_fixture("soft_one.h5", OC_EFORMAT, "not followed");
    refuse_fixture("virtual_one.h5", OC_EFORMAT, "not in this file");
    refuse_fixture("link_one.h5", OC_EFORMAT, "not followed");
    refuse_fixture("outside_one.h5", OC_EFORMAT, "not in this file");
}

static void hdf5_larger_inside_than_outside_is_refused(void **state) {
    (void)state;
    need_h5();
    refuse_fixture("circle_one.h5", OC_EFORMAT, "nested more than 8 deep");
    refuse_fixture("bomb_one.h5", OC_EFORMAT, "packed in pieces larger than");
    refuse_fixture("overflow_one.h5", OC_EFORMAT, "more numbers than the file can hold");
    refuse_fixture("many_one.h5", OC_EFORMAT, "more numbers than the file can hold");
    refuse_fixture("pieces_one.h5", OC_EFORMAT, "packed in pieces larger than");
}

static void every_truncation_of_hdf5_is_refused(void **state) {
    (void)state;
    static const char *const FILES[] = {FIXTURES "layers_one.h5", FIXTURES "net_one.weights.h5"};
    need_h5();
    for (size_t i = 0; i < 2; i++) {
        char *bytes = NULL;
        size_t size = 0;
        oc_error err = {0};
        oc_weights_file *f = NULL;
        check_ok(oc_file_read(FILES[i], 1 << 20, &bytes, &size, &err), err);
        for (size_t n = 8; n < size; n += 97)
            assert_int_equal(oc_weights_file_parse(&f, bytes, n, "f", NULL), OC_EFORMAT);
        check_ok(oc_weights_file_parse(&f, bytes, size, "f", &err), err);
        oc_weights_file_close(f);
        oc_free(bytes);
    }
}

static void other_files_are_no_weights(void **state) {
    (void)state;
    oc_weights_file *f = NULL;
    oc_error err = {0};
    check_fails(oc_weights_file_parse(&f, "hello, world", 12, "f", &err), err, OC_EFORMAT,
                "no file of weights");
    check_fails(oc_weights_file_parse(&f, "", 0, "f", &err), err, OC_EFORMAT, "no file of weights");
    check_fails(oc_weights_file_open(&f, "/no/such.pth", &err), err, OC_ENOTFOUND, "/no/such.pth");
}

static void opening_survives_any_allocation_failing(void **state) {
    (void)state;
    static const char *const FILES[] = {FIXTURES "state_two.pth", FIXTURES "layers_one.h5",
                                        FIXTURES "net_one.keras"};
    need_h5();
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        oc_status status = OC_ENOMEM;
        for (uint64_t n = 1; status != OC_OK; n++) {
            oc_weights_file *f = NULL;
            assert_true(n < 500);
            oc_mem_fail_at(n);
            status = oc_weights_file_open(&f, FILES[i], NULL);
            oc_mem_fail_at(0);
            assert_true(status == OC_OK || (status == OC_ENOMEM && f == NULL));
            oc_weights_file_close(f);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_both_versions_of_torch_save_is_read),
        cmocka_unit_test(rows_are_views_and_turned_ones_copies),
        cmocka_unit_test(a_checkpoint_gives_its_state),
        cmocka_unit_test(what_training_scripts_save_beside_the_state_is_passed_over),
        cmocka_unit_test(whole_modules_and_old_files_say_how_to_save_them),
        cmocka_unit_test(layers_of_keras_are_read),
        cmocka_unit_test(variables_of_keras_3_are_read),
        cmocka_unit_test(a_net_is_the_same_in_all_forms_of_keras_3),
        cmocka_unit_test(hdf5_that_looks_elsewhere_is_refused),
        cmocka_unit_test(hdf5_larger_inside_than_outside_is_refused),
        cmocka_unit_test(every_truncation_of_hdf5_is_refused),
        cmocka_unit_test(other_files_are_no_weights),
        cmocka_unit_test(opening_survives_any_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
