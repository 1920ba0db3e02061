/* Two networks, or a network and what another program recorded of it, side by side on the same
 * photos: the largest difference of every layer, so that the first that differs is seen.
 *
 * Photos go through in groups, as many as memory allows, each side by its own recipe.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "interop/verify/verify_int.h"

enum { MADE_UP = 2, PHOTO_BYTES = 256 << 20 };
static const size_t GROUP_BYTES = (size_t)256 << 20; /* of one side's values */

/* A comparison on its way. */
typedef struct comparison {
    oc_verification *out;
    const oc_verify_options *options;
    oci_side ours, theirs;
    int *counterpart;
    oc_found *kind;
    size_t images;
    int batch;
} comparison;

static void comparison_clear(comparison *c) {
    oci_side_clear(&c->ours);
    oci_side_clear(&c->theirs);
    oc_free(c->counterpart);
    oc_free(c->kind);
}

void oc_verification_clear(oc_verification *v) {
    oc_free(v->rows);
    oc_free(v->names);
    *v = (oc_verification){0};
}

double oc_verify_share(const oc_verify_row *row) {
    if (row->difference == 0) return 0;
    return row->largest > 0 ? row->difference / row->largest : (double)INFINITY;
}

/* ---- what belongs together --------------------------------------------------------------------
 */

/* Names live as long as the result, which the sides do not. */
static oc_status keep_names(comparison *c, oc_error *err) {
    size_t bytes = 0;
    for (size_t i = 0; i < c->ours.count; i++) bytes += strlen(c->ours.nodes[i].name) + 1;
    for (size_t i = 0; i < c->theirs.count; i++) bytes += strlen(c->theirs.nodes[i].name) + 1;
    char *at = c->out->names = oc_malloc(bytes);
    if (at == NULL) return oc_fail_nomem(err, bytes, "the layers' names");
    oci_side *sides[] = {&c->ours, &c->theirs};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < sides[k]->count; i++) {
            size_t size = strlen(sides[k]->nodes[i].name) + 1;
            memcpy(at, sides[k]->nodes[i].name, size);
            sides[k]->nodes[i].name = at;
            at += size;
        }
    return OC_OK;
}

static oc_verify_row make_row(const comparison *c, size_t i, int other, oc_found kind) {
    const oci_values *v = &c->ours.nodes[i];
    oc_verify_row row = {
        .name = v->name, .op = oc_op_name((oc_op)v->op), .shape = v->shape, .match = kind};
    if (other < 0) return row;
    row.theirs = c->theirs.nodes[other].name;
    row.their_shape = c->theirs.nodes[other].shape;
    if (kind == OC_FOUND_SHAPE) row.difference = (double)INFINITY;
    return row;
}

static oc_status check_outputs(const comparison *c, oc_error *err) {
    const oci_values *a = &c->ours.nodes[c->ours.output], *b = &c->theirs.nodes[c->theirs.output];
    char x[OC_SHAPE_TEXT], y[OC_SHAPE_TEXT];
    if (oci_same_shape(&a->shape, &b->shape)) return OC_OK;
    return oc_fail(err, OC_EMISMATCH,
                   "the output \"%s\" is %s an image, that of the other side \"%s\" %s: these are "
                   "not the same network",
                   a->name, oc_shape_text(x, &a->shape), b->name, oc_shape_text(y, &b->shape));
}

static oc_status make_rows(comparison *c, oc_error *err) {
    size_t count = c->ours.count;
    oc_verification *out = c->out;
    OC_TRY(check_outputs(c, err));
    c->counterpart = oc_calloc(count, sizeof *c->counterpart);
    c->kind = oc_calloc(count, sizeof *c->kind);
    out->rows = oc_calloc(count, sizeof *out->rows);
    if (c->counterpart == NULL || c->kind == NULL || out->rows == NULL)
        return oc_fail_nomem(err, count * sizeof *out->rows, "a comparison");
    OC_TRY(oci_pair_up(&c->ours, &c->theirs, c->counterpart, c->kind, err));
    OC_TRY(keep_names(c, err));
    out->count = count;
    out->their_count = c->theirs.count;
    for (size_t i = 0; i < count; i++) out->rows[i] = make_row(c, i, c->counterpart[i], c->kind[i]);
    out->output = make_row(c, c->ours.output, (int)c->theirs.output, OC_FOUND_NAME);
    return OC_OK;
}

