/* SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "interop/interop.h"

static oc_tensors *set_of(const float *values, size_t count) {
    oc_tensors *set = NULL;
    oc_tensor *t = NULL;
    oc_shape shape = oc_shape_1d((int64_t)count);
    assert_int_equal(oc_tensors_new(&set, NULL), OC_OK);
    assert_int_equal(oc_tensors_add(set, "w", OC_F32, &shape, &t, NULL), OC_OK);
    memcpy(t->data, values, count * sizeof *values);
    return set;
}

/* Every number of 16 bits that is finite comes back as it was. */
static void check_all(oc_dtype dtype, uint16_t exponent) {
    enum { ALL = 65536 };
    float *values = oc_malloc(ALL * sizeof *values);
    uint16_t *halves = oc_malloc(ALL * sizeof *halves);
    size_t count = 0;
    oc_error err = {0};
    for (uint32_t i = 0; i < ALL; i++)
        if ((i & exponent) != exponent) halves[count++] = (uint16_t)i;
    check_ok(oc_tensor_to_f32(values, halves, dtype, count, &err), err);
    oc_tensors *set = set_of(values, count), *out = NULL;
    check_ok(oc_tensors_round(&out, set, dtype, &err), err);
    assert_int_equal(oc_tensors_at(out, 0)->dtype, dtype);
    assert_memory_equal(oc_tensors_at(out, 0)->data, halves, count * sizeof *halves);
    oc_tensors_free(out);
    oc_tensors_free(set);
    oc_free(values);
    oc_free(halves);
}

static void every_half_and_brain_float_survives(void **state) {
    (void)state;
    check_all(OC_F16, 0x7C00);
    check_all(OC_BF16, 0x7F80);
}

static void halfway_goes_to_the_even_one(void **state) {
    (void)state;
    static const float values[] = {1 + 0x1p-11F, 1 + 3 * 0x1p-11F, 0x1p-25F, 3 * 0x1p-25F};
    static const uint16_t halves[] = {0x3C00, 0x3C02, 0, 2};
    oc_error err = {0};
    oc_tensors *set = set_of(values, 4), *out = NULL;
    check_ok(oc_tensors_round(&out, set, OC_F16, &err), err);
    assert_memory_equal(oc_tensors_at(out, 0)->data, halves, sizeof halves);
    oc_tensors_free(out);
    oc_tensors_free(set);
}

static void what_no_half_can_hold_is_named(void **state) {
    (void)state;
    oc_error err = {0};
    oc_tensors *set = set_of((float[]){1, 65520}, 2), *out = NULL;
    check_fails(oc_tensors_round(&out, set, OC_F16, &err), err, OC_ENUMERIC, "w holds 65520");
    check_ok(oc_tensors_round(&out, set, OC_BF16, &err), err);
    oc_tensors_free(out);
    oc_tensors_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_half_and_brain_float_survives),
        cmocka_unit_test(halfway_goes_to_the_even_one),
        cmocka_unit_test(what_no_half_can_hold_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
