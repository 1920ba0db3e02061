/* Claims about stopping and continuing: by flag, by a kill at any point, on a full disk; and that
 * the end is the same bytes as without.
 *
 * A run that is to die is forked off, and kills itself from the observer at a chosen step, or is
 * killed from outside at a moment that the clock chooses.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "train/fixture.h"

static const double EVERY_STEP = 1e-9; /* minutes between checkpoints */

/* A whole run into root/whole, whose bytes are what every other run must reach. */
static void train_whole(fixture *f, char whole[OC_PATH_BYTES]) {
    path_in(whole, f->root, "whole");
    f->options.out = whole;
    (void)train_ok(f);
    f->options.out = f->out;
    rewind_observer(f, 0);
}

/* Resume until it is finished; the number of runs that took. */
static int finish(fixture *f, int steps_a_run) {
    int runs = 0;
    f->options.resume = true;
    for (bool stopped = true; stopped; runs++) {
        rewind_observer(f, steps_a_run);
        stopped = train_ok(f).stopped;
        assert_true(runs < 100);
    }
    return runs;
}

static void stop_anywhere(oc_tune tune, int optimizer, int steps_a_run) {
    fixture f;
    char whole[OC_PATH_BYTES];
    fixture_init(&f);
    f.options.tune = tune;
    f.options.optimizer = optimizer;
    f.options.epochs = 4;
    if (optimizer == OC_ADAMW) f.options.lr = 0.02;
    train_whole(&f, whole);
    assert_true(finish(&f, steps_a_run) > 1);
    assert_same_file(whole, f.out, "model.safetensors");
    fixture_clear(&f);
}

static void stopping_and_resuming_gives_the_same_bytes(void **state) {
    (void)state;
    stop_anywhere(OC_TUNE_ALL, OC_SGD, 4);
    stop_anywhere(OC_TUNE_ALL, OC_ADAMW, 5);
}

static void accumulated_steps_resume_to_the_same_bytes(void **state) {
    (void)state;
    fixture f;
    char whole[OC_PATH_BYTES];
    fixture_init(&f);
    f.options.epochs = 3;
    f.options.batch = 3;
    f.options.accumulate = 3;
    train_whole(&f, whole);
    assert_true(finish(&f, 2) > 3);
    assert_same_file(whole, f.out, "model.safetensors");
    fixture_clear(&f);
}

static void stopping_at_an_epoch_s_last_step_gives_the_same_bytes(void **state) {
    (void)state;
    stop_anywhere(OC_TUNE_ALL, OC_SGD, 6);
}

static void head_and_staged_runs_resume_to_the_same_bytes(void **state) {
    (void)state;
    stop_anywhere(OC_TUNE_HEAD, OC_SGD, 7);
    stop_anywhere(OC_TUNE_STAGED, OC_SGD, 4);
    stop_anywhere(OC_TUNE_STAGED, OC_SGD, 6);
}

/* Two of the three classes in a step: the fewest that one photo and its partner may need. */
static void sampled_classes_resume_to_the_same_bytes(void **state) {
    (void)state;
    static const oc_tune ways[] = {OC_TUNE_ALL, OC_TUNE_HEAD};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        fixture f;
        char whole[OC_PATH_BYTES], exact[OC_PATH_BYTES];
        fixture_init(&f);
        f.options.tune = ways[i];
        f.options.epochs = 2;
        f.options.batch = 1;
        f.options.lr = 0.01;
        path_in(exact, f.root, "exact");
        f.options.out = exact;
        (void)train_ok(&f);
        rewind_observer(&f, 0);
        f.options.sample_classes = 0.1;
        train_whole(&f, whole);
        assert_true(finish(&f, 11) > 1);
        assert_non_null(strstr(f.words, "a step sees 2 of the 3 classes"));
        assert_same_file(whole, f.out, "model.safetensors");
        size_t a, b;
        char *one = slurp(exact, "model.safetensors", &a),
             *two = slurp(f.out, "model.safetensors", &b);
        assert_true(a != b || memcmp(one, two, a) != 0);
        oc_free(one);
        oc_free(two);
        fixture_clear(&f);
    }
}

/* As large models do: the best epoch's weights live in a file of the checkpoint. */
static void a_best_epoch_kept_on_disk_gives_the_same_bytes(void **state) {
    (void)state;
    static const oc_tune ways[] = {OC_TUNE_ALL, OC_TUNE_STAGED};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        fixture f;
        char whole[OC_PATH_BYTES];
        oc_error err = {0};
        oc_model *model = NULL;
        fixture_init(&f);
        f.options.tune = ways[i];
        f.options.epochs = 4;
        train_whole(&f, whole);
        f.options.best_in_memory = 1;
        assert_true(finish(&f, 4) > 1);
        assert_same_file(whole, f.out, "model.safetensors");
        check_ok(oc_model_load(&model, f.out, &err), err);
        oc_model_free(model);
        fixture_clear(&f);
    }
}

