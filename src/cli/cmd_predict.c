/* `ocellus predict MODEL IMAGE|DIR|- ...`: the most likely classes of each image.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <string.h>

#include "command_int.h"
#include "images_int.h"
#include "predict_explain_int.h"

static const char arguments[] = "MODEL IMAGE|DIR|- ... [--top K] [--json] [--explain FOLDER]";

enum { DEFAULT_TOP = 5, MANY_BATCH = 16, LIST_CHUNK = 64, BAR_CELLS = 20, NAME_COLUMNS = 40 };
static const size_t stdin_budget = (size_t)256 << 20;

typedef struct predict_flags {
    int top, threads, batch;
    const char *engine, *explain;
    bool json, list;
} predict_flags;

#define AT(member) offsetof(predict_flags, member)

static const oci_option table[] = {
    {"top", 'k', OCI_INT, AT(top), "K", 1, 1000000, NULL, "how many names an image (default 5)"},
    {"json", 0, OCI_FLAG, AT(json), NULL, 0, 0, NULL, "one JSON object a line and image"},
    {"explain", 0, OCI_PATH, AT(explain), "FOLDER", 0, 0, NULL,
     "write a picture of each photo that shows where it looks like its first name (Grad-CAM)"},
    {"list", 0, OCI_FLAG, AT(list), NULL, 0, 0, NULL,
     "with -, standard input is a list of paths (a line each, or behind each a NUL), not an image"},
    {"batch", 'b', OCI_INT, AT(batch), "B", 1, 4096, NULL,
     "images at a time (default: 16, or fewer where there are fewer)"},
    {"threads", 't', OCI_INT, AT(threads), "T", 1, 4096, NULL, "default all"},
    {"engine", 0, OCI_TEXT, AT(engine), "E", 0, 0, NULL, "onednn or ref (default: the best)"},
    {0}};

typedef struct predict_run {
    const oci_term *term;
    const predict_flags *flags;
    const oc_model *model;
    oc_predictor *predictor;
    oci_explaining explaining; /* with --explain */
    const oc_buf *bytes;       /* of the photo from standard input that is being named, or NULL */
    int k;
    int name_columns; /* of the longest name, for alignment */
    size_t done, failed;
    oc_status status; /* of printing, and its error */
    oc_error error;
} predict_run;

static const char *name_of(const oc_class *class) {
    return class->display ? class->display : class->label;
}

static bool is_unknown(const predict_run *run, const oc_ranked *ranked) {
    return (double)ranked[0].p < run->model->threshold;
}

static json_t *ranked_json(const predict_run *run, const oc_ranked *ranked, int k) {
    json_t *top = json_array();
    for (int i = 0; top && i < k; i++) {
        const oc_class *class = &run->model->classes.items[ranked[i].label];
        json_t *one = json_pack("{s:s}", "label", class->label);
        int bad = !one;
        if (class->display) bad |= json_object_set_new(one, "name", json_string(class->display));
        if (class->id) bad |= json_object_set_new(one, "id", json_string(class->id));
        bad |= json_object_set_new(one, "p", oc_json_real(ranked[i].p));
        bad |= json_array_append_new(top, one);
        if (!bad) continue;
        json_decref(top);
        return NULL;
    }
    return top;
}

static oc_status print_as_json(predict_run *run, const char *path, const oc_ranked *ranked, int k,
                               const oc_error *error) {
    json_t *line = json_object();
    int bad = json_object_set_new(line, "image", oc_json_text(path));
    bad |= ranked ? json_object_set_new(line, "top", ranked_json(run, ranked, k))
                  : json_object_set_new(line, "error", oc_json_text(error->message));
    if (ranked && run->flags->explain)
        bad |= json_object_set_new(line, "explain", oc_json_text(run->explaining.path));
    if (ranked && run->model->threshold > 0)
        bad |= json_object_set_new(line, "unknown", json_boolean(is_unknown(run, ranked)));
    if (bad) {
        json_decref(line);
        line = NULL;
    }
    return oci_print_json(line, &run->error);
}

