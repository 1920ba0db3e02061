/* `ocellus quantize MODEL PHOTOS -o OUT`: a model whose layers work on int8, and what that costs
 * and gains: accuracy, size, speed, before and after.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <string.h>

#include "command_int.h"
#include "progress_int.h"
#include "quantize_int.h"
#include "stop_int.h"

static const char arguments[] = "MODEL PHOTOS -o OUT [--eval DATA] [--json]";

#define AT(member) offsetof(oci_quantize_task, member)

static const char *const range_words[] = {
#define RANGE_WORD(name, word) word,
    OC_RANGES_MAP(RANGE_WORD)
#undef RANGE_WORD
        NULL};

static const oci_option table[] = {
    {"out", 'o', OCI_PATH, AT(out), "OUT", 0, 0, NULL, "the model folder to write"},
    {"eval", 0, OCI_PATH, AT(eval), "DATA", 0, 0, NULL,
     "labelled photos to score both models on (default: PHOTOS, those that training held out)"},
    {"photos", 'n', OCI_INT, AT(photos), "N", 1, 1000000, NULL,
     "photos to measure the layers' ranges on, spread over PHOTOS (default 256)"},
    {"ranges", 0, OCI_WORD, AT(ranges), "RULE", 0, 0, range_words,
     "how a range is chosen: all that was seen but 1 in 10,000 (default), all, least squared "
     "error"},
    {"max-drop", 0, OCI_REAL, AT(max_drop), "POINTS", 0, 100, NULL,
     "write nothing where accuracy falls by more percentage points (default 1)"},
    {"batch", 'b', OCI_INT, AT(batch), "B", 1, 4096, NULL,
     "photos at a time when speed is measured (default 32)"},
    {"threads", 't', OCI_INT, AT(threads), "T", 1, 4096, NULL, "default all"},
    {"engine", 0, OCI_TEXT, AT(engine), "E", 0, 0, NULL, "onednn or ref (default: the best)"},
    {"json", 0, OCI_FLAG, AT(json), NULL, 0, 0, NULL, "the result as one JSON object"},
    {0}};

static double points(double share) {
    return 100 * share;
}

static json_t *result_json(const oci_quantize_task *task, const oci_quantize_result *r) {
    return json_pack(
        "{s:s,s:s,s:I,s:I,s:f,s:f,s:f,s:f,s:I,s:I,s:i,s:f,s:f,s:f}", "model", task->out, "ranges",
        range_words[task->ranges], "photos", (json_int_t)r->photos, "n", (json_int_t)r->scored,
        "accuracy_before", r->before.accuracy, "accuracy_after", r->after.accuracy, "drop_points",
        points(r->before.accuracy - r->after.accuracy), "agreement", r->agreement, "bytes_before",
        (json_int_t)r->before.bytes, "bytes_after", (json_int_t)r->after.bytes, "batch",
        task->batch, "images_per_second_before", r->before.rate, "images_per_second_after",
        r->after.rate, "speedup", r->after.rate / r->before.rate);
}

static oc_status print_result(const oci_quantize_task *task, const oci_quantize_result *r,
                              oc_error *err) {
    if (task->json) return oci_print_json(result_json(task, r), err);
    char before[16], after[16];
    oc_buf out = {0};
    oc_buf_printf(&out, "                 before     after\n");
    oc_buf_printf(&out,
                  "accuracy    %9.1f %% %8.1f %%  (%+.1f points over %zu photos; the same "
                  "answer for %.1f %%)\n",
                  points(r->before.accuracy), points(r->after.accuracy),
                  points(r->after.accuracy - r->before.accuracy), r->scored, points(r->agreement));
    oc_buf_printf(&out, "weights     %11s %10s  (%.1f times smaller)\n",
                  oc_format_bytes(before, r->before.bytes), oc_format_bytes(after, r->after.bytes),
                  (double)r->before.bytes / (double)r->after.bytes);
    oc_buf_printf(&out, "images/s    %11.1f %10.1f  (%.2f times as fast, batch %d)\n",
                  r->before.rate, r->after.rate, r->after.rate / r->before.rate, task->batch);
    return oci_print(stdout, &out, err);
}

/* What the numbers say about using it here. */
static void advise(oci_progress *p, const oci_quantize_result *r) {
    double gain = r->after.rate / r->before.rate;
    if (gain < 1.05)
        oci_progress_say(p, OCI_BOLD,
                         "int8 is %.2f times as fast as float on this processor: it saves space "
                         "here, not time",
                         gain);
}

static oc_status run(oci_call *call, oc_error *err) {
    oci_quantize_task task = {.photos = 256, .batch = 32, .max_drop = 1};
    OC_TRY(oci_options_parse(&call->args, &task, err));
    OC_TRY(oci_args_expect(&call->args, 2, 2, arguments, err));
    if (!task.out) return oc_fail(err, OC_EUSAGE, "where to? give the folder to write with -o OUT");
    task.folder = call->args.argv[0];
    task.data = call->args.argv[1];
    oci_progress progress = {.term = call->term};
    oci_quantize_result result = {0};
    task.progress = &progress;
    task.stop = oci_stop_install();
    oc_status status = oci_quantize_run(&result, &task, err);
    oci_progress_wipe(&progress);
    if (status != OC_OK) return status;
    OC_TRY(print_result(&task, &result, err));
    advise(&progress, &result);
    return OC_OK;
}

const oci_command oci_cmd_quantize = {
    .name = "quantize",
    .summary = "a smaller, faster int8 model of a trained one",
    .arguments = arguments,
    .details =
        "PHOTOS, a data set as for `train`, show which values the layers give; some hundred photos "
        "of the kind that the model will see are enough. OUT is a model folder like any other, "
        "with weights of one byte. Accuracy, size and speed of both models are measured; where "
        "accuracy falls by more than --max-drop, nothing is written.",
    .examples = "  ocellus quantize model photos -o model-int8\n"
                "  ocellus quantize model photos -o model-int8 --eval testphotos --max-drop 0.5\n",
    .options = table,
    .run = run};
