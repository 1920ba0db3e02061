/* The seam from above: what is refused and how, what goes in and out, on every engine.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "harness.h"

#include <math.h>

static const engine_case *case_named(const char *name) {
    for (size_t i = 0; i < CASE_COUNT; i++) {
        if (strcmp(CASES[i].name, name) == 0) return &CASES[i];
    }
    fail_msg("no case '%s'", name);
    return NULL;
}

/* Run `check` on every engine with a training plan of the small dense net. */
static void each_engine(oc_mode mode, void (*check)(bench *b, oc_plan *plan)) {
    const char *const *names = oc_engine_names();
    for (size_t e = 0; names[e] != NULL; e++) {
        bench b;
        bench_open(&b, case_named("inverted residual"));
        oc_plan *plan = bench_plan(&b, names[e], mode);
        assert_string_equal(oc_plan_engine(plan), names[e]);
        check(&b, plan);
        oc_plan_free(plan);
        bench_close(&b);
    }
}

static void unknown_engine_names_those_there_are(void **state) {
    (void)state;
    bench b;
    bench_open(&b, case_named("dense"));
    oc_error err = {0};
    oc_plan *plan = NULL;
    oc_plan_options o = {.batch = 1, .height = 1, .width = 1};
    check_fails(oc_plan_new(&plan, "cuda", b.graph, &o, &err), err, OC_EENV, "ref");
    assert_null(plan);
    bench_close(&b);
}

static void best_engine_is_the_first_named(void **state) {
    (void)state;
    bench b;
    bench_open(&b, case_named("dense"));
    oc_plan *plan = bench_plan(&b, NULL, OC_MODE_INFER);
    assert_string_equal(oc_plan_engine(plan), oc_engine_names()[0]);
    oc_plan_free(plan);
    bench_close(&b);
}

static void every_engine_describes_itself(void **state) {
    (void)state;
    const char *const *names = oc_engine_names();
    for (size_t e = 0; names[e] != NULL; e++) {
        oc_buf text = {0};
        oc_error err = {0};
        check_ok(oc_engine_describe(names[e], &text, &err), err);
        assert_true(text.size > 0);
        assert_null(strchr(text.data, '\n'));
        oc_buf_clear(&text);
    }
}

static void impossible_options_are_refused(void **state) {
    (void)state;
    bench b;
    bench_open(&b, case_named("fire"));
    oc_plan *plan = NULL;
    oc_error err = {0};
    oc_plan_options good = {.mode = OC_MODE_TRAIN, .batch = 1, .height = 21, .width = 21}, o = good;
    o.batch = 0;
    check_fails(oc_plan_new(&plan, NULL, b.graph, &o, &err), err, OC_EUSAGE, "batch of 0");
    o = good, o.threads = -1;
    check_fails(oc_plan_new(&plan, NULL, b.graph, &o, &err), err, OC_EUSAGE, "-1 threads");
    o = good, o.height = o.width = 2;
    check_fails(oc_plan_new(&plan, NULL, b.graph, &o, &err), err, OC_EUNSUPPORTED, "smallest");
    o = good, o.mode = (oc_mode)7;
    check_fails(oc_plan_new(&plan, NULL, b.graph, &o, &err), err, OC_EUSAGE, "mode 7");
    assert_null(plan);
    bench_close(&b);
}

static void auxiliary_losses_must_fit_the_output(void **state) {
    (void)state;
    bench b;
    bench_open(&b, case_named("dense"));
    oc_error err = {0};
    oc_plan *plan = NULL;
    oc_plan_options o = {.mode = OC_MODE_TRAIN, .batch = 1, .height = 1, .width = 1};
    oc_attrs loss = oc_attrs_default(OC_OP_AUX_LOSS);
    int last = oc_graph_node_count(b.graph) - 1, pre = oc_graph_find(b.graph, "pre"), index;
    check_ok(oc_graph_add(b.graph, OC_OP_AUX_LOSS, "aux", &last, 1, &loss, &index, &err), err);
    check_fails(oc_plan_new(&plan, NULL, b.graph, &o, &err), err, OC_EUNSUPPORTED,
                "ends with the auxiliary loss 'aux'");
    check_ok(oc_graph_add(b.graph, OC_OP_AUX_LOSS, "aux2", &pre, 1, &loss, NULL, &err), err);
    check_ok(oc_graph_add(b.graph, OC_OP_RELU, "end", &last, 1, NULL, NULL, &err), err);
    check_fails(oc_plan_new(&plan, NULL, b.graph, &o, &err), err, OC_EUNSUPPORTED,
                "'aux2' gets 1x13x1x1");
    assert_null(plan);
    bench_close(&b);
}

