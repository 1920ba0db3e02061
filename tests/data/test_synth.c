/* Made-up flowers: species, drawing, spoiling, and the set that is written.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "data/data.h"
#include "data/synth_int.h"

static void species_have_names_of_their_own(void **state) {
    enum { MANY = 400 };
    (void)state;
    static oci_species all[MANY];
    for (int i = 0; i < MANY; i++) {
        oci_species_make(&all[i], i);
        for (int k = 0; k < i; k++) assert_string_not_equal(all[i].name, all[k].name);
    }
}

static void neighbours_share_their_colour_but_not_their_shape(void **state) {
    (void)state;
    oci_species a, b;
    oci_species_make(&a, 0);
    oci_species_make(&b, 1);
    assert_memory_equal(&a.tip, &b.tip, sizeof a.tip);
    assert_true(a.petals != b.petals);
}

static void blur_keeps_constant_light(void **state) {
    (void)state;
    oci_canvas canvas;
    oc_error err = {0};
    check_ok(oci_canvas_init(&canvas, 24, &err), err);
    for (int i = 0; i < 24 * 24; i++)
        oci_canvas_blend(&canvas, i % 24, i / 24, (oci_colour){0.25F, 0.5F, 0.75F}, 1);
    oci_canvas_blur(&canvas, 3);
    for (size_t i = 0; i < 24 * 24; i++) {
        assert_float_equal(canvas.rgb[3 * i], 0.25F, 1e-5F);
        assert_float_equal(canvas.rgb[3 * i + 2], 0.75F, 1e-5F);
    }
    oci_canvas_clear(&canvas);
}

static void light_stays_finite_and_not_negative(void **state) {
    (void)state;
    oc_error err = {0};
    oci_canvas canvas;
    oc_image image = {0};
    check_ok(oci_canvas_init(&canvas, 32, &err), err);
    for (int species = 0; species < 18; species++) {
        oc_rng rng;
        oc_rng_init(&rng, 11, OC_RNG_TEST, 0, (uint64_t)species);
        check_ok(oci_draw_picture(&canvas, species, 0, &rng, &image, &err), err);
        for (size_t i = 0; i < 3 * 32 * 32; i++)
            assert_true(canvas.rgb[i] >= 0 && canvas.rgb[i] < 10);
    }
    oc_image_clear(&image);
    oci_canvas_clear(&canvas);
}

static void as_many_are_spoiled_as_asked_for_all_kinds_alike(void **state) {
    enum { COUNT = 1000 };
    (void)state;
    static oci_spoil kinds[COUNT];
    size_t seen[OCI_SPOIL_COUNT] = {0};
    oci_spoil_choose(kinds, COUNT, 0.1, 3);
    for (size_t i = 0; i < COUNT; i++) seen[kinds[i]]++;
    assert_int_equal(seen[OCI_SPOIL_NONE], 900);
    for (int k = 1; k < OCI_SPOIL_COUNT; k++) assert_int_equal(seen[k], 20);
}

/* Digest of all files of a set, in order. */
static uint64_t digest_of(const char *folder) {
    oc_dataset *ds = NULL;
    oc_error err = {0};
    check_ok(oc_dataset_open(&ds, folder, &(oc_dataset_options){0}, &err), err);
    uint64_t digest = 0;
    for (size_t i = 0; i < oc_dataset_count(ds); i++) {
        char *bytes = NULL;
        size_t size = 0;
        check_ok(oc_file_read(oc_dataset_item(ds, i)->path, 1 << 20, &bytes, &size, &err), err);
        digest = oc_hash64(bytes, size, digest);
        oc_free(bytes);
    }
    oc_dataset_free(ds);
    return digest;
}

static void threads_change_nothing_and_seeds_change_everything(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES];
    oc_error err = {0};
    make_scratch(folder);
    oc_synth_options o = {.classes = 2, .per_class = 3, .size = 24, .seed = 4, .threads = 1};
    check_ok(oc_synth(folder, &o, &err), err);
    uint64_t one = digest_of(folder);
    o.threads = 3;
    check_ok(oc_synth(folder, &o, &err), err);
    assert_true(digest_of(folder) == one);
    o.seed = 5;
    check_ok(oc_synth(folder, &o, &err), err);
    assert_true(digest_of(folder) != one);
    drop_scratch(folder);
}

