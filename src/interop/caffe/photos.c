/* The data layers of a Caffe net: where the photos are, and how they become the net's input.
 *
 * Caffe resizes a photo out of shape to new_width x new_height (or takes it as it is, all of one
 * size), cuts crop_size out of it (anywhere in training, the centre in testing), mirrors, subtracts
 * the mean and multiplies by scale; channels are BGR, 0..255. A mean image is subtracted as the
 * mean of each of its channels. SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "interop/caffe/solver_int.h"

enum { MAX_SIDE = 8192, MAX_BATCH = 65536 };

/* A data layer and its messages. */
typedef struct data_layer {
    const oci_caffe_layer *layer;
    const oci_proto *data, *transform;
    bool is_list; /* ImageData; else Data */
} data_layer;

/* ---- the data layer of a phase ------------------------------------------------------------- */

/* The first layer in force that gives photos. */
static oc_status find_data(const oci_solver *s, oci_caffe_phase phase, data_layer *out, bool *found,
                           oc_error *err) {
    const oci_proto *net = phase == OCI_CAFFE_TRAIN ? s->net : s->test;
    oci_caffe_layer *layers = NULL;
    size_t count = 0;
    *found = false;
    if (net == NULL) return OC_OK;
    OC_TRY(oci_caffe_layers(net, phase, s->out->pool, &layers, &count, err));
    for (size_t i = 0; i < count; i++) {
        bool list = oci_caffe_is(&layers[i], "ImageData");
        if (!list && !oci_caffe_is(&layers[i], "Data")) continue;
        const char *name = list ? "image_data_param" : "data_param";
        *out = (data_layer){.layer = &layers[i],
                            .data = oci_caffe_param_of(&layers[i], name),
                            .transform = oci_caffe_param_of(&layers[i], "transform_param"),
                            .is_list = list};
        *found = true;
        return OC_OK;
    }
    return OC_OK;
}

static oc_status fail_at(const data_layer *d, oc_status status, const char *what, oc_error *err) {
    char place[OCI_PLACE_BYTES];
    return oc_fail(err, status, "%s: %s", oci_caffe_place(place, d->layer), what);
}

static oc_status read_whole(const oci_proto *m, const char *name, int max, int *out,
                            oc_error *err) {
    char place[OCI_PLACE_BYTES];
    int64_t v = oci_proto_int(m, name);
    *out = (int)v;
    if (v >= 0 && v <= max) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: %s is %lld, allowed 0 to %d", oci_proto_place(place, m),
                   name, (long long)v, max);
}

/* It need not be a folder: "photos/rose_" is the beginning of paths, too. */
static oc_status read_root(const oci_solver *s, const char *root, oc_caffe_photos *out,
                           oc_error *err) {
    oc_error why = {0};
    out->root = root;
    if (*root == '\0' || oc_path_exists(root)) return OC_OK;
    oc_status status = oci_solver_find(s, root, "root_folder", &out->root, &why);
    if (status == OC_ENOTFOUND) out->root = root;
    if (status == OC_OK || status == OC_ENOTFOUND) return OC_OK;
    return oc_fail(err, status, "%s", why.message);
}

static oc_status read_source(const oci_solver *s, const data_layer *d, oc_caffe_photos *out,
                             oc_error *err) {
    const char *source = oci_proto_text(d->data, "source");
    *out = (oc_caffe_photos){.root = "", .is_lmdb = !d->is_list};
    OC_TRY(read_whole(d->data, "batch_size", MAX_BATCH, &out->batch, err));
    if (out->batch == 0) return fail_at(d, OC_EFORMAT, "batch_size is 0 or missing", err);
    if (*source == '\0') return fail_at(d, OC_EFORMAT, "no source of photos", err);
    if (!d->is_list && oci_proto_int(d->data, "backend") == 0)
        return fail_at(
            d, OC_EUNSUPPORTED,
            "backend LEVELDB is not read here (nor is it the default of a Data layer any "
            "more); make an LMDB of it, or a list with an ImageData layer",
            err);
    OC_TRY(oci_solver_find(s, source, "source", &out->source, err));
    if (!d->is_list) return OC_OK;
    return read_root(s, oci_proto_text(d->data, "root_folder"), out, err);
}

