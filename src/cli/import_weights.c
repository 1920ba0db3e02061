/* `ocellus import weights FILE`: the weights of a network that the zoo has.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "import_int.h"

#include <string.h>

/* Outputs of the network: rows of its head's weight in the file. */
static int classes_in(const oc_arch *arch, const oc_tensors *weights) {
    oc_graph *graph = NULL;
    int classes = 0;
    if (oc_arch_build(arch, &graph, 3, 1000, arch->size, arch->size, NULL) != OC_OK) return 0;
    int head = oc_graph_head(graph);
    const oc_param *param = oc_graph_param(graph, oc_graph_node(graph, head)->first_param);
    const oc_tensor *t = oc_tensors_find(weights, param->name);
    if (t != NULL && t->shape.rank > 0 && t->shape.dim[0] <= INT32_MAX)
        classes = (int)t->shape.dim[0];
    oc_graph_free(graph);
    return classes;
}

static oc_status choose_arch(const oci_import_flags *flags, const oc_tensors *weights,
                             const oc_arch **arch, oc_error *err) {
    if (flags->arch != NULL) return oc_zoo_find(flags->arch, arch, err);
    *arch = oc_zoo_recognise(weights);
    if (*arch != NULL) return OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED,
                   "%s: the layers are those of no network known here; name one with --arch",
                   flags->source);
}

static oc_status fill(const oci_import_flags *flags, const oc_tensors *weights, oc_model *model,
                      oc_error *err) {
    const oc_arch *arch = NULL;
    OC_TRY(choose_arch(flags, weights, &arch, err));
    int classes = classes_in(arch, weights);
    int size = flags->size > 0 ? flags->size : arch->size;
    if (classes < 1) {
        return oc_fail(err, OC_EMISMATCH,
                       "%s: no head of %s in it, so it names nothing yet: train one with "
                       "`ocellus train PHOTOS --from %s`",
                       flags->source, arch->name, flags->source);
    }
    OC_TRY(oc_arch_build(arch, &model->graph, 3, classes, size, size, err));
    OC_TRY(oc_tensors_new(&model->weights, err));
    model->arch = oc_strdup(arch->name);
    if (model->arch == NULL) return oc_fail_nomem(err, strlen(arch->name), "a name");
    oc_status status = oc_weights_fit(model->graph, weights, false, model->weights, NULL, err);
    return status == OC_OK ? OC_OK : oc_error_context(err, status, "%s", flags->source);
}

static oc_status read_weights(const oci_import_flags *flags, oc_model *model, oc_error *err) {
    oc_safetensors *file = NULL;
    OC_TRY(oc_safetensors_open(&file, flags->source, err));
    oc_status status = fill(flags, oc_safetensors_tensors(file), model, err);
    oc_safetensors_close(file);
    return status;
}

const oci_import_kind oci_import_weights = {
    .name = "weights", .needs = "FILE.safetensors", .read = read_weights};