static void impossible_sets_are_refused(void **state) {
    (void)state;
    oc_error err = {0};
    const char *nowhere = "/nonexistent/set";
    oc_synth_options o = {.classes = 0, .per_class = 3};
    check_fails(oc_synth(nowhere, &o, &err), err, OC_EUSAGE, "0 classes");
    o = (oc_synth_options){.classes = 2, .per_class = 2, .size = 4};
    check_fails(oc_synth(nowhere, &o, &err), err, OC_EUSAGE, "size 4");
    o = (oc_synth_options){.classes = 2, .per_class = 2, .spoil = -0.5};
    check_fails(oc_synth(nowhere, &o, &err), err, OC_EUSAGE, "-0.5");
    o = (oc_synth_options){.classes = 2, .per_class = 2};
    assert_int_not_equal(oc_synth("/dev/null/set", &o, &err), OC_OK);
}

static void memory_may_run_out_anywhere(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES];
    const oc_synth_options o = {.classes = 1, .per_class = 2, .size = 16, .threads = 1, .spoil = 1};
    oc_status status = OC_ENOMEM;
    make_scratch(folder);
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_error err = {0};
        oc_mem_fail_at(n);
        status = oc_synth(folder, &o, &err);
        oc_mem_fail_at(0);
        if (status != OC_OK) assert_int_equal(status, OC_ENOMEM);
        assert_in_range(n, 1, 200);
    }
    drop_scratch(folder);
}

static void a_pool_gives_many_classes_few_pictures(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES];
    oc_error err = {0};
    oc_dataset *ds = NULL;
    const oc_dataset_options how = {0};
    oc_synth_options o = {.classes = 600, .per_class = 2, .size = 16, .pool = 5};
    make_scratch(folder);
    for (int i = 0; i < 2; i++) check_ok(oc_synth(folder, &o, &err), err); /* again is no harm */
    check_ok(oc_dataset_open(&ds, folder, &how, &err), err);
    assert_int_equal(oc_dataset_count(ds), 1200);
    assert_int_equal(oc_dataset_classes(ds)->count, 600);
    check_ok(oc_dataset_scan(ds, &(oc_scan_options){.threads = 1}, &err), err);
    assert_int_equal(oc_dataset_reject_count(ds), 0);
    assert_true(oc_dataset_item(ds, 0)->print == oc_dataset_item(ds, 5)->print);
    assert_true(oc_dataset_item(ds, 0)->print != oc_dataset_item(ds, 1)->print);
    oc_dataset_free(ds);
    drop_scratch(folder);
}

static void a_pool_that_makes_no_sense_is_refused(void **state) {
    (void)state;
    oc_error err = {0};
    oc_synth_options o = {.classes = 10, .per_class = 2, .size = 16, .pool = 11};
    check_fails(oc_synth("/nowhere", &o, &err), err, OC_EUSAGE, "a pool of 11");
    o = (oc_synth_options){.classes = 300000, .per_class = 2, .size = 16, .pool = 9};
    check_fails(oc_synth("/nowhere", &o, &err), err, OC_EUSAGE, "take 10 pictures or more");
    o = (oc_synth_options){.classes = 10, .per_class = 2, .size = 16, .pool = 2, .spoil = 0.5};
    check_fails(oc_synth("/nowhere", &o, &err), err, OC_EUSAGE, "cannot be spoiled");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(species_have_names_of_their_own),
        cmocka_unit_test(neighbours_share_their_colour_but_not_their_shape),
        cmocka_unit_test(blur_keeps_constant_light),
        cmocka_unit_test(light_stays_finite_and_not_negative),
        cmocka_unit_test(as_many_are_spoiled_as_asked_for_all_kinds_alike),
        cmocka_unit_test(threads_change_nothing_and_seeds_change_everything),
        cmocka_unit_test(impossible_sets_are_refused),
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(a_pool_gives_many_classes_few_pictures),
        cmocka_unit_test(a_pool_that_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
