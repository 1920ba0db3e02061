/* Which addresses are the machine itself.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "serve/access_int.h"

static void loopback_is_known_however_it_is_written(void **state) {
    (void)state;
    static const char *const here[] = {"127.0.0.1",       "127.255.1.2",      "::1",
                                       "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::FFFF:7f00:1"};
    static const char *const elsewhere[] = {
        "",    "127.",      "127.0.0.1.example", "localhost",        "0.0.0.0",    "::",
        "::2", "1.127.0.0", "::127.0.0.1",       "::ffff:192.0.2.1", "2001:db8::1"};
    for (size_t i = 0; i < sizeof here / sizeof here[0]; i++)
        if (!oci_is_loopback(here[i])) fail_msg("%s is here", here[i]);
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        if (oci_is_loopback(elsewhere[i])) fail_msg("%s is elsewhere", elsewhere[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loopback_is_known_however_it_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
