/* Token buckets: as many as allowed, then one at a time, whatever the addresses.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "serve/limits_int.h"
#include "serve/serve.h"

static oci_limits *make(int per_minute, int burst) {
    oci_limits *limits = NULL;
    oc_error err = {0};
    check_ok(oci_limits_new(&limits, per_minute, burst, &err), err);
    return limits;
}

static void a_burst_passes_and_then_the_rate(void **state) {
    (void)state;
    double retry = 0;
    oci_limits *limits = make(60, 3);
    for (int i = 0; i < 3; i++) assert_true(oci_limits_take(limits, "192.0.2.1", 100, &retry));
    assert_false(oci_limits_take(limits, "192.0.2.1", 100, &retry));
    assert_true(retry > 0.99 && retry < 1.01);
    assert_false(oci_limits_take(limits, "192.0.2.1", 100.5, &retry));
    assert_true(oci_limits_take(limits, "192.0.2.1", 101.1, &retry));
    assert_false(oci_limits_take(limits, "192.0.2.1", 101.1, &retry));
    for (int i = 0; i < 3; i++) assert_true(oci_limits_take(limits, "192.0.2.1", 9999, &retry));
    assert_false(oci_limits_take(limits, "192.0.2.1", 9999, &retry));
    oci_limits_free(limits);
}

static void one_address_does_not_cost_another(void **state) {
    (void)state;
    double retry = 0;
    oci_limits *limits = make(1, 1);
    assert_true(oci_limits_take(limits, "192.0.2.1", 0, &retry));
    assert_false(oci_limits_take(limits, "192.0.2.1", 0, &retry));
    assert_true(oci_limits_take(limits, "192.0.2.2", 0, &retry));
    assert_true(oci_limits_take(limits, "2001:db8::1", 0, &retry));
    oci_limits_free(limits);
}

static void a_client_has_one_bucket_for_all_its_addresses(void **state) {
    (void)state;
    double retry = 0;
    oci_limits *limits = make(1, 1);
    assert_true(oci_limits_take(limits, "2001:db8:0:1::1", 0, &retry));
    assert_false(oci_limits_take(limits, "2001:db8:0:1:ffff::2", 0, &retry));
    assert_true(oci_limits_take(limits, "2001:db8:0:2::1", 0, &retry));
    assert_true(oci_limits_take(limits, "192.0.2.1", 0, &retry));
    assert_false(oci_limits_take(limits, "::ffff:192.0.2.1", 0, &retry));
    oci_limits_free(limits);
}

static void a_flood_of_addresses_does_not_free_the_latest(void **state) {
    (void)state;
    double retry = 0;
    char address[32];
    oci_limits *limits = make(1, 1);
    uint64_t before = oc_mem_allocations();
    for (int i = 0; i < 100000; i++) {
        (void)snprintf(address, sizeof address, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
        assert_true(oci_limits_take(limits, address, i * 1e-5, &retry));
        assert_false(oci_limits_take(limits, address, i * 1e-5, &retry));
    }
    assert_int_equal(oc_mem_allocations(), before);
    oci_limits_free(limits);
}

static void limits_are_read_or_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "", "0", "-1", "x", "60:", "60:0", "60:x", ":5", "1e3", "60:5:1"};
    int minute = 0, burst = 0;
    assert_true(oc_limit_parse("60", &minute, &burst));
    assert_int_equal(minute, 60);
    assert_int_equal(burst, 60);
    assert_true(oc_limit_parse("60:5", &minute, &burst));
    assert_int_equal(burst, 5);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(oc_limit_parse(bad[i], &minute, &burst));
}

static void out_of_memory_is_told(void **state) {
    (void)state;
    oci_limits *limits = NULL;
    oc_error err = {0};
    for (uint64_t n = 1; n <= 2; n++) {
        oc_mem_fail_at(n);
        assert_int_equal(oci_limits_new(&limits, 1, 1, &err), OC_ENOMEM);
        oc_mem_fail_at(0);
        assert_null(limits);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_passes_and_then_the_rate),
        cmocka_unit_test(one_address_does_not_cost_another),
        cmocka_unit_test(a_client_has_one_bucket_for_all_its_addresses),
        cmocka_unit_test(a_flood_of_addresses_does_not_free_the_latest),
        cmocka_unit_test(limits_are_read_or_refused),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
