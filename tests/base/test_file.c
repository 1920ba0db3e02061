/* Reading files whole and mapping them, from paths that may be anything.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <sys/stat.h>
#include <unistd.h>

typedef struct scratch {
    char top[OC_PATH_BYTES];
    char path[OC_PATH_BYTES]; /* top/file */
} scratch;

static void open_scratch(scratch *s) {
    make_scratch(s->top);
    assert_int_equal(oc_path_join(s->path, s->top, "file", NULL), OC_OK);
}

static void write_pattern(const char *path, size_t size) {
    char *bytes = oc_malloc(size);
    for (size_t i = 0; i < size; i++) bytes[i] = (char)(i * 7);
    assert_int_equal(oc_file_write(path, bytes, size, NULL), OC_OK);
    oc_free(bytes);
}

static void whole_file_comes_back_with_a_nul(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    char *bytes = NULL;
    size_t size = 0;
    open_scratch(&s);
    write_pattern(s.path, 100000);
    check_ok(oc_file_read(s.path, 100000, &bytes, &size, &err), err);
    assert_int_equal(size, 100000);
    assert_int_equal(bytes[99999], (char)(99999 * 7));
    assert_int_equal(bytes[size], 0);
    oc_free(bytes);
    drop_scratch(s.top);
}

static void empty_file_is_empty_text(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    char *bytes = NULL;
    size_t size = 9;
    open_scratch(&s);
    write_pattern(s.path, 0);
    check_ok(oc_file_read(s.path, 0, &bytes, &size, &err), err);
    assert_int_equal(size, 0);
    assert_string_equal(bytes, "");
    oc_free(bytes);
    drop_scratch(s.top);
}

static void file_over_budget_is_refused_with_both_numbers(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    char *bytes = NULL;
    size_t size = 0;
    open_scratch(&s);
    write_pattern(s.path, 1001);
    check_fails(oc_file_read(s.path, 1000, &bytes, &size, &err), err, OC_ELIMIT, "1001");
    assert_non_null(strstr(err.message, "1000 "));
    assert_null(bytes);
    drop_scratch(s.top);
}

static void file_that_hides_its_size_keeps_to_the_budget(void **state) {
    (void)state;
    oc_error err = {0};
    char *bytes = NULL;
    size_t size = 0;
    check_ok(oc_file_read("/proc/self/status", 1 << 20, &bytes, &size, &err), err);
    assert_true(size > 100);
    oc_free(bytes);
    check_fails(oc_file_read("/proc/self/status", 50, &bytes, &size, &err), err, OC_ELIMIT, "50");
    assert_null(bytes);
}

static void fifo_is_refused_without_waiting(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    char *bytes = NULL;
    size_t size = 0;
    open_scratch(&s);
    assert_int_equal(mkfifo(s.path, 0600), 0);
    check_fails(oc_file_read(s.path, 10, &bytes, &size, &err), err, OC_EFORMAT, "fifo");
    drop_scratch(s.top);
}

static void folder_and_device_are_refused(void **state) {
    (void)state;
    oc_error err = {0};
    char *bytes = NULL;
    size_t size = 0;
    check_fails(oc_file_read("/", 10, &bytes, &size, &err), err, OC_EFORMAT, "folder");
    check_fails(oc_file_read("/dev/zero", 10, &bytes, &size, &err), err, OC_EFORMAT, "device");
}

static void missing_file_is_named(void **state) {
    (void)state;
    oc_error err = {0};
    char *bytes = NULL;
    size_t size = 0;
    oc_map map;
    check_fails(oc_file_read("/no/a.jpg", 10, &bytes, &size, &err), err, OC_ENOTFOUND, "/no/a.jpg");
    check_fails(oc_map_open(&map, "/no/b", &err), err, OC_ENOTFOUND, "/no/b");
}

/* Nothing is unreadable to root, who becomes nobody for the one call. */
static void unreadable_file_is_named(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    char *bytes = NULL;
    size_t size = 0;
    uid_t me = geteuid();
    open_scratch(&s);
    write_pattern(s.path, 3);
    assert_int_equal(chmod(s.path, 0), 0);
    if (me == 0 && seteuid(65534) != 0) skip();
    oc_status status = oc_file_read(s.path, 10, &bytes, &size, &err);
    if (me == 0) assert_int_equal(seteuid(me), 0);
    check_fails(status, err, OC_EIO, "ls -l");
    drop_scratch(s.top);
}

