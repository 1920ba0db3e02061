/* What most tests need: cmocka with its own includes, checks of a status, a scratch folder.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_CHECK_H
#define OC_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

/* expr is an oc_status; err the oc_error that it filled. */
#define check_ok(expr, err)                                                                        \
    do {                                                                                           \
        oc_status check_status_ = (expr);                                                          \
        if (check_status_ != OC_OK) {                                                              \
            fail_msg("%s: %s: %s", #expr, oc_status_name(check_status_), (err).message);           \
        }                                                                                          \
    } while (0)

/* The call fails with this status, and the message has this part. */
#define check_fails(expr, err, wanted, part)                                                       \
    do {                                                                                           \
        oc_status check_status_ = (expr);                                                          \
        assert_string_equal(oc_status_name(check_status_), oc_status_name(wanted));                \
        assert_int_equal((err).status, wanted);                                                    \
        if (strstr((err).message, part) == NULL) {                                                 \
            fail_msg("no \"%s\" in \"%s\"", part, (err).message);                                  \
        }                                                                                          \
    } while (0)

/* A fresh folder; the caller removes it with drop_scratch. */
static inline void make_scratch(char path[OC_PATH_BYTES]) {
    const char *root = getenv("TMPDIR");
    (void)snprintf(path, OC_PATH_BYTES, "%s/ocellus-test-XXXXXX", root == NULL ? "/tmp" : root);
    assert_non_null(mkdtemp(path));
}

static inline void drop_scratch(const char *path) {
    assert_int_equal(oc_path_remove_tree(path, NULL), OC_OK);
}

#endif
