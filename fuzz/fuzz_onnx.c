/* Fuzzing the reader of ONNX files: whatever the bytes, it reads nothing beside them, and what it
 * accepts is a network with all its weights.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdint.h>

#include "interop/interop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    oc_model *model = NULL;
    oc_error err = {0};
    if (oc_model_new(&model, &err) != OC_OK) return 0;
    oc_status status = oc_onnx_parse(model, data, size, "fuzz", NULL, 0, NULL, &err);
    OC_PROMISE(status == OC_OK || err.message[0] != '\0');
    if (status == OC_OK) {
        OC_PROMISE(oc_graph_classes(model->graph) > 0);
        for (int i = 0; i < oc_graph_param_count(model->graph); i++)
            OC_PROMISE(oc_tensors_find(model->weights, oc_graph_param(model->graph, i)->name) !=
                       NULL);
    }
    oc_model_free(model);
    return 0;
}