/* ---- the size of photos that are taken as they are ----------------------------------------- */

/* The path in the first line of a list, without its label, or NULL. */
static char *first_path(char *text) {
    char *line = oc_trim(text), *end = strchr(line, '\n');
    if (end != NULL) *end = '\0';
    line = oc_trim(line);
    char *blank = strrchr(line, ' ');
    if (blank == NULL) blank = strrchr(line, '\t');
    if (blank == NULL) return NULL;
    *blank = '\0';
    return line;
}

static oc_status probe_photo(const char *path, int *width, int *height, oc_error *err) {
    char *bytes = NULL;
    size_t size = 0;
    oc_image_info info;
    OC_TRY(oc_file_read(path, (size_t)256 << 20, &bytes, &size, err));
    oc_status status = oc_image_probe(bytes, size, NULL, &info, err);
    oc_free(bytes);
    if (status != OC_OK) return oc_error_context(err, status, "%s", path);
    *width = info.width;
    *height = info.height;
    return OC_OK;
}

/* As the data set will look for it: as it stands, else below the list's folder. */
static oc_status probe_list(const oc_caffe_photos *p, int *width, int *height, oc_error *err) {
    char whole[OC_PATH_BYTES], folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
    char *text = NULL;
    size_t size = 0;
    OC_TRY(oc_file_read(p->source, (size_t)4 << 30, &text, &size, err));
    const char *first = first_path(text);
    (void)snprintf(whole, sizeof whole, "%s%s", p->root, first != NULL ? first : "");
    oc_free(text);
    if (first == NULL)
        return oc_fail(err, OC_EFORMAT, "%s: its first line is not `path label`", p->source);
    if (oc_path_is_file(whole)) return probe_photo(whole, width, height, err);
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(oc_path_base(p->source) - p->source),
                   p->source);
    OC_TRY(oc_path_join(path, folder, whole, err));
    return probe_photo(path, width, height, err);
}

static oc_status first_size(const oc_caffe_photos *p, int *width, int *height, oc_error *err) {
    return p->is_lmdb ? oc_lmdb_peek(p->source, width, height, err)
                      : probe_list(p, width, height, err);
}

/* ---- the recipe ---------------------------------------------------------------------------- */

static oc_status read_size(const data_layer *d, const oc_caffe_photos *photos, oc_recipe *r,
                           oc_error *err) {
    int width = 0, height = 0, crop = 0;
    OC_TRY(read_whole(oci_caffe_transform_of(d->layer, "crop_size"), "crop_size", MAX_SIDE, &crop,
                      err));
    if (d->is_list) {
        OC_TRY(read_whole(d->data, "new_width", MAX_SIDE, &width, err));
        OC_TRY(read_whole(d->data, "new_height", MAX_SIDE, &height, err));
    }
    if ((width == 0) != (height == 0))
        return fail_at(d, OC_EFORMAT, "new_width and new_height go together: give both", err);
    if (width == 0) OC_TRY(first_size(photos, &width, &height, err));
    r->resize_width = width;
    r->resize_height = height;
    r->width = crop > 0 ? crop : width;
    r->height = crop > 0 ? crop : height;
    if (r->width <= width && r->height <= height) return OC_OK;
    return fail_at(d, OC_EFORMAT, "crop_size is larger than the photos", err);
}

/* Means come in the order of the channels, which is BGR. */
static void set_means(oc_recipe *r, const float *means) {
    for (int c = 0; c < r->channels; c++) r->mean[r->channels == 3 ? 2 - c : c] = means[c];
}

static oc_status read_values(const data_layer *d, oc_recipe *r, oc_error *err) {
    float means[3] = {0};
    const oci_proto_value *v = NULL;
    size_t count = oci_proto_count(d->transform, "mean_value");
    if (count != 1 && count != (size_t)r->channels)
        return fail_at(d, OC_EFORMAT, "mean_value: expected one, or one for each channel (B, G, R)",
                       err);
    for (size_t c = 0; (v = oci_proto_next(d->transform, "mean_value", v)) != NULL; c++)
        means[c] = (float)v->as.real;
    for (int c = 1; count == 1 && c < r->channels; c++) means[c] = means[0];
    set_means(r, means);
    return OC_OK;
}

