/* The scores that an imported ONNX file gives in our engine, for scripts that compare them.
 * usage: onnx_forward FILE.onnx SIDE IN OUT      floats (n, c, h, w) to floats (n, classes)
 *
 * The recipe's front is undone by the script's own pixels: IN is what the network takes behind it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "interop/interop.h"

static oc_status forward(const oc_model *model, const char *in, const char *out, oc_error *err) {
    char *pixels = NULL;
    size_t size = 0;
    oc_plan *plan = NULL;
    oc_status status = OC_OK;
    const oc_attrs *input = &oc_graph_node(model->graph, 0)->attrs;
    size_t item = (size_t)input->channels * (size_t)input->height * (size_t)input->width;
    OC_TRY(oc_file_read(in, (size_t)1 << 30, &pixels, &size, err));
    int n = (int)(size / sizeof(float) / item);
    const oc_plan_options options = {.mode = OC_MODE_INFER,
                                     .batch = n > 0 ? n : 1,
                                     .height = input->height,
                                     .width = input->width};
    OC_GOTO(oc_plan_new(&plan, NULL, model->graph, &options, err));
    OC_GOTO(oc_plan_import(plan, OC_SLOT_WEIGHTS, model->weights, err));
    OC_GOTO(oc_plan_forward(plan, (const float *)(const void *)pixels, n, 0, NULL, NULL, err));
    size_t scores = (size_t)n * (size_t)oc_graph_classes(model->graph);
    status = oc_file_put(out, oc_plan_output(plan), scores * sizeof(float), err);
done:
    oc_plan_free(plan);
    oc_free(pixels);
    return status;
}

int main(int argc, char **argv) {
    oc_model *model = NULL;
    oc_error err = {0};
    if (argc != 5) return 1;
    oc_status status = oc_model_new(&model, &err);
    if (status == OC_OK)
        status = oc_onnx_import(model, argv[1], (int)strtol(argv[2], NULL, 10), NULL, &err);
    if (status == OC_OK) status = forward(model, argv[3], argv[4], &err);
    if (status == OC_OK) {
        const oc_recipe *r = &model->recipe;
        printf("%d nodes, recipe %dx%d unit %g mean %g %g %g std %g %g %g %s\n",
               oc_graph_node_count(model->graph), r->width, r->height, (double)r->unit,
               (double)r->mean[0], (double)r->mean[1], (double)r->mean[2], (double)r->std[0],
               (double)r->std[1], (double)r->std[2], r->bgr ? "bgr" : "rgb");
    } else {
        fprintf(stderr, "%s\n", err.message);
    }
    oc_model_free(model);
    return status != OC_OK;
}
