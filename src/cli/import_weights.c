/* `ocellus import weights FILE`: the weights of a network that the zoo has, from a file of any kind
 * and under any naming that is known; with an account of each tensor.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "import_int.h"

#include <string.h>

enum { TOLD = 10 }; /* lines of each trouble that are told unasked */

static json_t *shape_json(const oc_shape *shape) {
    json_t *array = shape != NULL ? json_array() : json_null();
    for (int i = 0; shape != NULL && i < shape->rank; i++)
        (void)json_array_append_new(array, json_integer(shape->dim[i]));
    return array;
}

static json_t *line_json(const oc_match_line *line) {
    return json_pack("{s:s,s:o,s:o,s:o,s:o}", "match", oc_match_name(line->match), "name",
                     oc_json_text(line->name), "source", oc_json_text(line->source), "shape",
                     shape_json(line->want), "found", shape_json(line->have));
}

static oc_status put_json(const oci_import_flags *flags, const oc_match_report *r,
                          const oc_pretrained *p, oc_error *err) {
    if (!flags->json) return OC_OK;
    json_t *lines = json_array();
    for (size_t i = 0; i < r->count; i++)
        (void)json_array_append_new(lines, line_json(&r->lines[i]));
    json_t *o = json_pack("{s:s,s:s,s:i,s:i,s:i,s:i,s:o}", "file", oc_pretrained_kind(p), "names",
                          oc_naming_name(oc_pretrained_naming(p)), "matched",
                          (int)r->of[OC_MATCH_TAKEN], "shape_differs", (int)r->of[OC_MATCH_SHAPE],
                          "missing", (int)r->of[OC_MATCH_MISSING], "unused",
                          (int)r->of[OC_MATCH_UNUSED], "tensors", lines);
    if (o == NULL || json_object_set_new(flags->extra, "report", o) != 0)
        return oc_fail_nomem(err, r->count, "a report");
    return OC_OK;
}

static void tell_line(const oc_log *log, const oc_match_line *line) {
    char want[OC_SHAPE_TEXT] = "", have[OC_SHAPE_TEXT] = "";
    if (line->want != NULL) (void)oc_shape_text(want, line->want);
    if (line->have != NULL) (void)oc_shape_text(have, line->have);
    const char *word = oc_match_name(line->match);
    if (line->match == OC_MATCH_UNUSED)
        oc_info(log, "  %s: %s %s", word, line->source, have);
    else if (line->match == OC_MATCH_MISSING)
        oc_info(log, "  %s: %s %s", word, line->name, want);
    else
        oc_info(log, "  %s: %s %s from %s %s", word, line->name, want, line->source,
                line->match == OC_MATCH_SHAPE ? have : "");
}

/* Counts, and the first of each trouble; or all. */
static void tell(const oci_import_flags *flags, const oc_match_report *r, const oc_pretrained *p) {
    size_t told[OC_MATCH_COUNT] = {0};
    oc_info(flags->log,
            "%s file, %s names of %s: %zu tensors matched, %zu missing, %zu of another shape, %zu "
            "unused",
            oc_pretrained_kind(p), oc_naming_name(oc_pretrained_naming(p)),
            oc_pretrained_arch(p)->name, r->of[OC_MATCH_TAKEN], r->of[OC_MATCH_MISSING],
            r->of[OC_MATCH_SHAPE], r->of[OC_MATCH_UNUSED]);
    for (size_t i = 0; i < r->count; i++) {
        oc_match match = r->lines[i].match;
        bool trouble = match != OC_MATCH_TAKEN && told[match]++ < TOLD;
        if (flags->report || trouble) tell_line(flags->log, &r->lines[i]);
    }
    for (int m = OC_MATCH_TAKEN + 1; m < OC_MATCH_COUNT && !flags->report; m++)
        if (told[m] > TOLD)
            oc_info(flags->log, "  ... and %zu more %s: --report lists all", told[m] - TOLD,
                    oc_match_name((oc_match)m));
}

static oc_status account(const oci_import_flags *flags, const oc_graph *graph,
                         const oc_pretrained *p, oc_error *err) {
    oc_match_report report = {0};
    OC_TRY(oc_match_report_make(&report, graph, p, err));
    tell(flags, &report, p);
    oc_status status = put_json(flags, &report, p, err);
    oc_match_report_clear(&report);
    return status;
}

static oc_status fill(const oci_import_flags *flags, const oc_pretrained *p, oc_model *model,
                      oc_error *err) {
    const oc_arch *arch = oc_pretrained_arch(p);
    int classes = oc_pretrained_classes(p);
    int size = flags->size > 0 ? flags->size : arch->size;
    if (classes < 1 && flags->cut == NULL) {
        return oc_fail(err, OC_EMISMATCH,
                       "%s: no head of %s in it, so it names nothing yet: train one with "
                       "`ocellus train PHOTOS --from %s`, or import what is below it with --cut",
                       flags->source, arch->name, flags->source);
    }
    OC_TRY(oc_pretrained_build(p, &model->graph, 3, classes > 0 ? classes : 1, size, size, err));
    OC_TRY(oci_import_cut(flags, &model->graph, err));
    OC_TRY(oc_tensors_new(&model->weights, err));
    OC_TRY(account(flags, model->graph, p, err));
    model->recipe = oc_pretrained_recipe(p, size, size);
    model->arch = oc_strdup(arch->name);
    if (model->arch == NULL) return oc_fail_nomem(err, strlen(arch->name), "a name");
    oc_status status =
        oc_weights_fit(model->graph, oc_pretrained_tensors(p), false, model->weights, NULL, err);
    return status == OC_OK ? OC_OK : oc_error_context(err, status, "%s", flags->source);
}

static oc_status read_weights(const oci_import_flags *flags, oc_model *model, oc_error *err) {
    oc_pretrained *p = NULL;
    const oc_pretrained_options options = {.arch = flags->arch, .prefix = flags->prefix};
    OC_TRY(oc_pretrained_open(&p, flags->source, &options, err));
    oc_status status = fill(flags, p, model, err);
    oc_pretrained_free(p);
    return status;
}

const oci_import_kind oci_import_weights = {
    .name = "weights", .needs = "FILE (.safetensors, .pth, .h5, .keras)", .read = read_weights};
