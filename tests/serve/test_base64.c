/* Base64, the vectors of RFC 4648 and what is not of it.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "serve/base64_int.h"

static bool decode(const char *text, char out[32], size_t *size) {
    return oci_base64_decode(text, strlen(text), out, size);
}

static void the_vectors_of_the_standard_are_read(void **state) {
    (void)state;
    static const char *const vectors[][2] = {{"", ""},
                                             {"Zg==", "f"},
                                             {"Zm8=", "fo"},
                                             {"Zm9v", "foo"},
                                             {"Zm9vYg==", "foob"},
                                             {"Zm9vYmE=", "fooba"},
                                             {"Zm9vYmFy", "foobar"},
                                             {"+/+/", "\xFB\xFF\xBF"}};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char out[32];
        size_t size = 99;
        assert_true(decode(vectors[i][0], out, &size));
        assert_int_equal(size, strlen(vectors[i][1]));
        assert_memory_equal(out, vectors[i][1], size);
    }
}

static void anything_else_is_not(void **state) {
    (void)state;
    static const char *const bad[] = {"A",        "AA",      "AAA",  "=",     "====",
                                      "A===",     "AA=A",    "=AAA", "AB==",  "AAB=",
                                      "AA AA==",  "AAA\n",   "-_-_", "AAAA=", "\xFF\xFF\xFF\xFF",
                                      "Zg==Zg==", "Zm8=Zm9v"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char out[32];
        size_t size = 0;
        if (decode(bad[i], out, &size)) fail_msg("\"%s\" was read", bad[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standard_are_read),
        cmocka_unit_test(anything_else_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