/* The same output and the same memory as the net without them. */
static void inference_leaves_auxiliary_heads_out(void **state) {
    (void)state;
    const char *const *names = oc_engine_names();
    for (size_t e = 0; names[e] != NULL; e++) {
        bench b, lean;
        bench_open(&b, case_named("auxiliary losses"));
        oc_error err = {0};
        lean = b;
        check_ok(oc_graph_prune(b.graph, &lean.graph, &err), err);
        oc_plan *whole = bench_plan(&b, names[e], OC_MODE_INFER);
        oc_plan *pruned = bench_plan(&lean, names[e], OC_MODE_INFER);
        check_ok(oc_plan_forward(whole, b.pixels, b.spec->n, 0, NULL, NULL, &err), err);
        check_ok(oc_plan_forward(pruned, b.pixels, b.spec->n, 0, NULL, NULL, &err), err);
        assert_memory_equal(oc_plan_output(whole), oc_plan_output(pruned),
                            (size_t)b.spec->n * b.classes * sizeof(float));
        oc_plan_memory m = oc_plan_memory_use(whole), n = oc_plan_memory_use(pruned);
        assert_memory_equal(&m, &n, sizeof m);
        oc_plan_free(whole);
        oc_plan_free(pruned);
        oc_graph_free(lean.graph);
        bench_close(&b);
    }
}

/* Looking for what is not finite between forward and backward changes no gradient. (Sums are taken
 * about the running mean, which the first step moved: hence a tolerance.) */
static void check_looking(const char *engine) {
    bench b;
    bench_open(&b, case_named("auxiliary losses"));
    oc_error err = {0};
    oc_plan *plan = bench_plan(&b, engine, OC_MODE_TRAIN);
    (void)bench_step(&b, plan, 1);
    oc_tensors *wanted = export_slot(plan, OC_SLOT_GRADS);
    oc_result result = bench_forward(&b, plan, 1);
    assert_true(isfinite(result.aux) && result.aux > 0);
    assert_null(oc_plan_find_nonfinite(plan));
    check_ok(oc_plan_backward(plan, &err), err);
    oc_tensors *got = export_slot(plan, OC_SLOT_GRADS);
    check_sets_close(got, wanted, 1e-5, "gradient");
    oc_tensors_free(wanted);
    oc_tensors_free(got);
    oc_plan_free(plan);
    bench_close(&b);
}

static void looking_leaves_auxiliary_gradients_alone(void **state) {
    (void)state;
    const char *const *names = oc_engine_names();
    for (size_t e = 0; names[e] != NULL; e++) check_looking(names[e]);
}

static void softmax_cannot_be_trained_through(void **state) {
    (void)state;
    bench b;
    bench_open(&b, case_named("dense"));
    oc_error err = {0};
    oc_plan *plan = NULL;
    int last = oc_graph_node_count(b.graph) - 1;
    check_ok(oc_graph_add(b.graph, OC_OP_SOFTMAX, "prob", &last, 1, NULL, NULL, &err), err);
    oc_plan_options o = {.mode = OC_MODE_TRAIN, .batch = 1, .height = 1, .width = 1};
    check_fails(oc_plan_new(&plan, NULL, b.graph, &o, &err), err, OC_EUNSUPPORTED, "'prob'");
    bench_close(&b);
}

/* Inference with a softmax node gives probabilities, on every engine. */
static void softmax_node_sums_to_one(void **state) {
    (void)state;
    const char *const *names = oc_engine_names();
    for (size_t e = 0; names[e] != NULL; e++) {
        bench b;
        bench_open(&b, case_named("dense"));
        oc_error err = {0};
        int last = oc_graph_node_count(b.graph) - 1;
        check_ok(oc_graph_add(b.graph, OC_OP_SOFTMAX, "prob", &last, 1, NULL, NULL, &err), err);
        oc_plan *plan = bench_plan(&b, names[e], OC_MODE_INFER);
        check_ok(oc_plan_forward(plan, b.pixels, b.spec->n, 0, NULL, NULL, &err), err);
        const float *p = oc_plan_output(plan);
        for (int i = 0; i < b.spec->n; i++) {
            double sum = 0;
            for (size_t c = 0; c < b.classes; c++) sum += (double)p[(size_t)i * b.classes + c];
            assert_true(fabs(sum - 1) < 1e-6);
        }
        oc_plan_free(plan);
        bench_close(&b);
    }
}

