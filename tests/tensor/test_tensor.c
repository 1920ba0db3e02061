/* Element types, shapes, conversion to float.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "tensor/tensor.h"

static void every_type_is_found_by_its_word(void **state) {
    (void)state;
    oc_dtype found = OC_F32;
    for (int i = 0; i < OC_DTYPE_COUNT; i++) {
        assert_true(oc_dtype_parse(oc_dtype_name((oc_dtype)i), &found));
        assert_int_equal(found, i);
        assert_in_range(oc_dtype_bytes((oc_dtype)i), 1, 8);
    }
    assert_false(oc_dtype_parse("F8_E4M3", &found));
    assert_false(oc_dtype_parse("", &found));
}

static void shapes_compare_by_rank_and_dimensions(void **state) {
    (void)state;
    oc_shape a = oc_shape_2d(3, 4), b = oc_shape_4d(3, 4, 1, 1), c = oc_shape_2d(3, 5);
    assert_true(oc_shape_equal(&a, &a));
    assert_false(oc_shape_equal(&a, &b));
    assert_false(oc_shape_equal(&a, &c));
    a.dim[5] = 9; /* beyond the rank: no part of the shape */
    oc_shape d = oc_shape_2d(3, 4);
    assert_true(oc_shape_equal(&a, &d));
}

static void count_refuses_the_impossible(void **state) {
    (void)state;
    size_t n = 5;
    oc_shape huge = oc_shape_4d(1LL << 40, 1LL << 40, 1, 1), negative = oc_shape_1d(-1);
    oc_shape deep = {.rank = OC_MAX_RANK + 1}, scalar = {.rank = 0}, none = oc_shape_2d(0, 7);
    assert_false(oc_shape_count(&huge, &n));
    assert_false(oc_shape_count(&negative, &n));
    assert_false(oc_shape_count(&deep, &n));
    assert_int_equal(n, 5);
    assert_true(oc_shape_count(&scalar, &n));
    assert_int_equal(n, 1);
    assert_true(oc_shape_count(&none, &n));
    assert_int_equal(n, 0);
}

static void shape_text_fits_its_storage(void **state) {
    (void)state;
    char text[OC_SHAPE_TEXT];
    oc_shape conv = oc_shape_4d(64, 3, 7, 7), scalar = {0}, wide = {.rank = OC_MAX_RANK};
    assert_string_equal(oc_shape_text(text, &conv), "64x3x7x7");
    assert_string_equal(oc_shape_text(text, &scalar), "scalar");
    for (int i = 0; i < OC_MAX_RANK; i++) wide.dim[i] = INT64_MIN;
    assert_true(strlen(oc_shape_text(text, &wide)) < OC_SHAPE_TEXT);
}

static void sizes_of_a_tensor(void **state) {
    (void)state;
    oc_tensor t = {.dtype = OC_F16, .shape = oc_shape_2d(3, 5)};
    assert_int_equal(oc_tensor_count(&t), 15);
    assert_int_equal(oc_tensor_bytes(&t), 30);
}

static void half_precision_becomes_float_exactly(void **state) {
    (void)state;
    static const uint16_t half[] = {0x3C00, 0xC000, 0x0001, 0x83FF, 0x7BFF,
                                    0x0400, 0x7C00, 0xFC00, 0x8000, 0x3555};
    static const float want[] = {1.0F,     -2.0F,    0x1p-24F,  -0x1.FF8p-15F, 65504.0F,
                                 0x1p-14F, INFINITY, -INFINITY, -0.0F,         0x1.554p-2F};
    float got[10];
    oc_error err = {0};
    check_ok(oc_tensor_to_f32(got, half, OC_F16, 10, &err), err);
    assert_memory_equal(got, want, sizeof got);
    uint16_t nan16 = 0x7E00;
    check_ok(oc_tensor_to_f32(got, &nan16, OC_F16, 1, &err), err);
    assert_true(isnan(got[0]));
}

static void other_floats_convert_from_any_alignment(void **state) {
    (void)state;
    unsigned char bytes[1 + 2 * sizeof(double)];
    const double d[] = {1.5, -3.25};
    const uint16_t b[] = {0x3FC0, 0xC050}; /* bfloat16 1.5, -3.25 */
    const float f[] = {1.5F, -3.25F};
    float got[2];
    oc_error err = {0};
    memcpy(bytes + 1, d, sizeof d);
    check_ok(oc_tensor_to_f32(got, bytes + 1, OC_F64, 2, &err), err);
    assert_memory_equal(got, f, sizeof f);
    memcpy(bytes + 1, b, sizeof b);
    check_ok(oc_tensor_to_f32(got, bytes + 1, OC_BF16, 2, &err), err);
    assert_memory_equal(got, f, sizeof f);
    memcpy(bytes + 1, f, sizeof f);
    check_ok(oc_tensor_to_f32(got, bytes + 1, OC_F32, 2, &err), err);
    assert_memory_equal(got, f, sizeof f);
    check_ok(oc_tensor_to_f32(NULL, NULL, OC_F32, 0, &err), err);
}

static void integers_are_not_weights(void **state) {
    (void)state;
    int32_t n = 1;
    float got = 0;
    oc_error err = {0};
    check_fails(oc_tensor_to_f32(&got, &n, OC_I32, 1, &err), err, OC_EUNSUPPORTED, "I32");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_found_by_its_word),
        cmocka_unit_test(shapes_compare_by_rank_and_dimensions),
        cmocka_unit_test(count_refuses_the_impossible),
        cmocka_unit_test(shape_text_fits_its_storage),
        cmocka_unit_test(sizes_of_a_tensor),
        cmocka_unit_test(half_precision_becomes_float_exactly),
        cmocka_unit_test(other_floats_convert_from_any_alignment),
        cmocka_unit_test(integers_are_not_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
