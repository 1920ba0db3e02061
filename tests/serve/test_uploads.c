/* Uploads in memory: pieces, budgets, expiry.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <pthread.h>

#include "serve/uploads_int.h"

static const oci_uploads_limits limits = {.one = 100, .all = 250, .count = 4, .seconds = 3600};

static oci_uploads *make(void) {
    oci_uploads *u = NULL;
    oc_error err = {0};
    check_ok(oci_uploads_new(&u, &limits, &err), err);
    return u;
}

static void create(oci_uploads *u, const char *id, uint64_t size, double now) {
    oc_error err = {0};
    check_ok(oci_uploads_create(u, id, size, "filename YQ==", now, &err), err);
}

static bool known(oci_uploads *u, const char *id, double now) {
    oci_upload *upload = oci_uploads_take(u, id, now);
    oci_uploads_give(u, upload);
    return upload != NULL;
}

static void pieces_make_the_whole(void **state) {
    (void)state;
    oci_uploads *u = make();
    oc_error err = {0};
    create(u, "a", 5, 0);
    oci_upload *upload = oci_uploads_take(u, "a", 0);
    check_ok(oci_uploads_append(u, upload, 0, "he", 2, 1, &err), err);
    check_ok(oci_uploads_append(u, upload, 2, "", 0, 1, &err), err);
    check_ok(oci_uploads_append(u, upload, 2, "llo", 3, 1, &err), err);
    oci_upload_state s = oci_uploads_state(u, upload, 1);
    assert_int_equal(s.offset, 5);
    assert_int_equal(s.size, 5);
    assert_memory_equal(s.bytes, "hello", 5);
    assert_string_equal(s.metadata, "filename YQ==");
    assert_float_equal(s.left, 3600, 0.001);
    oci_uploads_give(u, upload);
    oci_uploads_free(u);
}

static void a_piece_that_does_not_fit_changes_nothing(void **state) {
    (void)state;
    oci_uploads *u = make();
    oc_error err = {0};
    create(u, "a", 5, 0);
    oci_upload *upload = oci_uploads_take(u, "a", 0);
    check_ok(oci_uploads_append(u, upload, 0, "abc", 3, 0, &err), err);
    check_fails(oci_uploads_append(u, upload, 2, "x", 1, 0, &err), err, OC_EMISMATCH, "is at 3");
    check_fails(oci_uploads_append(u, upload, UINT64_MAX, "x", 1, 0, &err), err, OC_EMISMATCH,
                "is at 3");
    check_fails(oci_uploads_append(u, upload, 3, "xyz", 3, 0, &err), err, OC_ELIMIT, "announced");
    assert_int_equal(oci_uploads_state(u, upload, 0).offset, 3);
    oci_uploads_give(u, upload);
    oci_uploads_free(u);
}

static void an_hour_untouched_is_the_end(void **state) {
    (void)state;
    oci_uploads *u = make();
    oc_error err = {0};
    create(u, "a", 5, 0);
    create(u, "b", 5, 0);
    assert_true(known(u, "a", 3599));
    oci_upload *upload = oci_uploads_take(u, "a", 3599);
    check_ok(oci_uploads_append(u, upload, 0, "x", 1, 3599, &err), err);
    oci_uploads_give(u, upload);
    assert_true(known(u, "a", 3601));
    assert_false(known(u, "b", 3601));
    assert_int_equal(oci_uploads_held(u), 5);
    assert_false(known(u, "a", 7200));
    assert_int_equal(oci_uploads_held(u), 0);
    oci_uploads_free(u);
}

static void what_is_in_use_stays_though_its_id_is_gone(void **state) {
    (void)state;
    oci_uploads *u = make();
    oc_error err = {0};
    create(u, "a", 5, 0);
    oci_upload *upload = oci_uploads_take(u, "a", 0);
    check_ok(oci_uploads_append(u, upload, 0, "hello", 5, 0, &err), err);
    assert_false(known(u, "a", 9000));
    assert_memory_equal(oci_uploads_state(u, upload, 9000).bytes, "hello", 5);
    check_fails(oci_uploads_append(u, upload, 5, "", 0, 9000, &err), err, OC_ENOTFOUND, "given up");
    oci_uploads_drop(u, upload);
    oci_uploads_give(u, upload);
    oci_uploads_free(u);
}

/* What a slow PATCH holds is there, whether its id is given up or has expired. */
static void bytes_count_until_they_are_freed(void **state) {
    (void)state;
    oci_uploads *u = make();
    oc_error err = {0};
    create(u, "a", 100, 0);
    create(u, "b", 100, 0);
    oci_upload *a = oci_uploads_take(u, "a", 0), *b = oci_uploads_take(u, "b", 0);
    oci_uploads_drop(u, a);
    assert_false(known(u, "a", 0));
    assert_false(known(u, "b", 9000)); /* expired */
    assert_int_equal(oci_uploads_held(u), 200);
    check_fails(oci_uploads_create(u, "c", 100, NULL, 9000, &err), err, OC_ENOMEM, "no room");
    oci_uploads_give(u, a);
    assert_int_equal(oci_uploads_held(u), 100);
    create(u, "c", 100, 9000);
    oci_uploads_give(u, b);
    assert_int_equal(oci_uploads_held(u), 100);
    oci_uploads_free(u);
}