/* ---- comparing --------------------------------------------------------------------------------
 */

static void compare(oc_verify_row *row, const float *a, const float *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double size = fabs((double)b[i]), difference = fabs((double)a[i] - (double)b[i]);
        if (!(difference <= row->difference)) row->difference = difference;
        if (!(size <= row->largest)) row->largest = size;
        if (isnan(row->difference) || isinf(row->largest)) row->difference = (double)INFINITY;
    }
}

static size_t best_of(const float *values, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        if (values[i] > values[best]) best = i;
    }
    return best;
}

static void compare_image(comparison *c, size_t image) {
    oc_verification *out = c->out;
    for (size_t i = 0; i < c->ours.count; i++) {
        if (c->kind[i] != OC_FOUND_NAME && c->kind[i] != OC_FOUND_ORDER) continue;
        compare(&out->rows[i], oci_side_values(&c->ours, i, image),
                oci_side_values(&c->theirs, (size_t)c->counterpart[i], image),
                c->ours.nodes[i].volume);
    }
    const float *a = oci_side_values(&c->ours, c->ours.output, image);
    const float *b = oci_side_values(&c->theirs, c->theirs.output, image);
    size_t count = c->ours.nodes[c->ours.output].volume;
    compare(&out->output, a, b, count);
    out->same_class += best_of(a, count) == best_of(b, count);
    out->images++;
}

static oc_status compare_group(comparison *c, size_t n, oc_error *err) {
    OC_TRY(oci_side_run(&c->ours, (int)n, err));
    OC_TRY(oci_side_run(&c->theirs, (int)n, err));
    for (size_t i = 0; i < n; i++) compare_image(c, i);
    return OC_OK;
}

static bool differs(const oc_verify_row *row, double tolerance) {
    return row->match != OC_FOUND_NONE && oc_verify_share(row) > tolerance;
}

static void conclude(comparison *c) {
    oc_verification *out = c->out;
    double tolerance = c->options->tolerance;
    out->first = -1;
    for (size_t i = out->count; i-- > 0;) {
        if (differs(&out->rows[i], tolerance)) out->first = (int)i;
    }
    out->agrees = !differs(&out->output, tolerance);
}

/* ---- the sides --------------------------------------------------------------------------------
 */

/* Images at a time: at most all, at least one. */
static oc_status choose_batch(comparison *c, const oc_model *model, int height, int width,
                              oc_error *err) {
    size_t volume = 0;
    OC_TRY(oci_side_volume(model, height, width, &volume, err));
    size_t fit = volume > 0 ? GROUP_BYTES / sizeof(float) / volume : 1;
    c->batch = (int)(fit < 1 ? 1 : fit < c->images ? fit : c->images);
    return OC_OK;
}

static const char *engine_of(const oc_verify_options *o) {
    return o->engine != NULL ? o->engine : "ref";
}

/* The bytes of photo i. */
static oc_status read_photo(const oc_verify_options *o, size_t i, oc_buf *out, oc_error *err) {
    char *bytes = NULL;
    size_t size = 0;
    out->size = 0;
    if (o->photo_count == 0) return oci_golden_photo((uint32_t)i, out, err);
    OC_TRY(oc_file_read(o->photos[i], PHOTO_BYTES, &bytes, &size, err));
    oc_buf_append(out, bytes, size);
    oc_free(bytes);
    return oc_buf_status(out, err);
}

static oc_status render_group(comparison *c, oc_renderer *const renderer[2], size_t first, size_t n,
                              oc_error *err) {
    oci_side *sides[] = {&c->ours, &c->theirs};
    oc_buf photo = {0};
    oc_status status = OC_OK;
    for (size_t i = 0; i < n; i++) {
        OC_GOTO(read_photo(c->options, first + i, &photo, err));
        for (int k = 0; k < 2; k++) {
            float *planes = sides[k]->pixels + i * sides[k]->nodes[0].volume;
            status = oc_render(renderer[k], photo.data, photo.size, NULL, NULL, planes, err);
            if (status == OC_OK) continue;
            const char *name = c->options->photo_count > 0 ? c->options->photos[first + i] : "";
            OC_GOTO(oc_error_context(err, status, "%s", name));
        }
    }
done:
    oc_buf_clear(&photo);
    return status;
}

