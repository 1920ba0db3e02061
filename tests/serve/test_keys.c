/* Keys, roles and quotas from a file.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "serve/keys_int.h"
#include "serve/secret_int.h"

static char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];

static int set_up(void **state) {
    (void)state;
    make_scratch(folder);
    return oc_path_join(path, folder, "keys", NULL);
}

static int tear_down(void **state) {
    (void)state;
    drop_scratch(folder);
    return 0;
}

static void write_file(const char *text) {
    oc_error err = {0};
    check_ok(oc_file_write(path, text, strlen(text), &err), err);
}

static oci_keys *open_keys(const char *text) {
    oci_keys *keys = NULL;
    oc_error err = {0};
    write_file(text);
    check_ok(oci_keys_new(&keys, path, &err), err);
    return keys;
}

/* SHA-256 of "abc", FIPS 180-2. */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void keys_are_found_as_they_are_and_by_their_digest(void **state) {
    (void)state;
    oci_holder holder;
    oci_keys *keys = open_keys("# who may come in\n\nsecret-of-anna\tanna user 3 # bounded\r\n"
                               "sha256:" ABC " berta expert\nroot-key carl admin");
    assert_true(oci_keys_find(keys, "secret-of-anna", &holder));
    assert_string_equal(holder.name, "anna");
    assert_int_equal(holder.role, OCI_USER);
    assert_true(oci_keys_find(keys, "abc", &holder));
    assert_string_equal(holder.name, "berta");
    assert_int_equal(holder.role, OCI_EXPERT);
    assert_true(oci_keys_find(keys, "root-key", &holder));
    assert_int_equal(holder.role, OCI_ADMIN);
    oci_keys_free(keys);
}

static void nothing_else_opens_the_door(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "", "secret-of-ann", "secret-of-anna ", "Secret-of-anna", ("sha256:" ABC), ABC, "anna",
        "#"};
    oci_holder holder;
    oci_keys *keys = open_keys("secret-of-anna anna user\nsha256:" ABC " berta expert\n");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(oci_keys_find(keys, wrong[i], &holder));
    oci_keys_free(keys);
}

static void a_quota_ends_the_day_and_begins_anew_at_midnight(void **state) {
    (void)state;
    const double noon = 20000.5 * 86400;
    double retry = 0;
    oci_holder anna, berta;
    oci_keys *keys = open_keys("a anna user 2\nb berta user\n");
    assert_true(oci_keys_find(keys, "a", &anna));
    assert_true(oci_keys_find(keys, "b", &berta));
    assert_true(oci_keys_charge(keys, &anna, noon, &retry));
    assert_true(oci_keys_charge(keys, &anna, noon, &retry));
    assert_false(oci_keys_charge(keys, &anna, noon + 60, &retry));
    assert_true(retry == 12 * 3600 - 60);
    for (int i = 0; i < 100; i++) assert_true(oci_keys_charge(keys, &berta, noon, &retry));
    assert_true(oci_keys_charge(keys, &anna, noon + 12 * 3600, &retry));
    oci_keys_free(keys);
}

static void reading_again_takes_the_new_keys_and_keeps_what_was_used(void **state) {
    (void)state;
    double retry = 0;
    oc_error err = {0};
    oci_holder holder;
    oci_keys *keys = open_keys("a anna user 1\nb berta user\n");
    assert_true(oci_keys_find(keys, "a", &holder));
    assert_true(oci_keys_charge(keys, &holder, 1000, &retry));
    write_file("c carl user\na anna user 1\n");
    check_ok(oci_keys_reload(keys, &err), err);
    assert_true(oci_keys_charge(keys, &holder, 1000, &retry)); /* of the state before: free, once */
    assert_true(oci_keys_find(keys, "c", &holder));
    assert_false(oci_keys_find(keys, "b", &holder));
    assert_true(oci_keys_find(keys, "a", &holder));
    assert_false(oci_keys_charge(keys, &holder, 1000, &retry));
    oci_keys_free(keys);
}

static void a_file_that_breaks_leaves_the_old_keys(void **state) {
    (void)state;
    oci_holder holder;
    oc_error err = {0};
    oci_keys *keys = open_keys("a anna user\n");
    write_file("a anna boss\n");
    check_fails(oci_keys_reload(keys, &err), err, OC_EFORMAT, "boss");
    assert_int_equal(remove(path), 0);
    check_fails(oci_keys_reload(keys, &err), err, OC_ENOTFOUND, path);
    assert_true(oci_keys_find(keys, "a", &holder));
    oci_keys_free(keys);
}

static void a_bad_line_is_named(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {{"a anna user\nb berta\n", ":2: 2 fields"},
                 {"a anna user 1 2\n", "fields"},
                 {"a anna user 0\n", "per day"},
                 {"a anna user -1\n", "per day"},
                 {"a anna root\n", "role \"root\""},
                 {"sha256:12 anna user\n", "64 hexadecimal digits"},
                 {"a anna user\na berta user\n", "for anna"},
                 {"abc anna user\nsha256:" ABC " berta user\n", "for anna"},
                 {"a \xFF\xFE user\n", "UTF-8"},
                 {"# nobody\n", "no key in it"},
                 {"", "no key in it"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        oci_keys *keys = NULL;
        oc_error err = {0};
        write_file(cases[i].text);
        check_fails(oci_keys_new(&keys, path, &err), err, OC_EFORMAT, cases[i].words);
        assert_null(keys);
    }
}

static void out_of_memory_is_told(void **state) {
    (void)state;
    oc_status status = OC_ENOMEM;
    oci_keys *keys = NULL;
    write_file("a anna user\nb berta user\n");
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_error err = {0};
        oc_mem_fail_at(n);
        status = oci_keys_new(&keys, path, &err);
        oc_mem_fail_at(0);
        if (status != OC_OK) assert_int_equal(status, OC_ENOMEM);
        assert_true(n < 100);
    }
    oci_keys_free(keys);
}

static void tokens_differ(void **state) {
    (void)state;
    char a[OCI_TOKEN_BYTES], b[OCI_TOKEN_BYTES];
    oc_error err = {0};
    check_ok(oci_token_make(a, &err), err);
    check_ok(oci_token_make(b, &err), err);
    assert_int_equal(strlen(a), 32);
    assert_string_not_equal(a, b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(keys_are_found_as_they_are_and_by_their_digest),
        TEST(nothing_else_opens_the_door),
        TEST(a_quota_ends_the_day_and_begins_anew_at_midnight),
        TEST(reading_again_takes_the_new_keys_and_keeps_what_was_used),
        TEST(a_file_that_breaks_leaves_the_old_keys),
        TEST(a_bad_line_is_named),
        TEST(out_of_memory_is_told),
        cmocka_unit_test(tokens_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