static void budgets_hold(void **state) {
    (void)state;
    oci_uploads *u = make();
    oc_error err = {0};
    check_fails(oci_uploads_create(u, "x", 101, NULL, 0, &err), err, OC_ELIMIT, "at most 100");
    check_fails(oci_uploads_create(u, "x", UINT64_MAX, NULL, 0, &err), err, OC_ELIMIT, "at most");
    create(u, "a", 100, 0);
    create(u, "b", 100, 0);
    check_fails(oci_uploads_create(u, "c", 51, NULL, 1, &err), err, OC_ENOMEM, "no room");
    create(u, "c", 50, 1);
    create(u, "d", 0, 1);
    check_fails(oci_uploads_create(u, "e", 0, NULL, 1, &err), err, OC_ENOMEM, "4 uploads");
    oci_uploads_free(u);
}

static void under_pressure_the_idlest_goes(void **state) {
    (void)state;
    oci_uploads *u = make();
    oc_error err = {0};
    create(u, "a", 100, 0);
    create(u, "b", 100, 10);
    oci_upload *a = oci_uploads_take(u, "a", 100);
    check_ok(oci_uploads_append(u, a, 0, "x", 1, 100, &err), err);
    oci_uploads_give(u, a);
    create(u, "c", 100, 131); /* b has not been touched for 121 seconds */
    assert_false(known(u, "b", 131));
    assert_true(known(u, "a", 131));
    oci_uploads_free(u);
}

static void what_has_served_goes_soon_but_not_at_once(void **state) {
    (void)state;
    oci_uploads *u = make();
    create(u, "a", 100, 0);
    oci_upload *a = oci_uploads_take(u, "a", 0);
    oci_uploads_spend(u, a, 0);
    oci_uploads_give(u, a);
    assert_true(known(u, "a", 119));
    assert_false(known(u, "a", 121));
    create(u, "a", 100, 200);
    a = oci_uploads_take(u, "a", 200);
    oci_uploads_spend(u, a, 200);
    oci_uploads_give(u, a);
    create(u, "b", 100, 201); /* and gives way to the next */
    create(u, "c", 100, 201);
    assert_false(known(u, "a", 201));
    oci_uploads_free(u);
}

static void without_memory_nothing_is_begun(void **state) {
    (void)state;
    oc_error err = {0};
    for (uint64_t n = 1;; n++) {
        oci_uploads *u = NULL;
        oc_mem_fail_at(n);
        oc_status status = oci_uploads_new(&u, &limits, &err);
        if (status == OC_OK) status = oci_uploads_create(u, "a", 10, "filename YQ==", 0, &err);
        oc_mem_fail_at(0);
        if (status != OC_OK) assert_int_equal(status, OC_ENOMEM);
        if (u != NULL) assert_int_equal(oci_uploads_held(u), status == OC_OK ? 10 : 0);
        oci_uploads_free(u);
        if (status == OC_OK) break;
        assert_true(n < 20);
    }
}

enum { THREADS = 4, ROUNDS = 200 };

/* Begin one, send it in two pieces, look at it, give it up; all threads use the same few ids. */
static void *work(void *ctx) {
    oci_uploads *u = ctx;
    char id[16];
    for (int i = 0; i < ROUNDS; i++) {
        (void)snprintf(id, sizeof id, "%d", i % 3);
        oc_status made = oci_uploads_create(u, id, 8, NULL, i, NULL);
        oci_upload *upload = oci_uploads_take(u, id, i);
        if (upload == NULL) continue;
        for (int k = 0; k < 2; k++) {
            oc_status sent = oci_uploads_append(u, upload, 4 * (uint64_t)k, "four", 4, i, NULL);
            (void)sent; /* another thread may have been there before */
        }
        oci_upload_state s = oci_uploads_state(u, upload, i);
        if (s.offset == s.size && memcmp(s.bytes, "fourfour", 8) != 0) return ctx;
        if (made == OC_OK) oci_uploads_drop(u, upload);
        oci_uploads_give(u, upload);
    }
    return NULL;
}

static void threads_may_share_it(void **state) {
    (void)state;
    oci_uploads *u = make();
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, u), 0);
    for (int i = 0; i < THREADS; i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
    oci_uploads_free(u);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_make_the_whole),
        cmocka_unit_test(a_piece_that_does_not_fit_changes_nothing),
        cmocka_unit_test(an_hour_untouched_is_the_end),
        cmocka_unit_test(what_is_in_use_stays_though_its_id_is_gone),
        cmocka_unit_test(bytes_count_until_they_are_freed),
        cmocka_unit_test(budgets_hold),
        cmocka_unit_test(under_pressure_the_idlest_goes),
        cmocka_unit_test(what_has_served_goes_soon_but_not_at_once),
        cmocka_unit_test(threads_may_share_it),
        cmocka_unit_test(without_memory_nothing_is_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
