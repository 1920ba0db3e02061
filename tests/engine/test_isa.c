/* That the limit which the environment sets on instruction sets holds for the library and for our
 * own loops alike. The build runs this and other tests under several limits (CMakeLists.txt).
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <stdlib.h>

#include "engine/engine.h"

static bool engine_says(const char *word) {
    oc_buf text = {0};
    oc_error err = {0};
    check_ok(oc_engine_describe(NULL, &text, &err), err);
    bool found = strstr(text.data, word) != NULL;
    oc_buf_clear(&text);
    return found;
}

static void the_limit_in_the_environment_is_kept(void **state) {
    (void)state;
    const char *most = getenv("ONEDNN_MAX_CPU_ISA");
    if (most == NULL || strcmp(oc_engine_names()[0], "ref") == 0) skip();
    if (strcmp(most, "SSE41") == 0) assert_true(engine_says("SSE4.1"));
    assert_false(engine_says("AVX2"));
    assert_false(engine_says("AVX-512"));
    assert_false(oc_cpu_has_avx2());
}

static void either_name_of_the_variable_limits_our_loops(void **state) {
    (void)state;
    static const char *const names[] = {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"};
    for (int i = 0; i < 2; i++) {
        const char *before = getenv(names[i]);
        if (before != NULL) continue; /* set for the whole run */
        bool fast = oc_cpu_has_avx2();
        assert_int_equal(setenv(names[i], "avx", 1), 0);
        assert_false(oc_cpu_has_avx2());
        assert_int_equal(setenv(names[i], "AVX2", 1), 0);
        assert_int_equal(oc_cpu_has_avx2(), fast);
        assert_int_equal(unsetenv(names[i]), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limit_in_the_environment_is_kept),
        cmocka_unit_test(either_name_of_the_variable_limits_our_loops)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
