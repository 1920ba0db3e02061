/* The pictures of `predict --explain`: photo in, PNG beside the others.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "predict_explain_int.h"

#include <string.h>

static const size_t photo_budget = (size_t)256 << 20;

enum { NAME_BYTES = 100 }; /* of a photo's own name that are taken over */

oc_status oci_explaining_open(oci_explaining *x, const char *folder, const oc_model *model,
                              const char *engine, int threads, oc_error *err) {
    x->folder = folder;
    OC_TRY(oc_explainer_new(&x->explainer, model, engine, threads, err));
    return oc_path_make_dirs(folder, err);
}

/* Numbered, so that photos of one name in several folders keep apart. */
static oc_status name_picture(oci_explaining *x, const char *image, oc_error *err) {
    char name[NAME_BYTES + 32];
    const char *base = strcmp(image, "-") == 0 ? "stdin" : oc_path_base(image);
    (void)snprintf(name, sizeof name, "%04zu-%.*s.png", ++x->count, (int)NAME_BYTES, base);
    return oc_path_join(x->path, x->folder, name, err);
}

oc_status oci_explaining_photo(oci_explaining *x, const char *image, const oc_buf *bytes,
                               int32_t label, oc_error *err) {
    const char *data = bytes != NULL ? bytes->data : NULL;
    size_t size = bytes != NULL ? bytes->size : 0;
    x->png.size = 0;
    OC_TRY(name_picture(x, image, err));
    if (bytes == NULL) {
        OC_TRY(oc_file_read_into(image, photo_budget, &x->bytes, &x->capacity, &size, err));
        data = x->bytes;
    }
    oc_status status = oc_explain(x->explainer, data, size, label, &x->png, err);
    if (status == OC_OK) status = oc_buf_status(&x->png, err);
    if (status != OC_OK) return oc_error_context(err, status, "explaining %s", image);
    return oc_file_write(x->path, x->png.data, x->png.size, err);
}

void oci_explaining_clear(oci_explaining *x) {
    oc_explainer_free(x->explainer);
    oc_free(x->bytes);
    oc_buf_clear(&x->png);
}
