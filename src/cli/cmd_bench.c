/* `ocellus bench`: how fast a network runs here, and how far that is from what the machine can do.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdio.h>

#include "bench_int.h"
#include "command_int.h"
#include "peak_int.h"

static const char arguments[] = "[--arch A] [--mode train|infer] [--batch B] [--layers] [--json] | "
                                "MODEL ... [--image FILE|DIR] | --image FILE|DIR";

typedef struct bench_flags {
    oci_bench_task task;
    const char *arch, *image;
    int mode;
    bool json;
} bench_flags;

#define AT(member) offsetof(bench_flags, member)

static const char *const mode_words[] = {"train", "infer", NULL};

static const oci_option table[] = {
    {"arch", 0, OCI_TEXT, AT(arch), "A", 0, 0, NULL,
     "network: mobilenet_v2 (default), squeezenet1_1, resnet18, thesis"},
    {"mode", 0, OCI_WORD, AT(mode), "M", 0, 0, mode_words,
     "whole steps of training (default), or forward alone with batch norm folded"},
    {"batch", 'b', OCI_INT, AT(task.batch), "B", 1, 65536, NULL, "images a step (default 32)"},
    {"size", 's', OCI_INT, AT(task.size), "S", 1, 4096, NULL,
     "side of the input in pixels (default: the network's)"},
    {"classes", 0, OCI_INT, AT(task.classes), "N", 1, 10000000, NULL,
     "outputs of the network (default 1000)"},
    {"sample-classes", 0, OCI_REAL, AT(task.sample), "SHARE", 1e-6, 1, NULL,
     "share of the classes that a training step sees (default 1, all)"},
    {"reps", 'r', OCI_INT, AT(task.reps), "R", 1, 10000, NULL,
     "repetitions, of which the median counts (default 10)"},
    {"seconds", 0, OCI_REAL, AT(task.seconds), "X", 0, 3600, NULL,
     "least length of a repetition (default 0.5)"},
    {"threads", 't', OCI_INT, AT(task.threads), "T", 1, 4096, NULL, "default all"},
    {"engine", 0, OCI_TEXT, AT(task.engine), "E", 0, 0, NULL, "onednn or ref (default: the best)"},
    {"layers", 'l', OCI_FLAG, AT(task.layers), NULL, 0, 0, NULL,
     "each layer beside its own roofline, most time lost first; sums by kind"},
    {"image", 0, OCI_PATH, AT(image), "FILE|DIR", 0, 0, NULL,
     "photos instead of random pixels: with MODEL decoded and run, as `ocellus serve` does; "
     "without "
     "decoded, resized and normalised, on one core"},
    {"json", 0, OCI_FLAG, AT(json), NULL, 0, 0, NULL, "as one JSON object"},
    {0}};

static int threads_of(const oci_bench_task *task) {
    return task->threads ? task->threads : oc_cpu_count();
}

/* ---- a network ---- */

static double gflops_of(const oci_bench *b, const oci_bench_task *task) {
    return b->flops / task->batch * b->rate.median / 1e9;
}

static oc_status text_head(const oci_bench *b, const oci_bench_task *task, oc_buf *out,
                           oc_error *err) {
    oc_buf_printf(out, "%s, %s, batch %d of %d x %d, %d thread%s, ", task->name,
                  mode_words[task->mode == OC_MODE_INFER], task->batch, task->size, task->size,
                  threads_of(task), threads_of(task) == 1 ? "" : "s");
    OC_TRY(oc_engine_describe(oc_plan_engine(b->plan), out, err));
    oc_buf_puts(out, "\n");
    return OC_OK;
}

static void text_numbers(const oci_bench *b, const oci_bench_task *task, const oci_peak *peak,
                         oc_buf *out) {
    char weights[16], activations[16], scratch[16], all[16];
    double gflops = gflops_of(b, task);
    oc_buf_printf(out, "  %.1f images/s (median of %d; %.1f to %.1f)\n", b->rate.median, task->reps,
                  b->rate.min, b->rate.max);
    oc_buf_printf(out, "  a step: forward %.2f ms", 1e3 * b->forward);
    if (task->mode == OC_MODE_TRAIN)
        oc_buf_printf(out, ", backward %.2f ms, update %.2f ms", 1e3 * b->backward,
                      1e3 * b->update);
    oc_buf_printf(out,
                  "\n  %.1f GFLOP/s, %.0f %% of this machine's %.1f; copying memory %.1f GB/s\n",
                  gflops, 100 * gflops / peak->fma_gflops, peak->fma_gflops, peak->memory_gbps);
    oc_buf_printf(out, "  memory: weights %s, activations %s, scratch %s; process at most %s\n",
                  oc_format_bytes(weights, b->memory.weights),
                  oc_format_bytes(activations, b->memory.activations),
                  oc_format_bytes(scratch, b->memory.scratch),
                  oc_format_bytes(all, oc_peak_rss_bytes()));
}