static oc_status print_as_text(predict_run *run, const char *path, const oc_ranked *ranked, int k,
                               const oc_error *error) {
    const oci_term *term = run->term;
    oc_buf out = {0};
    if (!ranked) {
        bool named = oc_starts_with(error->message, path);
        oc_buf_puts(&out, oci_paint_code(term->colour_err, OCI_RED));
        oci_put_plain(&out, named ? "" : path);
        oc_buf_printf(&out, "%s%s%s\n", named ? "" : ": ", error->message,
                      oci_paint_code(term->colour_err, OCI_PLAIN));
        return oci_print(stderr, &out, &run->error);
    }
    oc_buf_puts(&out, oci_paint_code(term->colour_out, OCI_BOLD));
    oci_put_plain(&out, path);
    oc_buf_printf(&out, "%s%s\n", oci_paint_code(term->colour_out, OCI_PLAIN),
                  is_unknown(run, ranked) ? "  not sure: perhaps none of these" : "");
    for (int i = 0; i < k; i++) {
        oc_buf_puts(&out, "  ");
        oci_put_padded(&out, name_of(&run->model->classes.items[ranked[i].label]),
                       run->name_columns, term->utf8);
        oc_buf_printf(&out, " %5.1f %% %s", 100 * (double)ranked[i].p,
                      oci_paint_code(term->colour_out, i == 0 ? OCI_GREEN : OCI_DIM));
        oci_bar(&out, ranked[i].p, BAR_CELLS, term->utf8);
        oc_buf_printf(&out, "%s\n", oci_paint_code(term->colour_out, OCI_PLAIN));
    }
    if (run->flags->explain) {
        oc_buf_puts(&out, "  why: ");
        oci_put_plain(&out, run->explaining.path);
        oc_buf_puts(&out, "\n");
    }
    return oci_print(stdout, &out, &run->error);
}

static oc_status explain(predict_run *run, const char *path, const oc_ranked *ranked) {
    if (!run->flags->explain || !ranked) return OC_OK;
    return oci_explaining_photo(&run->explaining, path, run->bytes, ranked[0].label, &run->error);
}

static bool each(void *ctx, const char *path, const oc_ranked *ranked, int k,
                 const oc_error *error) {
    predict_run *run = ctx;
    run->done++;
    run->failed += ranked == NULL;
    run->status = explain(run, path, ranked);
    if (run->status != OC_OK) return false;
    run->status = run->flags->json ? print_as_json(run, path, ranked, k, error)
                                   : print_as_text(run, path, ranked, k, error);
    return run->status == OC_OK;
}

static oc_status printing_failed(const predict_run *run, oc_error *err) {
    if (err) *err = run->error;
    return run->status;
}

static oc_status predict_paths(predict_run *run, const oci_paths *paths, oc_error *err) {
    if (paths->count == 0) return OC_OK;
    oc_status status = oc_predict_files(run->predictor, (const char *const *)paths->items,
                                        paths->count, run->k, each, run, err);
    return run->status != OC_OK ? printing_failed(run, err) : status;
}

static oc_status predict_stdin_image(predict_run *run, oc_error *err) {
    oc_buf bytes = {0};
    oc_error why = {0};
    oc_ranked *ranked = oc_calloc((size_t)run->k, sizeof *ranked);
    oc_status status = ranked ? oci_read_stream(stdin, stdin_budget, &bytes, err)
                              : oc_fail_nomem(err, 0, "the ranking");
    if (status != OC_OK) goto done;
    bool good = oc_predict_bytes(run->predictor, bytes.data ? bytes.data : "", bytes.size, run->k,
                                 ranked, &why) == OC_OK;
    run->bytes = &bytes;
    if (!each(run, "-", good ? ranked : NULL, run->k, &why)) status = printing_failed(run, err);
done:
    run->bytes = NULL;
    oc_buf_clear(&bytes);
    oc_free(ranked);
    return status;
}

/* Paths from standard input, a line each, in chunks, so that the list may be endless. */
static oc_status predict_stdin_list(predict_run *run, oc_error *err) {
    oc_status status = OC_OK;
    oci_paths paths = {0};
    for (bool end = false; !end;) {
        char line[OC_PATH_BYTES];
        OC_GOTO(oci_read_line(stdin, line, &end, err));
        const char *path = oc_trim(line);
        if (*path) OC_GOTO(oci_paths_add(&paths, path, err));
        if (paths.count < LIST_CHUNK && !end) continue;
        OC_GOTO(predict_paths(run, &paths, err));
        oci_paths_clear(&paths);
    }
done:
    oci_paths_clear(&paths);
    return status;
}

