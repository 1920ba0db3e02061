/* Our weights under other catalogues' names: for writing.
 *
 * Names promise a network: where ours is built otherwise than theirs (imported from Keras, say),
 * weights alone would give other answers there, so that they are refused.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/weights/names_int.h"

/* ---- is it built as theirs? -------------------------------------------------------------------
 */

/* What changes an answer of the finished network. */
static bool matters(const oc_field *field) {
    static const char *const NOT[] = {"out", "init", "momentum", "p", "weight"};
    for (size_t i = 0; i < sizeof NOT / sizeof *NOT; i++)
        if (strcmp(field->name, NOT[i]) == 0) return false;
    return true;
}

static oc_status check_node(const oc_node *ours, const oc_node *theirs, const oc_arch *arch,
                            const oci_names *names, oc_error *err) {
    size_t count = 0;
    const char *catalogue = oc_naming_name(names->naming);
    if (ours->op != theirs->op) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s is %s, in %s's %s it is %s: its weights alone would give other answers "
                       "there",
                       ours->name, oc_op_name(ours->op), catalogue, arch->name,
                       oc_op_name(theirs->op));
    }
    const oc_field *fields = oc_op_fields(ours->op, &count);
    for (size_t i = 0; ours->op != OC_OP_INPUT && i < count; i++) {
        double a = oc_field_get(&fields[i], &ours->attrs);
        double b = oc_field_get(&fields[i], &theirs->attrs);
        if (a == b || !matters(&fields[i])) continue;
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s has %s %g, in %s's %s it is %g: its weights alone would give other "
                       "answers there",
                       ours->name, fields[i].name, a, catalogue, arch->name, b);
    }
    return OC_OK;
}

/* Layers of one name must be the same; a net that was cut has others, too. */
static oc_status check_nodes(const oc_graph *graph, const oc_graph *known, const oc_arch *arch,
                             const oci_names *names, oc_error *err) {
    for (int i = 0; i < oc_graph_node_count(graph); i++) {
        const oc_node *node = oc_graph_node(graph, i);
        int twin = oc_graph_find(known, node->name);
        if (twin >= 0) OC_TRY(check_node(node, oc_graph_node(known, twin), arch, names, err));
    }
    return OC_OK;
}

static oc_status check_built(const oc_graph *graph, const oc_arch *arch, const oci_names *names,
                             oc_error *err) {
    oc_graph *known = NULL, *adapted = NULL;
    const oc_attrs *input = &oc_graph_node(graph, 0)->attrs;
    oc_status status = OC_OK;
    OC_TRY(oc_arch_build(arch, &known, input->channels, 1000, input->height, input->width, err));
    if (names->adapt != NULL) OC_GOTO(oci_names_adapt(&adapted, known, names, err));
    OC_GOTO(check_nodes(graph, adapted != NULL ? adapted : known, arch, names, err));
done:
    oc_graph_free(adapted);
    oc_graph_free(known);
    return status;
}

/* ---- under their names ------------------------------------------------------------------------
 */

static oc_status put_param(oc_tensors *out, const oc_graph *graph, const oc_param *param,
                           const oc_tensors *weights, const oci_names *names, oc_error *err) {
    char name[OC_NAME_BYTES], shape[OC_SHAPE_TEXT];
    const oc_tensor *t = oc_tensors_find(weights, param->name);
    if (t == NULL) return oc_fail(err, OC_EMISMATCH, "%s is not in the model", param->name);
    if (!oci_names_param(names, graph, param, name)) {
        return oc_fail(err, OC_EUNSUPPORTED, "%s has no name in %s", param->name,
                       oc_naming_name(names->naming));
    }
    oc_tensor view = *t;
    bool hidden = oc_starts_with(name, "pre_logits."); /* timm's VGG: a convolution over all */
    int side = hidden && oc_ends_with(name, "fc1.weight") ? 7 : 1;
    if (hidden && t->shape.rank == 2) {
        if (t->shape.dim[1] % (side * side) != 0 || (side > 1 && t->shape.dim[1] != 25088))
            return oc_fail(err, OC_EUNSUPPORTED,
                           "%s is %s: timm's VGG-16 is made for inputs of 224 pixels alone",
                           param->name, oc_shape_text(shape, &t->shape));
        view.shape = oc_shape_4d(t->shape.dim[0], t->shape.dim[1] / (side * side), side, side);
    }
    return oc_tensors_add_view(out, name, &view, err);
}

static oc_status put_all(oc_tensors *out, const oc_graph *graph, const oc_tensors *weights,
                         const oci_names *names, oc_error *err) {
    for (int i = 0; i < oc_graph_param_count(graph); i++)
        OC_TRY(put_param(out, graph, oc_graph_param(graph, i), weights, names, err));
    return OC_OK;
}

/* The names of a graph that the zoo may not know. */
static oc_status choose(const oci_names **out, const oc_graph *graph, const char *arch,
                        oc_naming naming, oc_error *err) {
    static const oc_arch unknown = {.name = ""};
    const oc_arch *found = &unknown;
    if (arch != NULL) OC_TRY(oc_zoo_find(arch, &found, err));
    *out = oci_names_of(naming, found);
    if (*out != NULL && oci_names_are_keras(*out)) *out = NULL; /* its layout is not written */
    if (*out != NULL) return arch != NULL ? check_built(graph, found, *out, err) : OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED, "%s has no names for %s: write it under torchvision's",
                   oc_naming_name(naming), arch != NULL ? arch : "a network of one's own");
}

oc_status oc_naming_apply(oc_tensors **out, const oc_graph *graph, const oc_tensors *weights,
                          const char *arch, oc_naming naming, oc_error *err) {
    const oci_names *names = NULL;
    *out = NULL;
    OC_TRY(choose(&names, graph, arch, naming, err));
    OC_TRY(oc_tensors_new(out, err));
    oc_status status = put_all(*out, graph, weights, names, err);
    if (status == OC_OK) return OC_OK;
    oc_tensors_free(*out);
    *out = NULL;
    return status;
}