static oc_status print_text(const oci_bench *b, const oci_bench_task *task, const oci_peak *peak,
                            oc_error *err) {
    oc_buf out = {0};
    oc_status status = text_head(b, task, &out, err);
    if (status != OC_OK) {
        oc_buf_clear(&out);
        return status;
    }
    text_numbers(b, task, peak, &out);
    if (b->layers.items) {
        oc_buf_puts(&out, "\n");
        oci_rooflines_text(&b->layers, peak, task->mode == OC_MODE_TRAIN, &out);
    }
    return oci_print(stdout, &out, err);
}

static json_t *numbers_json(const oci_bench *b, const oci_bench_task *task, const oci_peak *peak) {
    double gflops = gflops_of(b, task);
    return json_pack(
        "{s:s,s:s,s:s,s:i,s:i,s:i,s:i,s:i,s:f,s:f,s:f,s:f,s:f,s:f,s:I,s:f,s:f,s:f,s:f}", "arch",
        task->name, "mode", mode_words[task->mode == OC_MODE_INFER], "engine",
        oc_plan_engine(b->plan), "batch", task->batch, "size", task->size, "threads",
        threads_of(task), "reps", task->reps, "steps", b->steps, "images_per_second",
        b->rate.median, "images_per_second_min", b->rate.min, "images_per_second_max", b->rate.max,
        "forward_seconds", b->forward, "backward_seconds", b->backward, "update_seconds", b->update,
        "multiply_adds", (json_int_t)b->macs, "gflops", gflops, "peak_gflops", peak->fma_gflops,
        "share_of_peak", gflops / peak->fma_gflops, "memory_gb_per_second", peak->memory_gbps);
}

/* `peak_rss` was asked for before the limits were measured, which takes memory of its own. */
static oc_status print_json(const oci_bench *b, const oci_bench_task *task, const oci_peak *peak,
                            uint64_t peak_rss, oc_error *err) {
    json_t *o = numbers_json(b, task, peak);
    int bad = !o;
    bad |= json_object_set_new(o, "weight_bytes", json_integer((json_int_t)b->memory.weights));
    bad |=
        json_object_set_new(o, "activation_bytes", json_integer((json_int_t)b->memory.activations));
    bad |= json_object_set_new(o, "scratch_bytes", json_integer((json_int_t)b->memory.scratch));
    bad |= json_object_set_new(o, "peak_rss", json_integer((json_int_t)peak_rss));
    if (b->layers.items && o) bad |= oci_rooflines_json(&b->layers, o);
    if (bad) {
        json_decref(o);
        o = NULL;
    }
    return oci_print_json(o, err);
}

static oc_status choose_arch(bench_flags *flags, oc_error *err) {
    oci_bench_task *task = &flags->task;
    OC_TRY(oc_zoo_find(flags->arch, &task->arch, err));
    task->name = task->arch->name;
    if (!task->size) task->size = task->arch->size;
    task->mode = flags->mode == 1 ? OC_MODE_INFER : OC_MODE_TRAIN;
    return OC_OK;
}

static oc_status choose_model(bench_flags *flags, const char *folder, const oc_model *model,
                              oc_error *err) {
    oci_bench_task *task = &flags->task;
    const oc_recipe *r = &model->recipe;
    if (flags->mode == 0)
        return oc_fail(err, OC_EUSAGE, "a model is measured as it predicts: leave --mode out");
    if (r->height != r->width || (task->size && task->size != r->height))
        return oc_fail(err, OC_EUNSUPPORTED, "%s takes %d x %d pixels: --size cannot change that",
                       folder, r->width, r->height);
    task->name = folder;
    task->model = model;
    task->size = r->height;
    task->mode = OC_MODE_INFER;
    return OC_OK;
}

/* folder NULL: an architecture. */
static oc_status bench_network(bench_flags *flags, const char *folder, oc_error *err) {
    oci_bench_task *task = &flags->task;
    oci_bench bench = {0};
    oci_peak peak = {0};
    oc_model *model = NULL;
    oc_status status = OC_OK;
    if (folder) {
        OC_GOTO(oc_model_load(&model, folder, err));
        OC_GOTO(choose_model(flags, folder, model, err));
    } else {
        OC_GOTO(choose_arch(flags, err));
    }
    OC_GOTO(oci_bench_run(&bench, task, err));
    uint64_t peak_rss = oc_peak_rss_bytes();
    OC_GOTO(oci_peak_measure(&peak, task->threads, err));
    oci_rooflines_judge(&bench.layers, &peak);
    status = flags->json ? print_json(&bench, task, &peak, peak_rss, err)
                         : print_text(&bench, task, &peak, err);
done:
    oci_bench_clear(&bench);
    oc_model_free(model);
    return status;
}