/* A file or folder joins those that wait; a folder that gives nothing is told in its turn. */
static oc_status predict_argument(predict_run *run, oci_paths *paths, const char *path,
                                  oc_error *err) {
    oc_error why = {0};
    oc_status status = oci_paths_collect(paths, path, &why);
    if (status == OC_OK) return OC_OK;
    if (status == OC_ENOMEM) return oc_fail(err, status, "%s", why.message);
    OC_TRY(predict_paths(run, paths, err));
    oci_paths_clear(paths);
    return each(run, path, NULL, run->k, &why) ? OC_OK : printing_failed(run, err);
}

static oc_status predict_arguments(predict_run *run, const oci_args *args, oc_error *err) {
    oc_status status = OC_OK;
    oci_paths paths = {0};
    for (int i = 1; i < args->count; i++) {
        if (strcmp(args->argv[i], "-") != 0) {
            OC_GOTO(predict_argument(run, &paths, args->argv[i], err));
            continue;
        }
        OC_GOTO(predict_paths(run, &paths, err));
        oci_paths_clear(&paths);
        OC_GOTO(run->flags->list ? predict_stdin_list(run, err) : predict_stdin_image(run, err));
    }
    status = predict_paths(run, &paths, err);
done:
    oci_paths_clear(&paths);
    return status;
}

/* One image needs no batch; a folder or a list may hold many. */
static int batch_for(const predict_flags *flags, const oci_args *args) {
    if (flags->batch) return flags->batch;
    if (flags->list) return MANY_BATCH;
    for (int i = 1; i < args->count; i++)
        if (oc_path_is_dir(args->argv[i])) return MANY_BATCH;
    return args->count - 1 < MANY_BATCH ? args->count - 1 : MANY_BATCH;
}

static void measure_names(predict_run *run) {
    for (size_t i = 0; i < run->model->classes.count; i++) {
        int columns = oci_columns(name_of(&run->model->classes.items[i]));
        if (columns > run->name_columns) run->name_columns = columns;
    }
    if (run->name_columns > NAME_COLUMNS) run->name_columns = NAME_COLUMNS;
}

static oc_status run(oci_call *call, oc_error *err) {
    predict_flags flags = {.top = DEFAULT_TOP};
    OC_TRY(oci_options_parse(&call->args, &flags, err));
    OC_TRY(oci_args_expect(&call->args, 2, -1, arguments, err));
    oc_model *model = NULL;
    predict_run state = {.term = call->term, .flags = &flags};
    oc_status status = OC_OK;
    OC_GOTO(oc_model_load(&model, call->args.argv[0], err));
    state.model = model;
    state.k = (size_t)flags.top < model->classes.count ? flags.top : (int)model->classes.count;
    measure_names(&state);
    OC_GOTO(oc_predictor_new(&state.predictor, model, flags.engine, flags.threads,
                             batch_for(&flags, &call->args), err));
    if (flags.explain)
        OC_GOTO(oci_explaining_open(&state.explaining, flags.explain, model, flags.engine,
                                    flags.threads, err));
    OC_GOTO(predict_arguments(&state, &call->args, err));
    if (state.failed)
        status = oc_fail(err, OC_EFORMAT, "%zu of %zu images could not be used", state.failed,
                         state.done);
done:
    oci_explaining_clear(&state.explaining);
    oc_predictor_free(state.predictor);
    oc_model_free(model);
    return status;
}

const oci_command oci_cmd_predict = {
    .name = "predict",
    .summary = "name what is on photos, with probabilities",
    .arguments = arguments,
    .details =
        "A folder stands for all images in and below it, - for an image on standard input. An "
        "image that cannot be read is told and the others go on; the exit code is then 2.",
    .examples = "  ocellus predict model photo.jpg\n"
                "  ocellus predict model photo.jpg --explain why\n"
                "  ocellus predict model holiday/ --json --top 1 > names.jsonl\n"
                "  find . -name '*.jpg' | ocellus predict model - --list --json\n",
    .options = table,
    .run = run};
