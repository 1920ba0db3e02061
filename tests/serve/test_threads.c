/* Event threads meet: at the database, at the keys, at the limits. (Run under TSan.)
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <stdatomic.h>

#include "../check.h"
#include "serve/desk_int.h"
#include "serve/kept_int.h"
#include "serve/keys_int.h"
#include "serve/limits_int.h"
#include "serve/retain_int.h"

enum { THREADS = 4, ROUNDS = 12 };

static char folder[OC_PATH_BYTES];

static int set_up(void **state) {
    (void)state;
    make_scratch(folder);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    drop_scratch(folder);
    return 0;
}

static void run_all(void *(*work)(void *ctx), void *ctx) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, ctx), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

/* ---- the database -----------------------------------------------------------------------------
 */

static oc_status keep_one(oci_db *db, const char *id) {
    static const oci_photo_bytes photo = {"image/jpeg", "\xFF\xD8", 2};
    const oci_observation o = {.id = id,
                               .model = "flowers",
                               .results = "[]",
                               .top = "rose",
                               .organs = "[]",
                               .photos = &photo,
                               .photo_count = 1};
    const oci_verdict confirm = {.standing = OCI_CONFIRMED, .reviewer = "berta", .seen = "pending"};
    const oci_listing listing = {.limit = 3};
    json_t *page = NULL;
    bool allowed = false;
    char kept[OCI_TOKEN_BYTES];
    OC_TRY(oci_kept_put(db, &o, kept, NULL));
    OC_TRY(oci_kept_judge(db, id, &confirm, NULL));
    OC_TRY(oci_kept_list(db, &listing, &page, NULL));
    json_decref(page);
    return oci_kept_remove(db, id, NULL, &allowed, NULL);
}

static void *keep_some(void *ctx) {
    for (int i = 0; i < ROUNDS; i++) {
        char token[OCI_TOKEN_BYTES];
        if (oci_token_make(token, NULL) != OC_OK || keep_one(ctx, token) != OC_OK) return ctx;
    }
    return NULL;
}

static void the_database_takes_them_one_after_the_other(void **state) {
    (void)state;
    char path[OC_PATH_BYTES];
    oci_db *db = NULL;
    oci_retain *retain = NULL;
    oci_metrics *metrics = NULL;
    oc_error err = {0};
    const oc_log silence = {0};
    json_t *page = NULL;
    const oci_listing listing = {.limit = 3};
    check_ok(oc_path_join(path, folder, "a.db", &err), err);
    check_ok(oci_db_open(&db, path, true, &err), err);
    check_ok(oci_metrics_new(&metrics, &err), err);
    check_ok(oci_retain_new(&retain, db, metrics, 1, &silence, &err), err);
    run_all(keep_some, db);
    check_ok(oci_kept_list(db, &listing, &page, &err), err);
    assert_int_equal(json_array_size(json_object_get(page, "observations")), 0);
    json_decref(page);
    oci_retain_free(retain);
    oci_metrics_free(metrics);
    oci_db_close(db);
}

/* ---- keys and limits --------------------------------------------------------------------------
 */

typedef struct doors {
    oci_keys *keys;
    oci_limits *limits;
} doors;

static void *come_in(void *ctx) {
    doors *d = ctx;
    double retry = 0;
    for (int i = 0; i < ROUNDS; i++) {
        oci_holder holder;
        if (!oci_keys_find(d->keys, "a", &holder)) return ctx;
        (void)oci_keys_charge(d->keys, &holder, 1000, &retry);
        (void)oci_limits_take(d->limits, "192.0.2.1", i, &retry);
        if (oci_keys_reload(d->keys, NULL) != OC_OK) return ctx;
    }
    return NULL;
}

static void keys_may_be_read_again_while_they_are_used(void **state) {
    (void)state;
    static const char text[] = "a anna user 9\nb berta user\n";
    char path[OC_PATH_BYTES];
    doors d = {0};
    oc_error err = {0};
    check_ok(oc_path_join(path, folder, "keys", &err), err);
    check_ok(oc_file_write(path, text, sizeof text - 1, &err), err);
    check_ok(oci_keys_new(&d.keys, path, &err), err);
    check_ok(oci_limits_new(&d.limits, 60, 10, &err), err);
    run_all(come_in, &d);
    oci_limits_free(d.limits);
    oci_keys_free(d.keys);
}

/* ---- a desk ---------------------------------------------------------------------------------
 */

enum { TASKS = 500 };

typedef struct chronicle {
    oci_desk *desk;
    oci_task tasks[THREADS * TASKS];
    atomic_int written;
    atomic_int put;
} chronicle;

static void write_line(void *ctx) {
    (void)atomic_fetch_add(&((chronicle *)ctx)->written, 1);
}

static void *dictate(void *ctx) {
    chronicle *c = ctx;
    for (int i = 0; i < TASKS; i++) {
        oci_task *task = &c->tasks[atomic_fetch_add(&c->put, 1)];
        *task = (oci_task){.run = write_line, .ctx = c};
        oci_desk_put(c->desk, task);
    }
    return NULL;
}

static void a_desk_does_all_that_was_put_before_it_ends(void **state) {
    static chronicle c;
    oc_error err = {0};
    (void)state;
    check_ok(oci_desk_new(&c.desk, 3, &err), err);
    run_all(dictate, &c);
    oci_desk_free(c.desk);
    assert_int_equal(atomic_load(&c.written), THREADS * TASKS);
}

static void out_of_memory_is_told(void **state) {
    (void)state;
    oci_desk *desk = NULL;
    oci_retain *retain = NULL;
    const oc_log silence = {0};
    oc_mem_fail_at(1);
    assert_int_equal(oci_desk_new(&desk, 2, NULL), OC_ENOMEM);
    oc_mem_fail_at(1);
    assert_int_equal(oci_retain_new(&retain, NULL, NULL, 1, &silence, NULL), OC_ENOMEM);
    oc_mem_fail_at(0);
    assert_null(desk);
    assert_null(retain);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_database_takes_them_one_after_the_other, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(keys_may_be_read_again_while_they_are_used, set_up,
                                        tear_down),
        cmocka_unit_test(a_desk_does_all_that_was_put_before_it_ends),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
