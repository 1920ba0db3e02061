/* HDF5 read by a child process: files that libhdf5 fails on, and children that send nonsense.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "../check.h"
#include "interop/weights/h5_int.h"

#define FILE_OF_KERAS OC_SOURCE_DIR "/tests/interop/fixtures/net_one.weights.h5"

/* ---- damaged files --------------------------------------------------------------------------
 */

/* The heap of texts in that file: its header, pieces of 16 bytes + text, a free piece at its end.
 */
enum { HEAP = 2048, FIRST_PIECE = HEAP + 16, FREE_PIECE = HEAP + 184, PIECE_SIZE = 8 };

static char *damaged(size_t at, uint64_t value, size_t *size) {
    char *bytes = NULL;
    oc_error err = {0};
    check_ok(oc_file_read(FILE_OF_KERAS, 1 << 20, &bytes, size, &err), err);
    assert_memory_equal(bytes + HEAP, "GCOL", 4);
    memcpy(bytes + at, &value, sizeof value);
    return bytes;
}

static void expect_refused(size_t at, uint64_t value) {
    oc_weights_file *f = NULL;
    oc_error err = {0};
    size_t size = 0;
    char *bytes = damaged(at, value, &size);
    double start = oc_clock_seconds();
    check_fails(oc_weights_file_parse(&f, bytes, size, "some.h5", &err), err, OC_EFORMAT,
                "some.h5");
    assert_true(oc_clock_seconds() - start < 10); /* 1 s of processor time, on a busy machine */
    assert_null(f);
    oc_free(bytes);
}

static void a_heap_that_goes_round_for_ever_is_refused(void **state) {
    (void)state;
    expect_refused(FREE_PIECE + PIECE_SIZE, 0);
}

static void a_text_that_reaches_beyond_its_heap_is_refused(void **state) {
    (void)state;
    expect_refused(FIRST_PIECE + PIECE_SIZE, 1ULL << 40);
}

/* ---- what a child sends ---------------------------------------------------------------------
 */

/* A tensor of two floats, of which `cut` bytes at the end are missing, and no end behind it. */
static oc_status take_part(oc_tensors *set, size_t size, size_t cut, oc_error *err) {
    static const float VALUES[] = {1, 2};
    oc_shape shape = {.rank = 1, .dim = {2}};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(
        oci_h5_send_tensor(ends[1], "a/kernel", &shape, VALUES, sizeof VALUES - cut, err), OC_OK);
    (void)close(ends[1]);
    oc_status status = oci_h5_take(set, ends[0], size, "some.h5", err);
    (void)close(ends[0]);
    return status;
}

static void expect_broken_off(size_t size, size_t cut, size_t count) {
    oc_tensors *set = NULL;
    oc_error err = {0};
    check_ok(oc_tensors_new(&set, &err), err);
    check_fails(take_part(set, size, cut, &err), err, OC_EFORMAT, "some.h5: libhdf5 crashed");
    assert_int_equal(oc_tensors_count(set), count);
    oc_tensors_free(set);
}

static void a_child_that_dies_is_an_error(void **state) {
    (void)state;
    expect_broken_off(100, 0, 1); /* behind a tensor */
    expect_broken_off(100, 3, 1); /* within one */
}

static void a_child_cannot_send_more_than_its_file_may_hold(void **state) {
    (void)state;
    expect_broken_off(1, 0, 0); /* 8 bytes of a file of 1 */
}

static void a_child_that_says_nonsense_is_refused(void **state) {
    (void)state;
    oc_tensors *set = NULL;
    oc_error err = {0};
    int ends[2];
    char noise[256];
    memset(noise, 0x7F, sizeof noise);
    check_ok(oc_tensors_new(&set, &err), err);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], noise, sizeof noise), sizeof noise);
    (void)close(ends[1]);
    check_fails(oci_h5_take(set, ends[0], 1000, "some.h5", &err), err, OC_EFORMAT, "some.h5");
    (void)close(ends[0]);
    oc_tensors_free(set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heap_that_goes_round_for_ever_is_refused),
        cmocka_unit_test(a_text_that_reaches_beyond_its_heap_is_refused),
        cmocka_unit_test(a_child_that_dies_is_an_error),
        cmocka_unit_test(a_child_cannot_send_more_than_its_file_may_hold),
        cmocka_unit_test(a_child_that_says_nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
