/* How many threads load photos, by who has been waiting for whom; and what they take first.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data/loader_int.h"
#include "data_test.h"

/* The number of threads after `seconds` in which the caller waited for a share of the time, and so
 * many threads were busy at a time, with a share of that on files. */
static int paced(int workers, int most, double waited, double busy, double reading) {
    const double seconds = 10;
    oc_loader l = {.paces = true,
                   .thread_count = most,
                   .use = {.workers = workers,
                           .waited = waited * seconds,
                           .busy = busy * seconds,
                           .reading = reading * busy * seconds},
                   .paced_at = oc_clock_seconds() - seconds,
                   .paced_batches = 100};
    (void)pthread_cond_init(&l.work, NULL);
    oci_loader_pace(&l);
    (void)pthread_cond_destroy(&l.work);
    return l.use.workers;
}

static void one_more_works_where_the_network_waits(void **state) {
    (void)state;
    int cores = oc_cpu_count();
    assert_int_equal(paced(1, 100, 0.5, 1, 0.9), 2);
    assert_int_equal(paced(cores, 100, 0.5, cores, 0.9), cores + 1); /* for the disk */
    assert_int_equal(paced(cores, 100, 0.5, cores, 0.1), cores);     /* not for decoding */
    assert_int_equal(paced(3, 3, 0.5, 3, 0.9), 3);                   /* there are no more */
    assert_int_equal(paced(2, 100, 0.5, 0.5, 0.9), 2);               /* they do not help */
}

static void one_fewer_works_where_nobody_waits(void **state) {
    (void)state;
    assert_int_equal(paced(2, 4, 0, 0.1, 0), 1);
    assert_int_equal(paced(2, 4, 0, 0.9, 0), 2);
    assert_int_equal(paced(2, 4, 0.01, 0.1, 0), 2);
    assert_int_equal(paced(1, 4, 0, 0.01, 0), 1);
}

static void the_number_that_was_given_stays(void **state) {
    (void)state;
    oc_loader l = {.use = {.workers = 2, .waited = 5, .busy = 20}, .paced_batches = 100};
    oci_loader_pace(&l);
    assert_int_equal(l.use.workers, 2);
}

static void put_sized(const scratch *s, const char *name, int width, int height) {
    oc_buf jpeg = {0};
    encode_photo(&jpeg, width, height, width);
    put_bytes(s, name, jpeg.data, jpeg.size);
    oc_buf_clear(&jpeg);
}

static void the_largest_photo_of_a_batch_goes_first(void **state) {
    scratch *s = *state;
    static const uint32_t items[] = {0, 1, 2, 3};
    oc_error err = {0};
    oc_loader *l = NULL;
    const oc_batch *batch = NULL;
    put_sized(s, "d/a/0.jpg", 40, 40);
    put_sized(s, "d/a/1.jpg", 90, 80);
    put_sized(s, "d/b/2.jpg", 300, 200);
    put_sized(s, "d/b/3.jpg", 50, 50);
    oc_dataset *ds = open_plain(s, "d");
    check_ok(oc_dataset_scan(ds, NULL, &err), err);
    oc_recipe recipe = oc_recipe_default(16, 16);
    oc_loader_options options = {
        .dataset = ds, .items = items, .count = 4, .recipe = &recipe, .batch = 4, .workers = 2};
    check_ok(oc_loader_new(&l, &options, &err), err);
    check_ok(oc_loader_start(l, 0, 0, &err), err);
    check_ok(oc_loader_next(l, &batch, &err), err);
    const uint32_t wanted[] = {2, 1, 3, 0};
    for (int i = 0; i < 4; i++) {
        assert_int_equal((uint32_t)l->slots[0].order[i], wanted[i]);
        assert_int_equal(batch->item[i], i); /* the batch is in the caller's order */
    }
    oc_loader_release(l, batch);
    oc_loader_rest(l); /* a thread may still be about to count its photo */
    assert_int_equal(oc_loader_used(l).photos, 4);
    oc_loader_free(l);
    oc_dataset_free(ds);
}

static void a_loader_that_rests_goes_on_when_started(void **state) {
    scratch *s = *state;
    static const uint32_t items[] = {0, 1, 2, 3};
    oc_error err = {0};
    oc_loader *l = NULL;
    put_photos(s, "d/a", 2, 1);
    put_photos(s, "d/b", 2, 7);
    oc_dataset *ds = open_plain(s, "d");
    oc_recipe recipe = oc_recipe_default(16, 16);
    oc_loader_options options = {
        .dataset = ds, .items = items, .count = 4, .recipe = &recipe, .batch = 1, .workers = 2};
    check_ok(oc_loader_new(&l, &options, &err), err);
    for (int round = 0; round < 3; round++) {
        const oc_batch *batch = NULL;
        check_ok(oc_loader_start(l, 0, 0, &err), err);
        check_ok(oc_loader_next(l, &batch, &err), err);
        assert_int_equal(batch->item[0], 0);
        oc_loader_rest(l); /* in the middle of the epoch, a batch still held */
        assert_int_equal(l->thread_count, 0);
        check_fails(oc_loader_next(l, &batch, &err), err, OC_EUSAGE, "no epoch was started");
    }
    oc_loader_free(l);
    oc_dataset_free(ds);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_more_works_where_the_network_waits),
        cmocka_unit_test(one_fewer_works_where_nobody_waits),
        cmocka_unit_test(the_number_that_was_given_stays),
        scratch_test(the_largest_photo_of_a_batch_goes_first),
        scratch_test(a_loader_that_rests_goes_on_when_started),
    };
    return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
