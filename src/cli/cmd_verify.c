/* `ocellus verify MODEL --against OTHER`: two networks side by side, layer by layer.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "command_int.h"
#include "images_int.h"
#include "interop/interop.h"

static const char arguments[] = "MODEL --against MODEL|M.onnx|FIXTURES [--images PHOTOS]";

enum { MOST_PHOTOS = 8, NAME_COLUMNS = 40, OP_COLUMNS = 17, SHAPE_COLUMNS = 13 };

typedef struct verify_flags {
    const char *model, *against, *images;
    oc_verify_options options;
    bool json;
} verify_flags;

#define AT(member) offsetof(verify_flags, member)

static const oci_option table[] = {
    {"against", 'a', OCI_PATH, AT(against), "OTHER", 0, 0, NULL,
     "a model folder, an .onnx file, or a .safetensors file with recorded values"},
    {"images", 'i', OCI_PATH, AT(images), "PHOTOS", 0, 0, NULL,
     "a photo, or a folder: eight of it (default: two made-up photos)"},
    {"tolerance", 0, OCI_REAL, AT(options.tolerance), "T", 0, 1, NULL,
     "of the largest value of a layer or the output (default 0.001)"},
    {"engine", 0, OCI_TEXT, AT(options.engine), "E", 0, 0, NULL,
     "that runs MODEL: ref or onednn (default ref, on which OTHER always runs)"},
    {"threads", 't', OCI_INT, AT(options.threads), "T", 1, 4096, NULL, "default all"},
    {"json", 0, OCI_FLAG, AT(json), NULL, 0, 0, NULL, "the comparison as one JSON object"},
    {0}};

/* ---- what is compared -------------------------------------------------------------------------
 */

/* At most eight of the photos, evenly. */
static void thin_out(oci_paths *photos) {
    size_t all = photos->count;
    if (all <= MOST_PHOTOS) return;
    for (size_t i = 0; i < MOST_PHOTOS; i++) {
        size_t from = i * all / MOST_PHOTOS;
        char *kept = photos->items[from];
        photos->items[from] = photos->items[i];
        photos->items[i] = kept;
    }
    for (size_t i = MOST_PHOTOS; i < all; i++) oc_free(photos->items[i]);
    photos->count = MOST_PHOTOS;
}

static oc_status against_recorded(const verify_flags *f, const oc_model *model,
                                  oc_verification *out, oc_error *err) {
    oc_safetensors *file = NULL;
    if (f->images)
        return oc_fail(err, OC_EUSAGE,
                       "verify: %s brings its own input: leave --images out, or compare with a "
                       "model",
                       f->against);
    OC_TRY(oc_safetensors_open(&file, f->against, err));
    oc_status status = oc_verify_recorded(out, model, file, f->against, &f->options, err);
    oc_safetensors_close(file);
    return status;
}

static oc_status against_model(const verify_flags *f, const oc_model *model, oc_verification *out,
                               oc_error *err) {
    oc_model *other = NULL;
    OC_TRY(oc_model_load(&other, f->against, err));
    oc_status status = oc_verify_models(out, model, other, &f->options, err);
    oc_model_free(other);
    return status;
}

/* A file that does not say how photos are prepared gets them as the model does. */
static oc_status against_onnx(const verify_flags *f, const oc_model *model, oc_verification *out,
                              oc_error *err) {
    oc_model *other = NULL;
    oc_status status = OC_OK;
    OC_TRY(oc_model_new(&other, err));
    OC_GOTO(oc_onnx_import(other, f->against, model->recipe.width, NULL, err));
    if (other->recipe.width == 0) other->recipe = model->recipe;
    status = oc_verify_models(out, model, other, &f->options, err);
done:
    oc_model_free(other);
    return status;
}

