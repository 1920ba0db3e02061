/* Files that are the old or the new, whatever happens while they are written.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct scratch {
    char top[OC_PATH_BYTES];
    char path[OC_PATH_BYTES]; /* top/file, which holds "old" */
} scratch;

static void open_scratch(scratch *s) {
    make_scratch(s->top);
    assert_int_equal(oc_path_join(s->path, s->top, "file", NULL), OC_OK);
    assert_int_equal(oc_file_write(s->path, "old", 3, NULL), OC_OK);
}

static void holds(const scratch *s, const char *text) {
    char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(oc_file_read(s->path, 1 << 24, &bytes, &size, NULL), OC_OK);
    assert_int_equal(size, strlen(text));
    assert_string_equal(bytes, text);
    oc_free(bytes);
}

static size_t files_in(const char *folder) {
    oc_path_list list = {0};
    assert_int_equal(oc_path_list_dir(folder, true, &list, NULL), OC_OK);
    size_t count = list.count;
    oc_path_list_free(&list);
    return count;
}

static void pieces_become_one_file_on_commit(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    oc_writer *w = NULL;
    static char large[100000];
    memset(large, 'L', sizeof large);
    open_scratch(&s);
    check_ok(oc_writer_new(&w, s.path, &err), err);
    check_ok(oc_writer_write(w, "head", 4, &err), err);
    check_ok(oc_writer_write(w, large, sizeof large, &err), err);
    for (int i = 0; i < 20000; i++) check_ok(oc_writer_write(w, "tail", 4, &err), err);
    holds(&s, "old");
    check_ok(oc_writer_commit(w, &err), err);
    oc_writer_free(w);
    char *bytes = NULL;
    size_t size = 0;
    check_ok(oc_file_read(s.path, 1 << 20, &bytes, &size, &err), err);
    assert_int_equal(size, 4 + sizeof large + 80000);
    assert_memory_equal(bytes, "headLLL", 7);
    assert_memory_equal(bytes + 4 + sizeof large - 1, "Ltailtail", 9);
    assert_int_equal(files_in(s.top), 1);
    oc_free(bytes);
    drop_scratch(s.top);
}

static void uncommitted_writer_leaves_the_old_file_and_no_trace(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    oc_writer *w = NULL;
    open_scratch(&s);
    check_ok(oc_writer_new(&w, s.path, &err), err);
    check_ok(oc_writer_write(w, "new", 3, &err), err);
    assert_int_equal(files_in(s.top), 2);
    oc_writer_free(w);
    holds(&s, "old");
    assert_int_equal(files_in(s.top), 1);
    oc_writer_free(NULL);
    drop_scratch(s.top);
}

static void killed_writer_leaves_the_old_file(void **state) {
    (void)state;
    scratch s;
    open_scratch(&s);
    pid_t child = fork();
    if (child == 0) {
        oc_writer *w = NULL;
        static char large[1 << 16];
        if (oc_writer_new(&w, s.path, NULL) != OC_OK) _exit(1);
        if (oc_writer_write(w, large, sizeof large, NULL) != OC_OK) _exit(1);
        (void)raise(SIGKILL);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    holds(&s, "old");
    drop_scratch(s.top);
}

/* A limit on the size of files stands in for a full disk: the write fails half way. */
static void failed_write_is_told_and_leaves_the_old_file(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    struct rlimit before, small;
    static char large[100000];
    open_scratch(&s);
    void (*old_handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 5000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    oc_status status = oc_file_write(s.path, large, sizeof large, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, old_handler);
    check_fails(status, err, OC_EIO, "cannot write");
    holds(&s, "old");
    assert_int_equal(files_in(s.top), 1);
    drop_scratch(s.top);
}

static void device_and_folder_are_not_replaced(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    open_scratch(&s);
    check_fails(oc_file_write("/dev/null", "x", 1, &err), err, OC_EUSAGE, "/dev/null");
    check_fails(oc_file_write(s.top, "x", 1, &err), err, OC_EUSAGE, "regular");
    check_fails(oc_file_write("/no/such/f", "x", 1, &err), err, OC_EIO, "/no/such/f");
    drop_scratch(s.top);
}

static void stale_temporary_file_is_overwritten(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    char stale[OC_PATH_BYTES + 32];
    open_scratch(&s);
    (void)snprintf(stale, sizeof stale, "%s.tmp.%ld", s.path, (long)getpid());
    check_ok(oc_file_write(stale, "much longer than the new", 24, &err), err);
    check_ok(oc_file_write(s.path, "new", 3, &err), err);
    holds(&s, "new");
    assert_int_equal(files_in(s.top), 1);
    drop_scratch(s.top);
}

static void file_name_without_folder_works(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    char here[OC_PATH_BYTES];
    open_scratch(&s);
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(s.top), 0);
    check_ok(oc_file_write("file", "new", 3, &err), err);
    assert_int_equal(chdir(here), 0);
    holds(&s, "new");
    drop_scratch(s.top);
}

static void writer_survives_a_failed_allocation(void **state) {
    (void)state;
    scratch s;
    oc_error err = {0};
    open_scratch(&s);
    oc_mem_fail_at(1);
    check_fails(oc_file_write(s.path, "new", 3, &err), err, OC_ENOMEM, "writer");
    holds(&s, "old");
    drop_scratch(s.top);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_become_one_file_on_commit),
        cmocka_unit_test(uncommitted_writer_leaves_the_old_file_and_no_trace),
        cmocka_unit_test(killed_writer_leaves_the_old_file),
        cmocka_unit_test(failed_write_is_told_and_leaves_the_old_file),
        cmocka_unit_test(device_and_folder_are_not_replaced),
        cmocka_unit_test(stale_temporary_file_is_overwritten),
        cmocka_unit_test(file_name_without_folder_works),
        cmocka_unit_test(writer_survives_a_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