static oc_status read_scale(const data_layer *d, oc_recipe *r, oc_error *err) {
    double scale = oci_proto_real(oci_caffe_transform_of(d->layer, "scale"), "scale");
    if (!(scale >= 1e-4 && scale <= 1e6))
        return fail_at(d, OC_EFORMAT, "scale is out of range, allowed 0.0001 to 1000000", err);
    for (int c = 0; c < 3; c++) r->std[c] = (float)(1 / scale);
    return OC_OK;
}

static oc_status read_recipe(const oci_solver *s, const data_layer *d, const oc_caffe_photos *p,
                             oc_recipe *r, oc_error *err) {
    const oci_proto *mean = oci_caffe_transform_of(d->layer, "mean_file");
    const char *file = oci_proto_text(mean, "mean_file"), *path = NULL;
    *r = oc_recipe_default(1, 1);
    r->fit = OC_FIT_SQUASH;
    r->resize_side = 0;
    r->channels = d->is_list && !oci_proto_bool(d->data, "is_color") ? 1 : 3;
    if (oci_proto_bool(d->transform, "force_gray")) r->channels = 1;
    r->bgr = r->channels == 3;
    r->unit = 1;
    r->alpha = OC_ALPHA_DROP;
    memset(r->mean, 0, sizeof r->mean);
    OC_TRY(read_size(d, p, r, err));
    OC_TRY(read_scale(d, r, err));
    if (*file != '\0') {
        float means[3], spread = 0;
        OC_TRY(oci_solver_find(s, file, "mean_file", &path, err));
        OC_TRY(oci_caffe_mean_read(path, r->channels, means, &spread, err));
        set_means(r, means);
        return OC_OK;
    }
    return oci_proto_has(d->transform, "mean_value") ? read_values(d, r, err) : OC_OK;
}

/* ---- both phases --------------------------------------------------------------------------- */

static bool same_input(const oc_recipe *a, const oc_recipe *b) {
    bool same = a->width == b->width && a->height == b->height && a->channels == b->channels &&
                a->resize_width == b->resize_width && a->resize_height == b->resize_height;
    for (int c = 0; same && c < a->channels; c++)
        same = a->mean[c] == b->mean[c] && a->std[c] == b->std[c];
    return same;
}

static oc_status read_test(oci_solver *s, oc_error *err) {
    data_layer d;
    oc_recipe recipe;
    bool found = false;
    char place[OCI_PLACE_BYTES];
    oc_error why = {0};
    oc_status status = find_data(s, OCI_CAFFE_TEST, &d, &found, &why);
    bool tests =
        oci_proto_has(s->message, "test_iter"); /* else its net may be for training alone */
    if (status != OC_OK && (tests || status == OC_ENOMEM))
        return oc_fail(err, status, "%s", why.message);
    if (!found) return OC_OK;
    OC_TRY(read_source(s, &d, &s->out->test, err));
    OC_TRY(read_recipe(s, &d, &s->out->test, &recipe, err));
    if (same_input(&recipe, &s->out->recipe)) return OC_OK;
    oc_warn(s->log,
            "%s: photos are prepared otherwise than for training; the model is tested and used as "
            "it is trained",
            oci_caffe_place(place, d.layer));
    return OC_OK;
}

oc_status oci_solver_photos(oci_solver *s, oc_error *err) {
    data_layer d;
    bool found = false;
    oc_caffe_solver *o = s->out;
    OC_TRY(find_data(s, OCI_CAFFE_TRAIN, &d, &found, err));
    if (!found)
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s: no ImageData layer (a list) and no Data layer (an LMDB) to train on",
                       s->net->where);
    OC_TRY(read_source(s, &d, &o->train, err));
    OC_TRY(read_recipe(s, &d, &o->train, &o->recipe, err));
    o->vary.flip = oci_proto_bool(oci_caffe_transform_of(d.layer, "mirror"), "mirror");
    o->vary.crop_shift =
        o->recipe.resize_width > o->recipe.width || o->recipe.resize_height > o->recipe.height;
    return read_test(s, err);
}
