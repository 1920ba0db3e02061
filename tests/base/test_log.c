/* Log lines and the clock.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

typedef struct kept_line {
    int count;
    oc_log_level level;
    char text[4096];
} kept_line;

static void keep(void *ctx, oc_log_level level, const char *line) {
    kept_line *kept = ctx;
    kept->count++;
    kept->level = level;
    (void)snprintf(kept->text, sizeof kept->text, "%s", line);
}

static void sink_gets_one_clean_line(void **state) {
    (void)state;
    kept_line kept = {0};
    oc_log log = {.write = keep, .ctx = &kept};
    oc_info(&log, "%d images in %s", 3, "a\tb");
    assert_int_equal(kept.level, OC_LOG_INFO);
    assert_string_equal(kept.text, "3 images in a?b");
    oc_warn(&log, "few");
    assert_int_equal(kept.level, OC_LOG_WARN);
    assert_int_equal(kept.count, 2);
}

static void missing_sink_is_silence(void **state) {
    (void)state;
    oc_log log = {0};
    oc_info(NULL, "x");
    oc_warn(&log, "x");
}

static void long_line_is_cut(void **state) {
    (void)state;
    kept_line kept = {0};
    oc_log log = {.write = keep, .ctx = &kept};
    oc_info(&log, "%04000d", 1);
    assert_in_range(strlen(kept.text), 2000, 2048);
}

static void clock_goes_forward(void **state) {
    (void)state;
    double before = oc_clock_seconds();
    assert_true(oc_clock_seconds() >= before);
}

static void utc_has_its_form(void **state) {
    (void)state;
    char text[32];
    int year = 0, end = 0;
    assert_ptr_equal(oc_clock_utc(text), text);
    assert_int_equal(sscanf(text, "%4d-%*2d-%*2dT%*2d:%*2d:%*2dZ%n", &year, &end), 1);
    assert_int_equal(end, 20);
    assert_true(year >= 2024);
}

static void peak_memory_is_at_least_what_was_touched(void **state) {
    (void)state;
    size_t bytes = 32 << 20;
    char *p = oc_malloc_aligned(bytes);
    assert_non_null(p);
    memset(p, 1, bytes);
    assert_true(oc_peak_rss_bytes() >= bytes);
    oc_free_aligned(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sink_gets_one_clean_line),
        cmocka_unit_test(missing_sink_is_silence),
        cmocka_unit_test(long_line_is_cut),
        cmocka_unit_test(clock_goes_forward),
        cmocka_unit_test(utc_has_its_form),
        cmocka_unit_test(peak_memory_is_at_least_what_was_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