static oc_status compare(const verify_flags *f, const oc_model *model, oc_verification *out,
                         oc_error *err) {
    if (oc_path_is_dir(f->against)) return against_model(f, model, out, err);
    if (!oc_path_exists(f->against))
        return oc_fail(err, OC_ENOTFOUND, "%s: there is no such file or folder", f->against);
    if (oc_ends_with(f->against, ".onnx")) return against_onnx(f, model, out, err);
    if (oc_ends_with(f->against, ".safetensors")) return against_recorded(f, model, out, err);
    return oc_fail(
        err, OC_EUNSUPPORTED,
        "%s: can be compared with a model folder, an .onnx file or a .safetensors file of "
        "recorded values",
        f->against);
}

/* ---- telling ----------------------------------------------------------------------------------
 */

static bool is_compared(const oc_verify_row *row) {
    return row->match != OC_FOUND_NONE;
}

static size_t count_of(const oc_verification *v, oc_found kind) {
    size_t count = 0;
    for (size_t i = 0; i < v->count; i++) count += v->rows[i].match == kind;
    return count;
}

static void put_numbers(oc_buf *out, const oc_verify_row *row) {
    char theirs[OC_SHAPE_TEXT];
    if (row->match == OC_FOUND_SHAPE)
        oc_buf_printf(out, "%s there", oc_shape_text(theirs, &row->their_shape));
    else
        oc_buf_printf(out, "%9.2e %9.2e", row->difference, oc_verify_share(row));
}

static void put_row(oc_buf *out, const oc_verify_row *row, bool first, const oci_term *term) {
    char shape[OC_SHAPE_TEXT];
    const char *paint = oci_paint_code(term->colour_out, first ? OCI_RED : OCI_PLAIN);
    oc_buf_puts(out, paint);
    oci_put_padded(out, row->name, NAME_COLUMNS, term->utf8);
    oc_buf_printf(out, " %-*s %-*s ", OP_COLUMNS, row->op, SHAPE_COLUMNS,
                  oc_shape_text(shape, &row->shape));
    put_numbers(out, row);
    if (row->match == OC_FOUND_ORDER) {
        oc_buf_puts(out, "  ~ ");
        oci_put_plain(out, row->theirs);
    }
    if (first) oc_buf_puts(out, "  <- the first difference");
    oc_buf_puts(out, *paint ? oci_paint_code(term->colour_out, OCI_PLAIN) : "");
    oc_buf_puts(out, "\n");
}

static void put_summary(oc_buf *out, const oc_verification *v) {
    size_t order = count_of(v, OC_FOUND_ORDER), none = count_of(v, OC_FOUND_NONE);
    oc_buf_printf(out, "\n%zu of %zu layers compared", v->count - none, v->count);
    if (order > 0) oc_buf_printf(out, ", %zu of them matched by order and shape (~)", order);
    oc_buf_printf(out,
                  "\noutput: the largest difference is %.3g, %.2g of the largest value %.4g; the "
                  "same class for %zu of %zu photos\n",
                  v->output.difference, oc_verify_share(&v->output), v->output.largest,
                  v->same_class, v->images);
}

static oc_status print_text(const oc_verification *v, const oci_term *term, oc_error *err) {
    oc_buf out = {0};
    oci_put_padded(&out, "layer", NAME_COLUMNS, false);
    oc_buf_printf(&out, " %-*s %-*s %9s %9s\n", OP_COLUMNS, "op", SHAPE_COLUMNS, "shape", "differs",
                  "share");
    for (size_t i = 0; i < v->count; i++) {
        if (is_compared(&v->rows[i])) put_row(&out, &v->rows[i], (int)i == v->first, term);
    }
    put_summary(&out, v);
    return oci_print(stdout, &out, err);
}

static json_t *row_json(const oc_verify_row *row) {
    static const char *const words[] = {"none", "name", "order", "shape"};
    char shape[OC_SHAPE_TEXT];
    bool measured = row->match == OC_FOUND_NAME || row->match == OC_FOUND_ORDER;
    return json_pack("{s:s, s:s?, s:s, s:s, s:s, s:o, s:o, s:o}", "layer", row->name, "against",
                     row->theirs, "op", row->op, "shape", oc_shape_text(shape, &row->shape),
                     "matched_by", words[row->match], "difference",
                     measured ? oc_json_real(row->difference) : json_null(), "largest",
                     measured ? oc_json_real(row->largest) : json_null(), "share",
                     measured ? oc_json_real(oc_verify_share(row)) : json_null());
}

