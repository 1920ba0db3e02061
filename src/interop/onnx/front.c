/* What a graph does to its pixels before the first layer: lines a channel and the order of channels
 * become the model's recipe, so that training and every program replay it.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "interop/onnx/import_int.h"

enum { COLOURS = 3 };

/* y = factor * x + term, for pixels x of the file's channels. */
typedef struct front {
    double factor[COLOURS], term[COLOURS];
    bool reversed;
    int steps; /* layers that it stands for */
} front;

/* The only layer that reads this one, or -1. */
static int only_reader(const oci_import *x, int layer) {
    int reader = -1;
    for (size_t i = 0; i < x->layer_count; i++) {
        const oci_layer *l = &x->layers[i];
        if (!l->serves) continue;
        for (int k = 0; k < l->input_count; k++) {
            if (l->inputs[k] != layer) continue;
            if (reader >= 0) return -1;
            reader = (int)i;
        }
    }
    return reader;
}

static bool take_scale(const oci_layer *l, int channels, front *f) {
    float weights[COLOURS] = {0}, terms[COLOURS] = {0};
    const oci_param_values *w = &l->params[0], *t = &l->params[1];
    if (w->count != (size_t)channels) return false;
    if (oc_tensor_to_f32(weights, w->data, w->dtype, w->count, NULL) != OC_OK) return false;
    if (l->attrs.bias && oc_tensor_to_f32(terms, t->data, t->dtype, w->count, NULL) != OC_OK)
        return false;
    for (int c = 0; c < channels; c++) {
        int from = f->reversed ? channels - 1 - c : c;
        f->factor[from] *= (double)weights[c];
        f->term[from] = f->term[from] * (double)weights[c] + (double)terms[c];
    }
    return true;
}

/* One more layer of the front; false where it is none. */
static bool take_step(const oci_layer *l, int channels, front *f) {
    if (l->op == OCI_OP_REVERSE) {
        f->reversed = !f->reversed;
        return channels == COLOURS;
    }
    if (l->op == OC_OP_SCALE) return take_scale(l, channels, f);
    if (l->op != OC_OP_POWER || l->attrs.exponent != 1) return false;
    for (int c = 0; c < channels; c++) {
        f->factor[c] *= (double)l->attrs.scale;
        f->term[c] = f->term[c] * (double)l->attrs.scale + (double)l->attrs.shift;
    }
    return true;
}

/* What the graph expects its pixels to be divided by: 1 where it takes bytes, else what its numbers
 * look like. A mean of more than 1 is one of bytes, and so is a factor like 1/255. */
static double unit_of(const oci_import *x, const front *f, int channels) {
    if (x->input_type == OCI_ONNX_UINT8) return 1;
    for (int c = 0; c < channels; c++)
        if (fabs(f->factor[c]) < 0.05 || fabs(f->term[c] / f->factor[c]) > 1.5) return 1;
    return 255;
}

/* (x / unit - mean) / std; false where no recipe allows such numbers. */
static bool fill_recipe(const oci_import *x, const front *f, oc_recipe *r) {
    const oc_shape *s = &x->layers[0].shape;
    int channels = (int)s->dim[1];
    double pixel = unit_of(x, f, channels), largest = 0;
    oc_recipe recipe = oc_recipe_default((int)s->dim[3], (int)s->dim[2]);
    for (int c = 0; c < channels; c++) largest = fmax(largest, fabs(f->factor[c] / pixel));
    recipe.unit = largest < 0.05 ? 255 : 1;
    recipe.channels = channels;
    recipe.bgr = f->reversed;
    for (int c = 0; c < channels; c++) {
        double std = pixel / (f->factor[c] * (double)recipe.unit), mean = -f->term[c] * std;
        if (pixel == 255) mean = -f->term[c] / f->factor[c] * 255 / (double)recipe.unit;
        if (!(std >= 1e-6 && std <= 1e4 && fabs(mean) <= 1e4)) return false;
        recipe.std[c] = (float)std;
        recipe.mean[c] = (float)mean;
    }
    *r = recipe;
    return true;
}

oc_status oci_take_front(oci_import *x, oc_model *model, int *first, oc_error *err) {
    front f = {.factor = {1, 1, 1}};
    int64_t channels = x->layers[0].shape.dim[1];
    int at = 0;
    (void)err;
    *first = 0;
    if (channels != 1 && channels != COLOURS) return OC_OK;
    for (int next = only_reader(x, 0); next >= 0; next = only_reader(x, at)) {
        front more = f;
        if (!take_step(&x->layers[next], (int)channels, &more)) break;
        f = more;
        f.steps++;
        at = next;
    }
    if (f.steps == 0 && x->input_type != OCI_ONNX_UINT8) return OC_OK;
    oc_recipe recipe;
    if (!fill_recipe(x, &f, &recipe)) return OC_OK;
    if (model->recipe.width == 0) model->recipe = recipe;
    *first = at;
    return OC_OK;
}