static void check_labels(bench *b, oc_plan *plan) {
    oc_error err = {0};
    oc_result result;
    oc_targets t = {.label = b->labels};
    int n = b->spec->n;
    int32_t good = b->labels[2];
    b->labels[2] = (int32_t)b->classes;
    check_fails(oc_plan_forward(plan, b->pixels, n, 1, &t, &result, &err), err, OC_EFORMAT,
                "item 2 of the batch has label 5: 0 to 4");
    b->labels[2] = -1;
    check_fails(oc_plan_forward(plan, b->pixels, n, 1, &t, &result, &err), err, OC_EFORMAT, "-1");
    b->labels[2] = good;
    float mix[] = {1, 0.5F, NAN, 0};
    t.mix = mix;
    check_fails(oc_plan_forward(plan, b->pixels, n, 1, &t, &result, &err), err, OC_EFORMAT,
                "mixed");
    t = (oc_targets){.label = b->labels, .smoothing = 1.5F};
    check_fails(oc_plan_forward(plan, b->pixels, n, 1, &t, &result, &err), err, OC_EFORMAT, "1.5");
    t = (oc_targets){0};
    check_fails(oc_plan_forward(plan, b->pixels, n, 1, &t, &result, &err), err, OC_EUSAGE, "label");
}

static void label_out_of_range_is_named(void **state) {
    (void)state;
    each_engine(OC_MODE_TRAIN, check_labels);
}

static void check_order(bench *b, oc_plan *plan) {
    oc_error err = {0};
    oc_result result;
    oc_targets t = {.label = b->labels};
    oc_update u = {.optimizer = OC_SGD, .lr = 0.1F, .step = 1};
    int n = b->spec->n;
    assert_null(oc_plan_find_nonfinite(plan));
    check_fails(oc_plan_backward(plan, &err), err, OC_EUSAGE, "forward");
    check_fails(oc_plan_update(plan, &u, &err), err, OC_EUSAGE, "gradients");
    check_fails(oc_plan_forward(plan, b->pixels, n - 1, 1, &t, &result, &err), err, OC_EUSAGE,
                "full batches of 4");
    check_fails(oc_plan_forward(plan, b->pixels, n, 1, NULL, NULL, &err), err, OC_EUSAGE,
                "targets");
    (void)bench_step(b, plan, 1);
    check_fails(oc_plan_backward(plan, &err), err, OC_EUSAGE, "forward");
    u.step = 0;
    check_fails(oc_plan_update(plan, &u, &err), err, OC_EUSAGE, "from 1");
    u.step = 1, u.lr = NAN;
    check_fails(oc_plan_update(plan, &u, &err), err, OC_EUSAGE, "learning rate");
    u.lr = 0.1F, u.clip_norm = 1, u.renormalise = true;
    check_fails(oc_plan_update(plan, &u, &err), err, OC_EUSAGE, "choose one");
}

static void calls_out_of_order_are_refused(void **state) {
    (void)state;
    each_engine(OC_MODE_TRAIN, check_order);
}

static void check_inference_plan(bench *b, oc_plan *plan) {
    oc_error err = {0};
    oc_tensors *set = NULL;
    size_t count = 7;
    check_ok(oc_tensors_new(&set, &err), err);
    check_fails(oc_plan_export(plan, OC_SLOT_GRADS, set, &err), err, OC_EUSAGE, "inference");
    check_fails(oc_plan_import(plan, OC_SLOT_STATE_0, set, &err), err, OC_EUSAGE, "inference");
    assert_null(oc_plan_grads(plan, &count));
    assert_int_equal(count, 0);
    check_fails(oc_plan_forward(plan, b->pixels, b->spec->n + 1, 0, NULL, NULL, &err), err,
                OC_EUSAGE, "1 to 4");
    check_fails(oc_plan_forward(plan, b->pixels, 0, 0, NULL, NULL, &err), err, OC_EUSAGE,
                "0 items");
    oc_result loss = bench_forward(b, plan, 0);
    assert_true(isfinite(loss.loss));
    check_fails(oc_plan_backward(plan, &err), err, OC_EUSAGE, "forward");
    oc_tensors_free(set);
}

static void inference_plan_has_no_gradients(void **state) {
    (void)state;
    each_engine(OC_MODE_INFER, check_inference_plan);
}

