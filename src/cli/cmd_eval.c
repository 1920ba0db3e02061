/* `ocellus eval MODEL DATA`: how good a model is on labelled photos.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <string.h>

#include "command_int.h"
#include "eval/eval.h"
#include "eval_part_int.h"
#include "progress_int.h"
#include "stop_int.h"

static const char arguments[] = "MODEL DATA [--part PART] [--json] [--report OUT.html]";

typedef struct eval_flags {
    oc_eval_options eval;
    oc_dataset_options data;
    int part;
    const char *report;
    bool json;
} eval_flags;

#define AT(member) offsetof(eval_flags, member)

static const char *const part_words[] = {"train", "val", "test", "all", NULL};

static const oci_option table[] = {
    {"part", 'p', OCI_WORD, AT(part), "PART", 0, 0, part_words,
     "which photos (default: the test part, else what training held out, else all)"},
    {"report", 'r', OCI_PATH, AT(report), "OUT.html", 0, 0, NULL,
     "write a page with confusion matrix, classes, calibration and the worst mistakes"},
    {"json", 0, OCI_FLAG, AT(json), NULL, 0, 0, NULL, "the scores as one JSON object"},
    {"batch", 'b', OCI_INT, AT(eval.batch), "B", 1, 65536, NULL, "photos at a time"},
    {"threads", 't', OCI_INT, AT(eval.threads), "T", 1, 4096, NULL, "default all"},
    {"engine", 0, OCI_TEXT, AT(eval.engine), "E", 0, 0, NULL, "onednn or ref (default: the best)"},
    {"label-column", 0, OCI_TEXT, AT(data.label_column), "C", 0, 0, NULL,
     "of a list: number behind the path; of a CSV: name (default: as the model was trained)"},
    {"group-column", 0, OCI_TEXT, AT(data.group_column), "C", 0, 0, NULL, "of a CSV"},
    {"names", 0, OCI_PATH, AT(data.names), "FILE", 0, 0, NULL, "class names of a list"},
    {0}};

typedef struct eval_view {
    oci_progress progress;
    double start;
    const volatile sig_atomic_t *stop;
} eval_view;

static bool on_progress(void *ctx, size_t done, size_t total) {
    eval_view *view = ctx;
    oci_progress_count(&view->progress, "scoring", done, total, view->start);
    return !*view->stop;
}

static oc_status print_result(const oc_eval *result, const oc_model *model, const oc_dataset *ds,
                              bool json, oc_error *err) {
    if (json) {
        json_t *object = NULL;
        OC_TRY(oc_eval_json(result, model, ds, &object, err));
        return oci_print_json(object, err);
    }
    oc_buf text = {0};
    oc_status status = oc_eval_text(result, model, ds, &text, err);
    if (status == OC_OK) return oci_print(stdout, &text, err);
    oc_buf_clear(&text);
    return status;
}

/* Options of a list or CSV that are not given are those of the training; true where there are any.
 */
static bool inherit(oc_dataset_options *data, const json_t *origin) {
    struct {
        const char *key, **value;
    } rows[] = {{"label_column", &data->label_column},
                {"group_column", &data->group_column},
                {"names", &data->names}};
    bool some = false;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *theirs = json_string_value(json_object_get(origin, rows[i].key));
        if (*rows[i].value || !theirs) continue;
        *rows[i].value = theirs;
        some = true;
    }
    return some;
}

/* As the training read its data; where that does not fit, as it is. */
static oc_status open_data(oc_dataset **ds, const char *data, const oc_model *model,
                           oc_dataset_options *options, oc_error *err) {
    oc_dataset_options theirs = *options;
    if (inherit(&theirs, model->origin) && oc_dataset_open(ds, data, &theirs, NULL) == OC_OK)
        return OC_OK;
    return oc_dataset_open(ds, data, options, err);
}

/* Open, scan, choose, score. */
static oc_status score(const char *data, const oc_model *model, eval_flags *flags, eval_view *view,
                       oc_dataset **ds, oc_eval *result, oc_error *err) {
    oc_status status = OC_OK;
    uint32_t *items = NULL;
    size_t count = 0;
    oc_buf words = {0};
    const oc_scan_options scan = {.threads = flags->eval.threads};
    flags->data.known = &model->classes;
    OC_GOTO(open_data(ds, data, model, &flags->data, err));
    OC_GOTO(oc_dataset_scan(*ds, &scan, err));
    OC_GOTO(oci_eval_choose(*ds, model, flags->part, &items, &count, &words, err));
    OC_GOTO(oc_buf_status(&words, err));
    oci_progress_say(&view->progress, OCI_PLAIN, "%s", words.data);
    view->start = oc_clock_seconds();
    flags->eval.progress = on_progress;
    flags->eval.ctx = view;
    OC_GOTO(oc_eval_run(result, model, *ds, items, count, &flags->eval, err));
done:
    oci_progress_wipe(&view->progress);
    oc_buf_clear(&words);
    oc_free(items);
    return status;
}

static oc_status run(oci_call *call, oc_error *err) {
    eval_flags flags = {.part = -1};
    OC_TRY(oci_options_parse(&call->args, &flags, err));
    OC_TRY(oci_args_expect(&call->args, 2, 2, arguments, err));
    eval_view view = {.progress = {.term = call->term}, .stop = oci_stop_install()};
    const oc_log log = {oci_progress_log, &view.progress};
    flags.data.log = &log;
    oc_status status = OC_OK;
    oc_model *model = NULL;
    oc_dataset *ds = NULL;
    oc_eval result = {0};
    OC_GOTO(oc_model_load(&model, call->args.argv[0], err));
    OC_GOTO(oc_model_load_seen(model, call->args.argv[0], err));
    OC_GOTO(score(call->args.argv[1], model, &flags, &view, &ds, &result, err));
    OC_GOTO(print_result(&result, model, ds, flags.json, err));
    if (flags.report) {
        OC_GOTO(oc_eval_report(&result, model, ds, flags.report, err));
        oci_progress_say(&view.progress, OCI_DIM, "report: %s (open it in a browser)",
                         flags.report);
    }
done:
    oc_eval_clear(&result);
    oc_dataset_free(ds);
    oc_model_free(model);
    return status;
}

const oci_command oci_cmd_eval = {
    .name = "eval",
    .summary = "measure a model on labelled photos",
    .arguments = arguments,
    .details =
        "Accuracy with its uncertainty, precision, recall and F1 of each class, calibration. "
        "Given the very data that the model was trained on, only the photos that were held "
        "out are scored, unless --part says otherwise.",
    .examples = "  ocellus eval model photos --report report.html\n"
                "  ocellus eval model photos --part all --json\n",
    .options = table,
    .run = run};