static void every_engine_resumes_to_the_same_bytes_on_two_threads(void **state) {
    (void)state;
    for (const char *const *engine = oc_engine_names(); *engine != NULL; engine++) {
        fixture f;
        char whole[OC_PATH_BYTES];
        fixture_init(&f);
        f.options.engine = *engine;
        f.options.threads = 2;
        train_whole(&f, whole);
        assert_true(finish(&f, 8) > 1);
        assert_same_file(whole, f.out, "model.safetensors");
        fixture_clear(&f);
    }
}

static void checkpoints_at_every_step_leave_no_trace(void **state) {
    (void)state;
    fixture f;
    char whole[OC_PATH_BYTES];
    fixture_init(&f);
    train_whole(&f, whole);
    f.options.checkpoint_minutes = EVERY_STEP;
    (void)train_ok(&f);
    assert_same_file(whole, f.out, "model.safetensors");
    fixture_clear(&f);
}

static void the_log_tells_each_epoch_once_after_resumes(void **state) {
    (void)state;
    fixture f;
    size_t size;
    int epochs = 0;
    fixture_init(&f);
    (void)finish(&f, 4);
    char *log = slurp(f.out, "log.jsonl", &size);
    for (char *p = log; (p = strstr(p, "\"event\":\"epoch\"")) != NULL; p++) epochs++;
    assert_int_equal(epochs, 6);
    oc_free(log);
    fixture_clear(&f);
}

static void a_stopped_run_leaves_a_model_that_loads(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_model *model;
    fixture_init(&f);
    rewind_observer(&f, 2);
    oc_train_result r = train_ok(&f);
    assert_true(r.stopped);
    assert_int_equal(r.epochs_done, 0);
    check_ok(oc_model_load(&model, f.out, &err), err);
    oc_model_free(model);
    fixture_clear(&f);
}

static void time_that_is_up_stops_like_the_flag(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.stop_after_minutes = EVERY_STEP;
    assert_true(train_ok(&f).stopped);
    fixture_clear(&f);
}

static void resuming_a_finished_run_says_so_and_changes_nothing(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    oc_train_result first = train_ok(&f);
    rewind_observer(&f, 0);
    f.options.resume = true;
    oc_train_result again = train_ok(&f);
    assert_non_null(strstr(f.words, "this run is finished"));
    assert_int_equal(f.steps, 0);
    assert_int_equal(again.epochs_done, first.epochs_done);
    assert_int_equal(again.best_epoch, first.best_epoch);
    fixture_clear(&f);
}

static void nothing_to_resume_starts_afresh_and_says_so(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    f.options.resume = true;
    f.options.epochs = 1;
    assert_int_equal(train_ok(&f).epochs_done, 1);
    assert_non_null(strstr(f.words, "nothing to resume"));
    fixture_clear(&f);
}

static void without_resume_a_former_checkpoint_is_dropped(void **state) {
    (void)state;
    fixture f;
    fixture_init(&f);
    rewind_observer(&f, 3);
    (void)train_ok(&f);
    rewind_observer(&f, 0);
    assert_int_equal(train_ok(&f).epochs_done, 6);
    assert_int_equal(f.steps, 36);
    fixture_clear(&f);
}

static void other_options_or_data_are_a_mismatch_that_lists_them(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_train_result r;
    fixture_init(&f);
    rewind_observer(&f, 3);
    (void)train_ok(&f);
    f.options.resume = true;
    f.options.lr = 0.5;
    f.options.batch = 4;
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_EMISMATCH,
                "batch was 5, is 4; lr was 0.1, is 0.5");
    f.options.sample_classes = 0.5;
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_EMISMATCH,
                "sample_classes was null, is 0.5");
    f.options.sample_classes = 0;
    f.options.lr = 0.1;
    f.options.batch = 5;
    write_photos(f.data, 1, PER_CLASS + 1);
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_EMISMATCH, "data_digest was");
    fixture_clear(&f);
}

static void a_damaged_checkpoint_is_named(void **state) {
    (void)state;
    fixture f;
    oc_error err = {0};
    oc_train_result r;
    char path[OC_PATH_BYTES];
    fixture_init(&f);
    rewind_observer(&f, 3);
    (void)train_ok(&f);
    f.options.resume = true;
    path_in(path, f.out, "checkpoint/1/state.json");
    check_ok(oc_file_write(path, "{", 1, &err), err);
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_EFORMAT, "state.json");
    path_in(path, f.out, "checkpoint/current");
    check_ok(oc_file_write(path, "../..", 5, &err), err);
    check_fails(oc_train(&f.options, &f.observer, &r, &err), err, OC_EFORMAT, "current");
    fixture_clear(&f);
}

/* ---- deaths -------------------------------------------------------------------------------------
 */

static void die_at(void *ctx, const oc_train_progress *p) {
    fixture *f = ctx;
    (void)p;
    if (++f->steps == f->stop_at) (void)raise(SIGKILL);
}