static void check_round_trip(bench *b, oc_plan *plan) {
    oc_error err = {0};
    (void)bench_step(b, plan, 1);
    for (int slot = OC_SLOT_WEIGHTS; slot <= OC_SLOT_STATE_1; slot++) {
        oc_tensors *set = export_slot(plan, (oc_slot)slot);
        for (size_t i = 0; i < oc_tensors_count(set); i++) {
            oc_tensor *t = oc_tensors_at(set, i);
            for (size_t k = 0; k < oc_tensor_count(t); k++) {
                ((float *)t->data)[k] = (float)(slot + 1) + (float)i + (float)k * 0.37F;
            }
        }
        check_ok(oc_plan_import(plan, (oc_slot)slot, set, &err), err);
        oc_tensors *again = export_slot(plan, (oc_slot)slot);
        for (size_t i = 0; i < oc_tensors_count(set); i++) {
            const oc_tensor *a = oc_tensors_at(set, i), *z = oc_tensors_at(again, i);
            assert_memory_equal(a->data, z->data, oc_tensor_bytes(a));
        }
        oc_tensors_free(set);
        oc_tensors_free(again);
    }
}

static void import_and_export_are_exact(void **state) {
    (void)state;
    each_engine(OC_MODE_TRAIN, check_round_trip);
}

static void check_mismatch(bench *b, oc_plan *plan) {
    oc_error err = {0};
    oc_tensors *set = NULL;
    check_ok(oc_tensors_new(&set, &err), err);
    check_fails(oc_plan_import(plan, OC_SLOT_WEIGHTS, set, &err), err, OC_EMISMATCH,
                "'stem.weight' (F32 8x3x3x3) is missing");
    oc_shape wrong = oc_shape_4d(8, 3, 3, 2);
    check_ok(oc_tensors_add(set, "stem.weight", OC_F32, &wrong, NULL, &err), err);
    check_fails(oc_plan_import(plan, OC_SLOT_WEIGHTS, set, &err), err, OC_EMISMATCH, "8x3x3x2");
    check_fails(oc_plan_export(plan, OC_SLOT_WEIGHTS, set, &err), err, OC_EMISMATCH, "8x3x3x2");
    (void)b;
    oc_tensors_free(set);
}

static void mismatched_weights_are_named(void **state) {
    (void)state;
    each_engine(OC_MODE_TRAIN, check_mismatch);
}

static void check_written_input(bench *b, oc_plan *plan) {
    oc_error err = {0};
    int n = b->spec->n;
    check_ok(oc_plan_forward(plan, b->pixels, n, 0, NULL, NULL, &err), err);
    size_t bytes = (size_t)n * b->classes * sizeof(float);
    float *wanted = oc_malloc(bytes);
    assert_non_null(wanted);
    memcpy(wanted, oc_plan_output(plan), bytes);
    memcpy(oc_plan_input(plan), b->pixels, b->pixel_count * sizeof *b->pixels);
    check_ok(oc_plan_forward(plan, NULL, n, 0, NULL, NULL, &err), err);
    assert_memory_equal(oc_plan_output(plan), wanted, bytes);
    oc_free(wanted);
}

static void pixels_may_be_written_in_place(void **state) {
    (void)state;
    each_engine(OC_MODE_INFER, check_written_input);
}

static void check_nonfinite(bench *b, oc_plan *plan) {
    oc_error err = {0};
    (void)bench_forward(b, plan, 1);
    assert_null(oc_plan_find_nonfinite(plan));
    oc_tensor *t = oc_tensors_find(b->weights, "wide_bn.bias");
    ((float *)t->data)[3] = INFINITY;
    check_ok(oc_plan_import(plan, OC_SLOT_WEIGHTS, b->weights, &err), err);
    (void)bench_forward(b, plan, 2);
    const char *name = oc_plan_find_nonfinite(plan);
    assert_non_null(name);
    assert_true(oc_starts_with(name, "wide_bn")); /* the node, or its parameter */
}

static void first_nonfinite_node_is_named(void **state) {
    (void)state;
    each_engine(OC_MODE_TRAIN, check_nonfinite);
}