static oc_status print_json(const verify_flags *f, const oc_verification *v, oc_error *err) {
    json_t *rows = json_array();
    for (size_t i = 0; i < v->count; i++) {
        if (json_array_append_new(rows, row_json(&v->rows[i])) == 0) continue;
        json_decref(rows);
        return oc_fail_nomem(err, 0, "the comparison");
    }
    return oci_print_json(json_pack("{s:o, s:o, s:b, s:f, s:o, s:o, s:i, s:i, s:s?, s:o}", "model",
                                    oc_json_text(f->model), "against", oc_json_text(f->against),
                                    "agree", v->agrees, "tolerance", f->options.tolerance,
                                    "difference", oc_json_real(v->output.difference), "share",
                                    oc_json_real(oc_verify_share(&v->output)), "images",
                                    (int)v->images, "same_class", (int)v->same_class, "first",
                                    v->first >= 0 ? v->rows[v->first].name : NULL, "layers", rows),
                          err);
}

static oc_status judge(const verify_flags *f, const oc_verification *v, oc_error *err) {
    const char *first = v->first >= 0 ? v->rows[v->first].name : "the output";
    if (v->agrees) return OC_OK;
    return oc_fail(err, OC_EMISMATCH,
                   "%s and %s differ: the outputs by %.2g of the largest value, --tolerance is %g; "
                   "first at %s",
                   f->model, f->against, oc_verify_share(&v->output), f->options.tolerance, first);
}

static oc_status run(oci_call *call, oc_error *err) {
    verify_flags flags = {.options.tolerance = 1e-3};
    OC_TRY(oci_options_parse(&call->args, &flags, err));
    OC_TRY(oci_args_expect(&call->args, 1, 1, arguments, err));
    flags.model = call->args.argv[0];
    if (!flags.against)
        return oc_fail(err, OC_EUSAGE,
                       "verify: with what? give --against MODEL, an .onnx file, or a .safetensors "
                       "file of recorded values");
    oci_paths photos = {0};
    oc_model *model = NULL;
    oc_verification result = {0};
    oc_status status = OC_OK;
    if (flags.images) OC_GOTO(oci_paths_collect(&photos, flags.images, err));
    thin_out(&photos);
    flags.options.photos = (const char *const *)photos.items;
    flags.options.photo_count = photos.count;
    OC_GOTO(oc_model_load(&model, flags.model, err));
    OC_GOTO(compare(&flags, model, &result, err));
    OC_GOTO(flags.json ? print_json(&flags, &result, err) : print_text(&result, call->term, err));
    status = judge(&flags, &result, err);
done:
    oc_verification_clear(&result);
    oc_model_free(model);
    oci_paths_clear(&photos);
    return status;
}

const oci_command oci_cmd_verify = {
    .name = "verify",
    .summary = "compare a model with another form of it, layer by layer",
    .arguments = arguments,
    .details =
        "Runs the same photos through both and prints the largest difference of each layer, by "
        "itself and as a share of the layer's largest value. Layers find each other by name, the "
        "rest by order and shape; the first beyond the tolerance is marked: there an import went "
        "wrong. Exit code 2 when the outputs differ by more than the tolerance.\n"
        "Each side prepares the photos by its own recipe. A .safetensors file holds what another "
        "program recorded: tensors input, output and layers by name (docs/03-interop.md).",
    .examples = "  ocellus verify model --against recorded.safetensors\n"
                "  ocellus verify model --against model.onnx --images photos\n"
                "  ocellus verify model --against model --engine onednn\n",
    .options = table,
    .run = run};