/* ---- photos ---- */

static oc_status print_photos(const oci_photo_speed *s, int size, bool json, oc_error *err) {
    oc_buf out = {0};
    if (json)
        return oci_print_json(json_pack("{s:I,s:i,s:f,s:f}", "photos", (json_int_t)s->photos,
                                        "size", size, "plain_per_second_and_core", s->plain,
                                        "varied_per_second_and_core", s->varied),
                              err);
    oc_buf_printf(
        &out,
        "%zu photos to %d x %d, a second and core: %.0f as for prediction, %.0f varied as "
        "for training\n",
        s->photos, size, size, s->plain, s->varied);
    return oci_print(stdout, &out, err);
}

static oc_status bench_photos(const bench_flags *flags, oc_error *err) {
    enum { USUAL_SIZE = 224 };
    int size = flags->task.size ? flags->task.size : USUAL_SIZE;
    double seconds = flags->task.seconds * flags->task.reps / 2; /* a kind */
    oci_paths paths = {0};
    oci_photo_speed speed;
    oc_status status = OC_OK;
    OC_GOTO(oci_paths_collect(&paths, flags->image, err));
    OC_GOTO(oci_bench_photos(&speed, &paths, size, seconds, err));
    status = print_photos(&speed, size, flags->json, err);
done:
    oci_paths_clear(&paths);
    return status;
}

static oc_status print_predict(const oci_predict_speed *s, const oci_bench_task *task, bool json,
                               oc_error *err) {
    oc_buf out = {0};
    if (json)
        return oci_print_json(json_pack("{s:s,s:I,s:i,s:i,s:f,s:f,s:f}", "model", task->name,
                                        "photos", (json_int_t)s->photos, "batch", task->batch,
                                        "threads", threads_of(task), "photos_per_second", s->rate,
                                        "median_seconds", s->median_seconds, "p99_seconds",
                                        s->p99_seconds),
                              err);
    oc_buf_printf(&out,
                  "%zu photos, decoded and run by %s: %.1f a second in batches of %d; one alone "
                  "%.2f ms (median), %.2f ms (99 of 100)\n",
                  s->photos, task->name, s->rate, task->batch, 1e3 * s->median_seconds,
                  1e3 * s->p99_seconds);
    return oci_print(stdout, &out, err);
}

static oc_status bench_predict(bench_flags *flags, const char *folder, oc_error *err) {
    oci_paths paths = {0};
    oci_predict_speed speed;
    oc_model *model = NULL;
    oc_status status = OC_OK;
    OC_GOTO(oc_model_load(&model, folder, err));
    OC_GOTO(oci_paths_collect(&paths, flags->image, err));
    flags->task.name = folder;
    OC_GOTO(oci_bench_predict(&speed, model, &paths, &flags->task, err));
    status = print_predict(&speed, &flags->task, flags->json, err);
done:
    oci_paths_clear(&paths);
    oc_model_free(model);
    return status;
}

static oc_status run(oci_call *call, oc_error *err) {
    bench_flags flags = {.arch = "mobilenet_v2",
                         .mode = -1,
                         .task = {.batch = 32, .classes = 1000, .reps = 10, .seconds = 0.5}};
    OC_TRY(oci_options_parse(&call->args, &flags, err));
    OC_TRY(oci_args_expect(&call->args, 0, 1, arguments, err));
    if (flags.image && call->args.count) return bench_predict(&flags, call->args.argv[0], err);
    if (flags.image) return bench_photos(&flags, err);
    return bench_network(&flags, call->args.count ? call->args.argv[0] : NULL, err);
}

const oci_command oci_cmd_bench = {
    .name = "bench",
    .summary = "how fast a network runs here, and how near that is to the machine's limits",
    .arguments = arguments,
    .details =
        "Random pixels in memory, and fresh weights or those of MODEL. The limits, measured in the "
        "same run: float multiply-adds in registers, and copying memory. Operations are counted as "
        "2 a multiply-add, and 3 times that for a step of training. `make bench` compares with "
        "PyTorch, ONNX Runtime and OpenVINO.",
    .examples = "  ocellus bench --arch resnet18 --batch 16 --layers\n"
                "  ocellus bench model --batch 1\n"
                "  ocellus bench --mode infer --batch 1\n"
                "  ocellus bench --image photos/\n"
                "  ocellus bench model --image photos/ --batch 16\n",
    .options = table,
    .run = run};