static void check_replay(bench *b, oc_plan *plan) {
    (void)bench_forward(b, plan, 1);
    oc_tensors *before = export_slot(plan, OC_SLOT_WEIGHTS);
    assert_null(oc_plan_find_nonfinite(plan));
    oc_tensors *after = export_slot(plan, OC_SLOT_WEIGHTS);
    for (size_t i = 0; i < oc_tensors_count(before); i++) {
        const oc_tensor *x = oc_tensors_at(before, i), *y = oc_tensors_at(after, i);
        assert_memory_equal(x->data, y->data, oc_tensor_bytes(x));
    }
    oc_tensors_free(before);
    oc_tensors_free(after);
}

static void looking_for_nonfinite_changes_nothing(void **state) {
    (void)state;
    each_engine(OC_MODE_TRAIN, check_replay);
}

static void check_profile(bench *b, oc_plan *plan) {
    (void)bench_step(b, plan, 1);
    assert_int_equal(oc_plan_times(plan, NULL, 0), 0);
    oc_plan_profile(plan, true);
    (void)bench_step(b, plan, 2);
    size_t count = oc_plan_times(plan, NULL, 0);
    assert_true(count > 0);
    oc_op_time *times = oc_calloc(count, sizeof *times);
    assert_non_null(times);
    assert_int_equal(oc_plan_times(plan, times, count), count);
    uint64_t macs = 0;
    for (size_t i = 0; i < count; i++) {
        assert_non_null(times[i].node);
        assert_non_null(times[i].what);
        assert_non_null(times[i].kernel);
        assert_true(times[i].seconds >= 0);
        macs += times[i].macs;
    }
    assert_true(macs > 0);
    oc_free(times);
}

static void profile_is_off_until_switched_on(void **state) {
    (void)state;
    each_engine(OC_MODE_TRAIN, check_profile);
}

static void check_memory(bench *b, oc_plan *plan) {
    oc_plan_memory m = oc_plan_memory_use(plan);
    assert_true(m.weights >= 4 * 1000 && m.weights < 4 << 20);
    assert_true(m.activations >= b->pixel_count * sizeof(float));
}

static void memory_is_told(void **state) {
    (void)state;
    each_engine(OC_MODE_TRAIN, check_memory);
}

static void same_as_measured(oc_mode mode) {
    const char *const *names = oc_engine_names();
    for (size_t e = 0; names[e] != NULL; e++) {
        bench b;
        bench_open(&b, case_named("fire"));
        oc_plan_options o = {.mode = mode, .batch = 2, .height = 21, .width = 19};
        oc_plan *plan = NULL;
        oc_plan_memory told = {0}, use;
        assert_int_equal(oc_plan_measure(names[e], b.graph, &o, &told, NULL), OC_OK);
        assert_int_equal(oc_plan_new(&plan, names[e], b.graph, &o, NULL), OC_OK);
        use = oc_plan_memory_use(plan);
        assert_memory_equal(&told, &use, sizeof use);
        oc_plan_free(plan);
        bench_close(&b);
    }
}

static void measuring_tells_what_a_plan_holds(void **state) {
    (void)state;
    same_as_measured(OC_MODE_TRAIN);
    same_as_measured(OC_MODE_INFER);
}

static void check_slots(bench *b, oc_plan *plan) {
    oc_plan_memory before = oc_plan_memory_use(plan);
    (void)bench_step(b, plan, 1);
    oc_update u = {.optimizer = OC_ADAMW, .beta1 = .9F, .beta2 = .99F, .epsilon = 1e-8F, .step = 1};
    assert_int_equal(oc_plan_update(plan, &u, NULL), OC_OK);
    oc_plan_memory after = oc_plan_memory_use(plan);
    assert_int_equal(oc_plan_memory_sum(&before, 2), oc_plan_memory_sum(&after, 0));
}

static void first_update_adds_the_slots_that_were_told(void **state) {
    (void)state;
    each_engine(OC_MODE_TRAIN, check_slots);
}

/* Measuring takes none of it: a batch that no machine holds has its size told all the same. */
static void what_fits_nowhere_is_measured(void **state) {
    (void)state;
    const char *const *names = oc_engine_names();
    for (size_t e = 0; names[e] != NULL; e++) {
        bench b;
        bench_open(&b, case_named("fire"));
        oc_plan_options o = {.mode = OC_MODE_TRAIN, .batch = 1 << 20, .height = 299, .width = 301};
        oc_plan_memory told = {0};
        assert_int_equal(oc_plan_measure(names[e], b.graph, &o, &told, NULL), OC_OK);
        assert_true(told.activations > (uint64_t)1 << 40);
        bench_close(&b);
    }
}

