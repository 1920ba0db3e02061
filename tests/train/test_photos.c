/* Claims about runs that keep decoded photos, and about naming what a run waits for.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "train/fixture.h"

/* ---- photos kept decoded --------------------------------------------------------------------- */

static bool cache_is_there(const fixture *f) {
    char path[OC_PATH_BYTES];
    path_in(path, f->out, "cache/train.photos");
    return oc_path_exists(path);
}

static void check_words(const fixture *f, const char *part) {
    if (strstr(f->words, part) == NULL) fail_msg("no \"%s\" in %s", part, f->words);
}

/* Stopped every fourth step and resumed, with the other kind of cache and other threads in turn. */
static void a_run_with_a_cache_resumes_to_the_same_bytes(void **state) {
    (void)state;
    fixture f;
    char whole[OC_PATH_BYTES];
    fixture_init(&f);
    f.options.epochs = 4;
    f.options.cache = OC_KEEP_RAM;
    path_in(whole, f.root, "whole");
    f.options.out = whole;
    (void)train_ok(&f);
    check_words(&f, "decoded photos kept in memory: 36 of 36, up to ");
    check_words(&f, "their shorter side at most 28 pixels");
    f.options.out = f.out;
    f.options.resume = true;
    bool stopped = true;
    for (int run = 0; stopped; run++) {
        assert_true(run < 100);
        f.options.cache = run % 3 == 2 ? OC_KEEP_RAM : OC_KEEP_DISK;
        f.options.workers = run % 3;
        rewind_observer(&f, 4);
        stopped = train_ok(&f).stopped;
        if (stopped && run == 0) assert_true(cache_is_there(&f));
    }
    assert_false(cache_is_there(&f)); /* nobody will go on with it */
    assert_same_file(whole, f.out, "model.safetensors");
    fixture_clear(&f);
}

static void resuming_without_the_cache_is_refused(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_train_result result;
    fixture_init(&f);
    f.options.cache = OC_KEEP_DISK;
    rewind_observer(&f, 4);
    assert_true(train_ok(&f).stopped);
    f.options.cache = OC_KEEP_OFF;
    f.options.resume = true;
    check_fails(oc_train(&f.options, &f.observer, &result, &err), err, OC_EMISMATCH,
                "kept_side was 28, is null");
    fixture_clear(&f);
}

static void what_does_not_fit_is_told_and_changes_nothing(void **state) {
    (void)state;
    fixture f;
    char whole[OC_PATH_BYTES];
    fixture_init(&f);
    path_in(whole, f.root, "whole");
    f.options.cache = OC_KEEP_RAM;
    f.options.out = whole;
    (void)train_ok(&f);
    f.options.out = f.out;
    f.options.cache_limit = 10000; /* of about 35,000 */
    rewind_observer(&f, 0);
    (void)train_ok(&f);
    check_words(&f, "the others are decoded in every epoch; give --cache-limit");
    assert_same_file(whole, f.out, "model.safetensors");
    fixture_clear(&f);
}

static void a_head_alone_keeps_no_photos(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.tune = OC_TUNE_HEAD;
    f.options.cache = OC_KEEP_DISK;
    (void)train_ok(&f);
    check_words(&f, "--cache is of no use to a head alone");
    assert_false(cache_is_there(&f));
    fixture_clear(&f);
}

/* ---- the bottleneck -------------------------------------------------------------------------- */

static void the_bottleneck_is_what_is_waited_for(void **state) {
    (void)state;
    const oc_train_times fed = {.data = 0.5, .forward = 4, .backward = 5, .update = 0.5},
                         starved = {.data = 5, .forward = 2, .backward = 2.5, .update = 0.5};
    const oc_loader_use decoding = {.busy = 10, .reading = 2}, reading = {.busy = 10, .reading = 8};
    assert_int_equal(oci_bottleneck_of(&fed, &reading), OCI_ON_COMPUTE);
    assert_int_equal(oci_bottleneck_of(&starved, &decoding), OCI_ON_DECODE);
    assert_int_equal(oci_bottleneck_of(&starved, &reading), OCI_ON_DISK);
    assert_int_equal(oci_bottleneck_of(&(oc_train_times){0}, &reading), OCI_ON_COMPUTE);
}

static void waiting_is_told_once_with_what_would_help(void **state) {
    (void)state;
    fixture f = {.stop = 0};
    f.log = (oc_log){note_words, &f};
    f.observer.log = &f.log;
    oci_session s = {.options = &f.options, .meter.observer = &f.observer};
    const oc_train_times starved = {.data = 5, .forward = 2, .backward = 2.5, .update = 0.5};
    oc_loader_use use = {.busy = 10, .reading = 2, .photos = 5000, .workers = 2};
    oci_bottleneck told = OCI_ON_COMPUTE;
    oci_bottleneck_tell(&s, &starved, &use, &told);
    check_words(&f,
                "waited for photos 50 % of the time, mostly for their decoding (2.0 ms a photo, "
                "2 threads): --cache ram");
    f.words[0] = '\0';
    oci_bottleneck_tell(&s, &starved, &use, &told);
    assert_string_equal(f.words, "");
    use.reading = 8;
    oci_bottleneck_tell(&s, &starved, &use, &told);
    check_words(&f, "mostly for the disk");
    oci_bottleneck_sum_up(&s, &starved);
    check_words(&f, "50 % in the network, 50 % waiting for photos, 0 % judging, 0 % else");
}

static void the_journal_names_the_bottleneck(void **state) {
    (void)state;
    fixture f;
    size_t size = 0;
    fixture_init(&f);
    oc_train_result result = train_ok(&f);
    char *journal = slurp(f.out, "log.jsonl", &size);
    assert_non_null(strstr(journal, "\"bottleneck\":\""));
    assert_non_null(strstr(journal, "\"workers\":2"));
    assert_non_null(result.bottleneck);
    oc_free(journal);
    fixture_clear(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_with_a_cache_resumes_to_the_same_bytes),
        cmocka_unit_test(resuming_without_the_cache_is_refused),
        cmocka_unit_test(what_does_not_fit_is_told_and_changes_nothing),
        cmocka_unit_test(a_head_alone_keeps_no_photos),
        cmocka_unit_test(the_bottleneck_is_what_is_waited_for),
        cmocka_unit_test(waiting_is_told_once_with_what_would_help),
        cmocka_unit_test(the_journal_names_the_bottleneck),
    };
    return cmocka_run_group_tests_name("photos of a run", tests, NULL, NULL);
}
