/* Which recipe a run trains behind: the model's own, or the family's, then what the options say.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "train/train_int.h"

/* Another side for a recipe, its margin around the crop kept in proportion. */
static void set_size(oc_recipe *r, int size) {
    int longest = r->width > r->height ? r->width : r->height;
    if (longest > 0) {
        r->resize_side = (int)lround((double)r->resize_side * (double)size / (double)longest);
    }
    if (r->resize_side < size) r->resize_side = size;
    if (r->resize_width > 0) {
        r->resize_width = (int)lround((double)r->resize_width * size / r->width);
        r->resize_height = (int)lround((double)r->resize_height * size / r->height);
    }
    r->width = r->height = size;
}

static oc_status check_std(const oc_train_options *o, oc_error *err) {
    for (int c = 0; o->std != NULL && c < 3; c++) {
        if (o->std[c] > 0 && o->std[c] < INFINITY) continue;
        return oc_fail(err, OC_EUSAGE, "--std holds %g, allowed: three finite numbers above 0",
                       (double)o->std[c]);
    }
    for (int c = 0; o->mean != NULL && c < 3; c++) {
        if (isfinite(o->mean[c])) continue;
        return oc_fail(err, OC_EUSAGE, "--mean holds %g, allowed: three finite numbers",
                       (double)o->mean[c]);
    }
    return OC_OK;
}

/* The recipe of those who made the weights, else the usual one. */
static oc_recipe usual_recipe(const oci_origin *origin, int width, int height) {
    return origin->file != NULL ? oc_pretrained_recipe(origin->file, width, height)
                                : oc_recipe_default(width, height);
}

oc_status oci_recipe_choose(oc_recipe *out, bool *measure, const oci_origin *origin,
                            const oci_settings *s, const oc_train_options *o, oc_error *err) {
    OC_TRY(check_std(o, err));
    bool inherit = origin->model != NULL;
    int usual = origin->arch != NULL ? origin->arch->size : 224;
    *out = inherit ? origin->model->recipe : usual_recipe(origin, usual, usual);
    if (s->size > 0) set_size(out, s->size);
    if (inherit ? o->squash >= 0 : s->squash >= 0) {
        out->fit = (inherit ? o->squash : s->squash) ? OC_FIT_SQUASH : OC_FIT_CROP;
    }
    if (s->filter >= 0) out->filter = (oc_filter)s->filter;
    oc_recipe usual_colours = usual_recipe(origin, out->width, out->height);
    int wish = inherit ? o->measure_mean : s->measure_mean;
    if (wish == 0) {
        memcpy(out->mean, usual_colours.mean, sizeof out->mean);
        memcpy(out->std, usual_colours.std, sizeof out->std);
    }
    if (o->mean != NULL) memcpy(out->mean, o->mean, sizeof out->mean);
    if (o->std != NULL) memcpy(out->std, o->std, sizeof out->std);
    *measure = wish == 1;
    return OC_OK;
}
