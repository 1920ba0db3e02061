/* MODEL/examples/<class number>.jpg: a small photo of each class, for pages that show its names.
 *
 * The photo is the held-out one that the best epoch names rightly with the greatest certainty;
 * where there is none, the first that the class was trained on. Written beside and renamed when the
 * run is finished, so that the folder never holds another model's.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "train/train_int.h"

enum { MOST_CLASSES = 2000, SIDE = 160, QUALITY = 80 };

#define BESIDE OC_EXAMPLES_FOLDER ".tmp.new"

static bool wanted(const oci_session *s) {
    return !s->options->no_examples && s->model->classes.count <= MOST_CLASSES;
}

/* ---- which ------------------------------------------------------------------------------------
 */

/* Probability of the truth where it is the largest logit, else 0. */
static double certainty(const oci_judged *j, size_t i, double temperature) {
    const float *row = j->logits + i * j->classes;
    double top = (double)row[j->truth[i]], sum = 0;
    for (size_t c = 0; c < j->classes; c++) {
        if ((double)row[c] > top) return 0;
        sum += exp(((double)row[c] - top) / temperature);
    }
    return 1 / sum;
}

oc_status oci_examples_choose(oci_session *s, const oci_judged *judged, oc_error *err) {
    size_t classes = s->model->classes.count;
    if (!wanted(s)) return OC_OK;
    double *best = oc_calloc(classes, sizeof *best);
    if (s->examples == NULL) s->examples = oc_calloc(classes, sizeof *s->examples);
    if (best == NULL || s->examples == NULL) {
        oc_free(best);
        return oc_fail_nomem(err, classes * sizeof *best, "examples of the classes");
    }
    for (size_t c = 0; c < classes; c++) s->examples[c] = OCI_NO_EXAMPLE;
    for (size_t i = 0; i < judged->count; i++) {
        double p = certainty(judged, i, s->position.temperature);
        size_t c = (size_t)judged->truth[i];
        if (p <= best[c]) continue;
        best[c] = p;
        s->examples[c] = judged->item[i];
    }
    oc_free(best);
    return OC_OK;
}

static const char *first_trained(const oci_session *s, size_t class) {
    for (size_t i = 0; i < s->data.train_count; i++) {
        const oc_item *item = oc_dataset_item(s->data.train_set, s->data.train[i]);
        if (item->label == (int32_t) class) return item->path;
    }
    return NULL;
}

/* Items that a checkpoint named are looked at again: the path of one, or NULL. */
static const char *photo_of(const oci_session *s, size_t class) {
    uint32_t item = s->examples != NULL ? s->examples[class] : OCI_NO_EXAMPLE;
    if (item != OCI_NO_EXAMPLE) return oc_dataset_item(s->data.val_set, item)->path;
    return first_trained(s, class);
}

/* ---- in a checkpoint --------------------------------------------------------------------------
 */

json_t *oci_examples_json(const oci_session *s) {
    if (s->examples == NULL) return json_null();
    json_t *array = json_array();
    for (size_t c = 0; array != NULL && c < s->model->classes.count; c++) {
        bool none = s->examples[c] == OCI_NO_EXAMPLE;
        json_t *item = none ? json_null() : json_integer((json_int_t)s->examples[c]);
        if (json_array_append_new(array, item) == 0) continue;
        json_decref(array);
        return NULL;
    }
    return array;
}

/* Numbers of photos of the class, or nothing. */
oc_status oci_examples_apply(oci_session *s, const json_t *array, oc_error *err) {
    size_t classes = s->model->classes.count;
    if (!wanted(s) || json_array_size(array) != classes) return OC_OK; /* an older version's */
    s->examples = oc_calloc(classes, sizeof *s->examples);
    if (s->examples == NULL) return oc_fail_nomem(err, classes * sizeof *s->examples, "examples");
    for (size_t c = 0; c < classes; c++) {
        const json_t *item = json_array_get(array, c);
        json_int_t i = json_is_integer(item) ? json_integer_value(item) : -1;
        bool there = i >= 0 && i < (json_int_t)oc_dataset_count(s->data.val_set) &&
                     oc_dataset_item(s->data.val_set, (uint32_t)i)->label == (int32_t)c;
        s->examples[c] = there ? (uint32_t)i : OCI_NO_EXAMPLE;
    }
    return OC_OK;
}

/* ---- how --------------------------------------------------------------------------------------
 */

/* A photo that can no longer be read is left out. */
static oc_status write_one(const oci_session *s, oc_thumbnailer *t, size_t class, oc_error *err) {
    char name[64], path[OC_PATH_BYTES];
    oc_buf jpeg = {0};
    oc_image square = {0};
    oc_error why = {0};
    const char *photo = photo_of(s, class);
    if (photo == NULL) return OC_OK;
    oc_status status = oc_thumbnail(t, photo, SIDE, &square, &why);
    if (status != OC_OK) {
        status = status == OC_ENOMEM ? oc_fail(err, status, "%s", why.message) : OC_OK;
        goto done;
    }
    (void)snprintf(name, sizeof name, BESIDE "/%zu.jpg", class);
    OC_GOTO(oc_path_join(path, s->options->out, name, err));
    OC_GOTO(oc_encode_jpeg(&square, QUALITY, &jpeg, err));
    status = oc_file_put(path, jpeg.data, jpeg.size, err);
done:
    oc_buf_clear(&jpeg);
    oc_image_clear(&square);
    return status;
}

static oc_status write_all(const oci_session *s, const char *beside, oc_error *err) {
    oc_thumbnailer t = {0};
    oc_status status = OC_OK;
    OC_TRY(oc_path_remove_tree(beside, err));
    OC_TRY(oc_path_make_dirs(beside, err));
    for (size_t c = 0; c < s->model->classes.count; c++) OC_GOTO(write_one(s, &t, c, err));
done:
    oc_thumbnailer_clear(&t);
    return status;
}

oc_status oci_examples_write(const oci_session *s, oc_error *err) {
    char folder[OC_PATH_BYTES], beside[OC_PATH_BYTES];
    OC_TRY(oc_path_join(folder, s->options->out, OC_EXAMPLES_FOLDER, err));
    OC_TRY(oc_path_join(beside, s->options->out, BESIDE, err));
    if (!wanted(s)) return OC_OK; /* saving the model has removed old ones */
    if (s->meter.images == 0 && oc_path_is_dir(folder)) return OC_OK; /* finished before */
    OC_TRY(write_all(s, beside, err));
    OC_TRY(oc_path_remove_tree(folder, err));
    if (rename(beside, folder) == 0) return OC_OK;
    return oc_fail_errno(err, OC_EIO, errno, "%s", folder);
}
