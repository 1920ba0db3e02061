/* The model folder as training sees it: whether it may be written, and saving the best epoch.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/train_int.h"

/* What training itself puts into a folder. */
static bool is_ours(const char *name) {
    static const char *const ours[] = {"checkpoint", "log.jsonl",         "config.json",
                                       "graph.json", "metrics.json",      "README.md",
                                       "seen.u64",   "model.safetensors", OC_EXAMPLES_FOLDER};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        size_t length = strlen(ours[i]);
        if (strcmp(name, ours[i]) == 0) return true;
        if (strncmp(name, ours[i], length) == 0 && oc_starts_with(name + length, ".tmp.")) {
            return true;
        }
    }
    return oc_starts_with(name, "events.out.tfevents.");
}

static bool is_same_folder(const char *a, const char *b) {
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

oc_status oci_folder_check(const char *out, const char *from, oc_error *err) {
    if (from != NULL && is_same_folder(out, from)) {
        return oc_fail(err, OC_EUSAGE,
                       "--from and -o both name %s, which would overwrite what the run starts "
                       "from; give -o another folder",
                       out);
    }
    if (!oc_path_exists(out) || oc_model_is_folder(out)) return OC_OK;
    if (!oc_path_is_dir(out)) {
        return oc_fail(err, OC_EUSAGE, "%s is a file; -o needs a folder for the model", out);
    }
    oc_path_list list = {0};
    OC_TRY(oc_path_list_dir(out, true, &list, err));
    oc_status status = OC_OK;
    for (size_t i = 0; i < list.count && status == OC_OK; i++) {
        if (is_ours(list.names[i])) continue;
        status = oc_fail(err, OC_EUSAGE,
                         "%s holds %s and is no model folder; give -o a new or empty folder", out,
                         list.names[i]);
    }
    oc_path_list_free(&list);
    return status;
}

oc_status oci_folder_lock(const char *out, int *lock, oc_error *err) {
    OC_TRY(oc_path_make_dirs(out, err));
    *lock = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0) return oc_fail_errno(err, OC_EIO, errno, "%s", out);
    if (faccessat(*lock, ".", W_OK | X_OK, 0) != 0) {
        return oc_fail_errno(err, OC_EIO, errno, "%s: the model cannot be written there", out);
    }
    if (flock(*lock, LOCK_EX | LOCK_NB) == 0) return OC_OK;
    if (errno != EWOULDBLOCK) return OC_OK; /* a file system without locks */
    return oc_fail(err, OC_EUSAGE,
                   "%s: another run is training into this folder; wait for it, or give -o another",
                   out);
}

oc_status oci_folder_begin(const char *out, const oc_log *log, oc_error *err) {
    char path[OC_PATH_BYTES];
    if (oc_model_is_folder(out)) oc_info(log, "%s: the model in it will be replaced", out);
    OC_TRY(oc_path_join(path, out, "checkpoint", err));
    return oc_path_remove_tree(path, err);
}

/* The words of the origin object: those of a command line and of paths may be any bytes. */
static int put_words(json_t *origin, const oc_train_options *o) {
    const struct {
        const char *key, *text;
    } rows[] = {{"command", o->command},
                {"from", o->from},
                {"data", o->data},
                {"val", o->val},
                {"label_column", o->dataset.label_column},
                {"group_column", o->dataset.group_column},
                {"names", o->dataset.names}};
    int rc = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].text == NULL) continue;
        rc |= json_object_set_new(origin, rows[i].key, oc_json_text(rows[i].text));
    }
    return rc;
}

oc_status oci_folder_origin(oci_session *s, oc_error *err) {
    char date[32], digest[24], set_digest[24];
    json_t *settings = NULL;
    (void)snprintf(digest, sizeof digest, "%016" PRIx64, s->data.digest);
    (void)snprintf(set_digest, sizeof set_digest, "%016" PRIx64,
                   oc_dataset_digest(s->data.train_set));
    OC_TRY(oci_settings_json(&s->settings, &settings, err));
    s->model->origin = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:f, s:i, s:i, s:o}", "version", OC_VERSION, "date",
        oc_clock_utc(date), "data_digest", set_digest, "run_digest", digest, "seed",
        (json_int_t)s->options->seed, "split", s->settings.split, "train_images",
        (int)s->data.train_count, "val_images", (int)s->data.val_count, "options", settings);
    if (s->model->origin == NULL || put_words(s->model->origin, s->options) != 0) {
        return oc_fail_nomem(err, 0, "the model's origin");
    }
    return OC_OK;
}

/* A former run's model stops being one before its first file is replaced, so that a crash in
 * between never leaves new weights under old names. */
static oc_status disown(const char *out, oc_error *err) {
    char path[OC_PATH_BYTES];
    OC_TRY(oc_path_join(path, out, "config.json", err));
    return oc_path_remove_tree(path, err);
}

/* The model with the current weights, which it has for that long. */
static oc_status save_current(oci_session *s, oc_error *err) {
    oc_tensors *best = s->model->weights;
    s->model->weights = s->weights;
    oc_status status = oc_model_save(s->model, s->options->out, err);
    s->model->weights = best;
    return status;
}

oc_status oci_folder_save(oci_session *s, oc_error *err) {
    int epoch = s->position.best_epoch;
    if (epoch > 0 && epoch == s->best_saved) return OC_OK;
    s->model->temperature = epoch > 0 ? s->position.temperature : 1;
    s->model->threshold = epoch > 0 ? s->position.threshold : 0;
    if (s->best_saved < 0 && !s->resumed) OC_TRY(disown(s->options->out, err));
    if (epoch == 0)
        OC_TRY(save_current(s, err));
    else
        OC_TRY(oc_model_save(s->model, s->options->out, err));
    s->best_saved = epoch;
    return OC_OK;
}
