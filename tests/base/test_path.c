/* Paths and folders.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <sys/stat.h>
#include <unistd.h>

/* folder/name, in storage that lives until the next call but one. */
static const char *in(const char *folder, const char *name) {
    static char storage[2][OC_PATH_BYTES];
    static int turn;
    turn = !turn;
    assert_int_equal(oc_path_join(storage[turn], folder, name, NULL), OC_OK);
    return storage[turn];
}

static void touch(const char *path) {
    assert_int_equal(oc_file_write(path, "x", 1, NULL), OC_OK);
}

static void join_puts_one_slash_between(void **state) {
    (void)state;
    assert_string_equal(in("a", "b"), "a/b");
    assert_string_equal(in("a/", "b"), "a/b");
    assert_string_equal(in("a", "/b"), "/b");
    assert_string_equal(in("", "b"), "b");
    assert_string_equal(in("a", ""), "a");
    assert_string_equal(in("/", "b"), "/b");
}

static void join_refuses_what_does_not_fit(void **state) {
    (void)state;
    char name[OC_PATH_BYTES], out[OC_PATH_BYTES];
    oc_error err = {0};
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    check_ok(oc_path_join(out, "", name, &err), err);
    check_fails(oc_path_join(out, "a", name, &err), err, OC_ELIMIT, "4095");
}

static void tilde_is_home(void **state) {
    (void)state;
    char out[OC_PATH_BYTES];
    oc_error err = {0};
    char *home = oc_strdup(getenv("HOME") == NULL ? "" : getenv("HOME"));
    (void)setenv("HOME", "/home/eve", 1);
    check_ok(oc_path_expand(out, "~/photos", &err), err);
    assert_string_equal(out, "/home/eve/photos");
    check_ok(oc_path_expand(out, "~", &err), err);
    assert_string_equal(out, "/home/eve");
    check_ok(oc_path_expand(out, "~eve/x", &err), err);
    assert_string_equal(out, "~eve/x");
    check_ok(oc_path_expand(out, "a/~/b", &err), err);
    assert_string_equal(out, "a/~/b");
    (void)unsetenv("HOME");
    check_fails(oc_path_expand(out, "~/x", &err), err, OC_EENV, "HOME");
    if (*home != '\0') (void)setenv("HOME", home, 1);
    oc_free(home);
}

static void base_and_extension(void **state) {
    (void)state;
    assert_string_equal(oc_path_base("a/b.tar.gz"), "b.tar.gz");
    assert_string_equal(oc_path_base("b"), "b");
    assert_string_equal(oc_path_base("a/"), "");
    assert_string_equal(oc_path_extension("a.b/c"), "");
    assert_string_equal(oc_path_extension("a/b.tar.gz"), "gz");
    assert_string_equal(oc_path_extension("a/.hidden"), "");
    assert_string_equal(oc_path_extension("a."), "");
}

static void folders_are_made_and_removed_with_all_in_them(void **state) {
    (void)state;
    char top[OC_PATH_BYTES];
    oc_error err = {0};
    make_scratch(top);
    check_ok(oc_path_make_dirs(in(top, "a/b//c/"), &err), err);
    check_ok(oc_path_make_dirs(in(top, "a/b/c"), &err), err);
    assert_true(oc_path_is_dir(in(top, "a/b/c")));
    touch(in(top, "a/b/f"));
    check_ok(oc_path_remove_tree(in(top, "a"), &err), err);
    assert_false(oc_path_exists(in(top, "a")));
    check_ok(oc_path_remove_tree(in(top, "a"), &err), err);
    drop_scratch(top);
}

static void file_in_the_way_of_a_folder_is_named(void **state) {
    (void)state;
    char top[OC_PATH_BYTES];
    oc_error err = {0};
    make_scratch(top);
    touch(in(top, "f"));
    check_fails(oc_path_make_dirs(in(top, "f/g"), &err), err, OC_EIO, "/f:");
    check_fails(oc_path_make_dirs("", &err), err, OC_EIO, "cannot make");
    drop_scratch(top);
}

static void removal_does_not_follow_links(void **state) {
    (void)state;
    char top[OC_PATH_BYTES];
    oc_error err = {0};
    make_scratch(top);
    check_ok(oc_path_make_dirs(in(top, "kept"), &err), err);
    check_ok(oc_path_make_dirs(in(top, "gone"), &err), err);
    touch(in(top, "kept/f"));
    assert_int_equal(symlink("../kept", in(top, "gone/link")), 0);
    check_ok(oc_path_remove_tree(in(top, "gone"), &err), err);
    assert_true(oc_path_is_file(in(top, "kept/f")));
    drop_scratch(top);
}

static void listing_is_in_natural_order_and_hides_dots(void **state) {
    (void)state;
    char top[OC_PATH_BYTES];
    oc_path_list list = {0};
    oc_error err = {0};
    make_scratch(top);
    touch(in(top, "img10"));
    touch(in(top, "img9"));
    touch(in(top, ".hidden"));
    check_ok(oc_path_list_dir(top, false, &list, &err), err);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.names[0], "img9");
    assert_string_equal(list.names[1], "img10");
    oc_path_list_free(&list);
    check_ok(oc_path_list_dir(top, true, &list, &err), err);
    assert_int_equal(list.count, 3);
    oc_path_list_free(&list);
    drop_scratch(top);
}

static void missing_folder_is_not_found(void **state) {
    (void)state;
    oc_path_list list = {0};
    oc_error err = {0};
    check_fails(oc_path_list_dir("/no/such", false, &list, &err), err, OC_ENOTFOUND, "/no/such");
    assert_false(oc_path_exists("/no/such"));
    oc_path_list_free(&list);
}

static void listing_survives_each_failed_allocation(void **state) {
    (void)state;
    char top[OC_PATH_BYTES], name[16];
    oc_path_list list = {0};
    make_scratch(top);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(name, sizeof name, "f%d", i);
        touch(in(top, name));
    }
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_mem_fail_at(n);
        status = oc_path_list_dir(top, false, &list, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || status == OC_ENOMEM);
        assert_int_equal(list.count, status == OC_OK ? 10 : 0);
        assert_true(n < 100);
    }
    oc_path_list_free(&list);
    drop_scratch(top);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(join_puts_one_slash_between),
        cmocka_unit_test(join_refuses_what_does_not_fit),
        cmocka_unit_test(tilde_is_home),
        cmocka_unit_test(base_and_extension),
        cmocka_unit_test(folders_are_made_and_removed_with_all_in_them),
        cmocka_unit_test(file_in_the_way_of_a_folder_is_named),
        cmocka_unit_test(removal_does_not_follow_links),
        cmocka_unit_test(listing_is_in_natural_order_and_hides_dots),
        cmocka_unit_test(missing_folder_is_not_found),
        cmocka_unit_test(listing_survives_each_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