/* Run in a process of its own; its wait status. Killed after `nanoseconds` unless 0. */
static int run_apart(fixture *f, long nanoseconds) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        oc_error err = {0};
        oc_train_result r;
        oc_status status = oc_train(&f->options, &f->observer, &r, &err);
        _exit(oc_status_exit_code(status));
    }
    if (nanoseconds > 0) {
        (void)nanosleep(&(struct timespec){.tv_nsec = nanoseconds}, NULL);
        (void)kill(child, SIGKILL);
    }
    int wait_status = 0;
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    return wait_status;
}

static void a_run_killed_again_and_again_ends_in_the_same_bytes(void **state) {
    (void)state;
    fixture f;
    char whole[OC_PATH_BYTES];
    int kills = 0, status;
    fixture_init(&f);
    train_whole(&f, whole);
    f.options.resume = true;
    f.options.checkpoint_minutes = EVERY_STEP;
    f.observer.step = die_at;
    do {
        rewind_observer(&f, 7 + kills % 6);
        status = run_apart(&f, 0);
        kills += WIFSIGNALED(status);
        assert_true(kills < 50);
    } while (WIFSIGNALED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(kills >= 2);
    assert_same_file(whole, f.out, "model.safetensors");
    fixture_clear(&f);
}

static void a_kill_at_any_moment_leaves_a_checkpoint_that_resumes(void **state) {
    (void)state;
    fixture f;
    char whole[OC_PATH_BYTES];
    oc_rng rng;
    fixture_init(&f);
    f.options.epochs = 12;
    train_whole(&f, whole);
    f.options.resume = true;
    f.options.checkpoint_minutes = EVERY_STEP;
    oc_rng_init(&rng, 5, OC_RNG_TEST, 0, 0);
    for (int i = 0; i < 25; i++) {
        int status = run_apart(&f, 30000000L + (long)oc_rng_below(&rng, 120000000));
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    }
    rewind_observer(&f, 0);
    (void)train_ok(&f);
    assert_same_file(whole, f.out, "model.safetensors");
    fixture_clear(&f);
}

/* A limit on file sizes stands in for a full disk: write() fails part way through a file. */
static int run_on_full_disk(fixture *f, rlim_t bytes) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        oc_error err = {0};
        oc_train_result r;
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, bytes});
        oc_status status = oc_train(&f->options, &f->observer, &r, &err);
        bool told = status == OC_EIO && strstr(err.message, "checkpoint/") != NULL &&
                    strstr(err.message, "is intact") != NULL;
        _exit(told ? 0 : 1);
    }
    int wait_status = 0;
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    return wait_status;
}

static void a_full_disk_is_told_and_the_checkpoint_before_is_intact(void **state) {
    (void)state;
    fixture f;
    char whole[OC_PATH_BYTES];
    fixture_init(&f);
    train_whole(&f, whole);
    rewind_observer(&f, 3);
    (void)train_ok(&f);
    f.options.resume = true;
    f.options.checkpoint_minutes = EVERY_STEP;
    rewind_observer(&f, 0);
    int status = run_on_full_disk(&f, 3000);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(train_ok(&f).epochs_done, 6);
    assert_same_file(whole, f.out, "model.safetensors");
    fixture_clear(&f);
}

static const struct CMUnitTest quick[] = {
    cmocka_unit_test(stopping_and_resuming_gives_the_same_bytes),
    cmocka_unit_test(accumulated_steps_resume_to_the_same_bytes),
    cmocka_unit_test(stopping_at_an_epoch_s_last_step_gives_the_same_bytes),
    cmocka_unit_test(head_and_staged_runs_resume_to_the_same_bytes),
    cmocka_unit_test(checkpoints_at_every_step_leave_no_trace),
    cmocka_unit_test(sampled_classes_resume_to_the_same_bytes),
    cmocka_unit_test(a_best_epoch_kept_on_disk_gives_the_same_bytes),
    cmocka_unit_test(the_log_tells_each_epoch_once_after_resumes),
    cmocka_unit_test(a_stopped_run_leaves_a_model_that_loads),
    cmocka_unit_test(time_that_is_up_stops_like_the_flag),
    cmocka_unit_test(resuming_a_finished_run_says_so_and_changes_nothing),
    cmocka_unit_test(nothing_to_resume_starts_afresh_and_says_so),
    cmocka_unit_test(without_resume_a_former_checkpoint_is_dropped),
    cmocka_unit_test(other_options_or_data_are_a_mismatch_that_lists_them),
    cmocka_unit_test(a_damaged_checkpoint_is_named),
    cmocka_unit_test(a_full_disk_is_told_and_the_checkpoint_before_is_intact),
};

static const struct CMUnitTest slow[] = {
    cmocka_unit_test(a_run_killed_again_and_again_ends_in_the_same_bytes),
    cmocka_unit_test(a_kill_at_any_moment_leaves_a_checkpoint_that_resumes),
    cmocka_unit_test(every_engine_resumes_to_the_same_bytes_on_two_threads),
};

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "slow") == 0) return cmocka_run_group_tests(slow, NULL, NULL);
    return cmocka_run_group_tests(quick, NULL, NULL);
}