static void kept_buffer_is_reused(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    char *buffer = NULL;
    size_t capacity = 0, size = 0;
    open_scratch(&s);
    write_pattern(s.path, 5000);
    check_ok(oc_file_read_into(s.path, 9000, &buffer, &capacity, &size, &err), err);
    uint64_t before = oc_mem_allocations();
    for (int i = 0; i < 3; i++) {
        check_ok(oc_file_read_into(s.path, 9000, &buffer, &capacity, &size, &err), err);
        assert_int_equal(size, 5000);
    }
    assert_int_equal(oc_mem_allocations(), before);
    oc_free(buffer);
    drop_scratch(s.top);
}

static void map_shows_the_bytes(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    oc_map map = {0};
    open_scratch(&s);
    write_pattern(s.path, 5000);
    check_ok(oc_map_open(&map, s.path, &err), err);
    assert_int_equal(map.size, 5000);
    assert_int_equal(map.data[4999], (4999 * 7) & 0xFF);
    oc_map_close(&map);
    write_pattern(s.path, 0);
    check_ok(oc_map_open(&map, s.path, &err), err);
    assert_int_equal(map.size, 0);
    assert_non_null(map.data);
    oc_map_close(&map);
    drop_scratch(s.top);
}

static void read_survives_each_failed_allocation(void **state) {
    (void)state;
    oc_status status = OC_ENOMEM;
    char *bytes = NULL;
    size_t size = 0;
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_mem_fail_at(n);
        status = oc_file_read("/proc/self/status", 1 << 20, &bytes, &size, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || (status == OC_ENOMEM && bytes == NULL));
        assert_true(n < 100);
    }
    oc_free(bytes);
}

static void link_gives_a_file_another_name(void **state) {
    (void)state;
    scratch s;
    char other[OC_PATH_BYTES];
    oc_error err = {0};
    oc_path_list list = {0};
    struct stat a, b;
    open_scratch(&s);
    write_pattern(s.path, 3000);
    check_ok(oc_path_join(other, s.top, "other", &err), err);
    assert_int_equal(oc_file_write(other, "old", 3, NULL), OC_OK);
    for (int i = 0; i < 2; i++) { /* the second time they are one file already */
        check_ok(oc_file_link(s.path, other, &err), err);
        assert_int_equal(stat(s.path, &a) | stat(other, &b), 0);
        assert_int_equal(a.st_ino, b.st_ino);
        assert_int_equal(b.st_size, 3000);
    }
    check_ok(oc_path_list_dir(s.top, true, &list, &err), err);
    assert_int_equal(list.count, 2); /* nothing temporary stays */
    oc_path_list_free(&list);
    drop_scratch(s.top);
}

static void link_replaces_only_what_it_can(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    open_scratch(&s);
    check_fails(oc_file_link("/nowhere/at/all", s.path, &err), err, OC_ENOTFOUND, "/nowhere");
    write_pattern(s.path, 10);
    check_fails(oc_file_link(s.path, s.top, &err), err, OC_EUSAGE, "no regular file");
    drop_scratch(s.top);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_file_comes_back_with_a_nul),
        cmocka_unit_test(empty_file_is_empty_text),
        cmocka_unit_test(file_over_budget_is_refused_with_both_numbers),
        cmocka_unit_test(file_that_hides_its_size_keeps_to_the_budget),
        cmocka_unit_test(fifo_is_refused_without_waiting),
        cmocka_unit_test(folder_and_device_are_refused),
        cmocka_unit_test(missing_file_is_named),
        cmocka_unit_test(unreadable_file_is_named),
        cmocka_unit_test(kept_buffer_is_reused),
        cmocka_unit_test(map_shows_the_bytes),
        cmocka_unit_test(read_survives_each_failed_allocation),
        cmocka_unit_test(link_gives_a_file_another_name),
        cmocka_unit_test(link_replaces_only_what_it_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