static oc_status compare_photos(comparison *c, const oc_model *a, const oc_model *b,
                                oc_error *err) {
    oc_renderer *renderer[2] = {NULL, NULL};
    oc_status status = OC_OK;
    OC_GOTO(oc_renderer_new(&renderer[0], &a->recipe, NULL, err));
    OC_GOTO(oc_renderer_new(&renderer[1], &b->recipe, NULL, err));
    for (size_t first = 0; first < c->images; first += (size_t)c->batch) {
        size_t left = c->images - first, n = left < (size_t)c->batch ? left : (size_t)c->batch;
        OC_GOTO(render_group(c, renderer, first, n, err));
        OC_GOTO(compare_group(c, n, err));
    }
done:
    for (int k = 0; k < 2; k++) oc_renderer_free(renderer[k]);
    return status;
}

oc_status oc_verify_models(oc_verification *out, const oc_model *model, const oc_model *other,
                           const oc_verify_options *options, oc_error *err) {
    const oc_recipe *a = &model->recipe, *b = &other->recipe;
    comparison c = {.out = out, .options = options};
    oc_status status = OC_OK;
    *out = (oc_verification){0};
    c.images = options->photo_count > 0 ? options->photo_count : MADE_UP;
    OC_GOTO(choose_batch(&c, model, a->height, a->width, err));
    OC_GOTO(oci_side_model(&c.ours, model, engine_of(options), options->threads, a->height,
                           a->width, c.batch, err));
    OC_GOTO(oci_side_model(&c.theirs, other, "ref", options->threads, b->height, b->width, c.batch,
                           err));
    OC_GOTO(make_rows(&c, err));
    OC_GOTO(compare_photos(&c, model, other, err));
    conclude(&c);
done:
    comparison_clear(&c);
    if (status != OC_OK) oc_verification_clear(out);
    return status;
}

static oc_status check_input(const oc_model *model, const oci_values *input, const char *where,
                             oc_error *err) {
    int channels = oc_graph_node(model->graph, 0)->attrs.channels;
    if (input->shape.dim[0] == channels) return OC_OK;
    return oc_fail(err, OC_EMISMATCH,
                   "%s: \"input\" has %lld channels, the network takes %d: it should be "
                   "(n, c, h, w)",
                   where, (long long)input->shape.dim[0], channels);
}

static oc_status compare_recorded(comparison *c, oc_error *err) {
    const oci_values *input = &c->theirs.nodes[0];
    for (size_t first = 0; first < c->images; first += (size_t)c->batch) {
        size_t left = c->images - first, n = left < (size_t)c->batch ? left : (size_t)c->batch;
        memcpy(c->ours.pixels, input->at + first * input->volume,
               n * input->volume * sizeof(float));
        c->theirs.first = first;
        OC_TRY(compare_group(c, n, err));
    }
    return OC_OK;
}

oc_status oc_verify_recorded(oc_verification *out, const oc_model *model,
                             const oc_safetensors *file, const char *where,
                             const oc_verify_options *options, oc_error *err) {
    comparison c = {.out = out, .options = options};
    oc_status status = OC_OK;
    *out = (oc_verification){0};
    OC_GOTO(oci_side_recorded(&c.theirs, file, where, &c.images, err));
    const oci_values *input = &c.theirs.nodes[0];
    OC_GOTO(check_input(model, input, where, err));
    int height = (int)input->shape.dim[1], width = (int)input->shape.dim[2];
    OC_GOTO(choose_batch(&c, model, height, width, err));
    OC_GOTO(oci_side_model(&c.ours, model, engine_of(options), options->threads, height, width,
                           c.batch, err));
    OC_GOTO(make_rows(&c, err));
    OC_GOTO(compare_recorded(&c, err));
    conclude(&c);
done:
    comparison_clear(&c);
    if (status != OC_OK) oc_verification_clear(out);
    return status;
}