/* Two steps of training: gradients of the second, and weights, by way of `recompute`. */
static void train_by(bench *b, const char *engine, bool recompute, oc_tensors *out[2]) {
    b->recompute = recompute;
    oc_plan *plan = bench_plan(b, engine, OC_MODE_TRAIN);
    oc_update u = {.optimizer = OC_SGD, .lr = 0.05F, .momentum = 0.9F};
    for (u.step = 1; u.step <= 2; u.step++) {
        (void)bench_step(b, plan, u.step);
        assert_int_equal(oc_plan_update(plan, &u, NULL), OC_OK);
    }
    out[0] = export_slot(plan, OC_SLOT_GRADS), out[1] = export_slot(plan, OC_SLOT_WEIGHTS);
    oc_plan_free(plan);
}

static void recomputing_changes_no_bit(void **state) {
    (void)state;
    const char *const *names = oc_engine_names();
    for (size_t e = 0; names[e] != NULL; e++)
        for (size_t c = 0; c < CASE_COUNT; c++) {
            bench b;
            bench_open(&b, &CASES[c]);
            oc_tensors *kept[2], *again[2];
            train_by(&b, names[e], false, kept);
            train_by(&b, names[e], true, again);
            for (int k = 0; k < 2; k++) {
                check_sets_close(again[k], kept[k], 0, CASES[c].name);
                oc_tensors_free(kept[k]);
                oc_tensors_free(again[k]);
            }
            bench_close(&b);
        }
}

static void sweep(const bench *b, const char *engine, oc_mode mode) {
    oc_plan_options o = {
        .mode = mode, .batch = 2, .height = b->spec->h, .width = b->spec->w, .threads = 1};
    oc_status status = OC_ENOMEM;
    uint64_t n = 1;
    for (; status == OC_ENOMEM && n < 5000; n++) {
        oc_plan *plan = NULL;
        oc_error err = {0};
        oc_mem_fail_at(n);
        status = oc_plan_new(&plan, engine, b->graph, &o, &err);
        oc_mem_fail_at(0);
        assert_true((status == OC_OK) == (plan != NULL));
        if (status != OC_OK) assert_int_equal(err.status, status);
        oc_plan_free(plan);
    }
    assert_int_equal(status, OC_OK);
    assert_true(n > 5);
}

/* Networks that hold, together, a unit of every kind. */
static void out_of_memory_is_an_error_wherever_it_strikes(void **state) {
    (void)state;
    static const char *const nets[] = {"fire",     "normalised", "inverted residual",
                                       "residual", "dense net",  "auxiliary losses"};
    const char *const *names = oc_engine_names();
    for (size_t e = 0; names[e] != NULL; e++)
        for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
            bench b;
            bench_open(&b, case_named(nets[i]));
            sweep(&b, names[e], OC_MODE_TRAIN);
            sweep(&b, names[e], OC_MODE_INFER);
            bench_close(&b);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_engine_names_those_there_are),
        cmocka_unit_test(best_engine_is_the_first_named),
        cmocka_unit_test(every_engine_describes_itself),
        cmocka_unit_test(impossible_options_are_refused),
        cmocka_unit_test(auxiliary_losses_must_fit_the_output),
        cmocka_unit_test(inference_leaves_auxiliary_heads_out),
        cmocka_unit_test(looking_leaves_auxiliary_gradients_alone),
        cmocka_unit_test(softmax_cannot_be_trained_through),
        cmocka_unit_test(softmax_node_sums_to_one),
        cmocka_unit_test(label_out_of_range_is_named),
        cmocka_unit_test(calls_out_of_order_are_refused),
        cmocka_unit_test(inference_plan_has_no_gradients),
        cmocka_unit_test(import_and_export_are_exact),
        cmocka_unit_test(mismatched_weights_are_named),
        cmocka_unit_test(pixels_may_be_written_in_place),
        cmocka_unit_test(first_nonfinite_node_is_named),
        cmocka_unit_test(looking_for_nonfinite_changes_nothing),
        cmocka_unit_test(profile_is_off_until_switched_on),
        cmocka_unit_test(memory_is_told),
        cmocka_unit_test(recomputing_changes_no_bit),
        cmocka_unit_test(measuring_tells_what_a_plan_holds),
        cmocka_unit_test(first_update_adds_the_slots_that_were_told),
        cmocka_unit_test(what_fits_nowhere_is_measured),
        cmocka_unit_test(out_of_memory_is_an_error_wherever_it_strikes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
