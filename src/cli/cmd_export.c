/* `ocellus export KIND MODEL -o FILE`: a model as a file of another program.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdio.h>

#include "command_int.h"
#include "export_int.h"

static const char arguments[] = "KIND MODEL -o FILE";

static const oci_export_kind *const kinds[] = {&oci_export_onnx, &oci_export_weights};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *const name_words[] = {"torchvision", "timm", NULL};
static const char *const dtype_words[] = {"f32", "f16", "bf16", NULL};

#define AT(member) offsetof(oci_export_flags, member)

static const oci_option table[] = {
    {"out", 'o', OCI_PATH, AT(out), "FILE", 0, 0, NULL, "the file to write"},
    {"preprocess", 0, OCI_FLAG, AT(preprocess), NULL, 0, 0, NULL,
     "onnx: the graph takes RGB bytes (n, height, width, 3) of the network's size and does the "
     "rest "
     "of the recipe; resizing stays with the client"},
    {"softmax", 0, OCI_FLAG, AT(softmax), NULL, 0, 0, NULL,
     "onnx: a second output, \"probabilities\", calibrated as the model is"},
    {"external-data", 0, OCI_FLAG, AT(external_data), NULL, 0, 0, NULL,
     "onnx: weights in a file of their own, FILE.data (they are above 2 GB in any case)"},
    {"names", 0, OCI_WORD, AT(names), "WHOSE", 0, 0, name_words,
     "weights: of the layers (default torchvision, which are ours)"},
    {"dtype", 0, OCI_WORD, AT(dtype), "TYPE", 0, 0, dtype_words,
     "weights: of the numbers (default f32)"},
    {"json", 0, OCI_FLAG, AT(json), NULL, 0, 0, NULL, "the result as one JSON object"},
    {0}};

static oc_status find_kind(const char *name, const oci_export_kind **out, oc_error *err) {
    const char *names[KINDS + 1] = {0};
    int found = 0;
    for (size_t i = 0; i < KINDS; i++) names[i] = kinds[i]->name;
    OC_TRY(oci_word_find(&found, "export", name, names, err));
    *out = kinds[found];
    return OC_OK;
}

static oc_status tell(const oci_export_kind *kind, const oci_export_flags *f, const oc_model *model,
                      oc_error *err) {
    if (f->json)
        return oci_print_json(json_pack("{s:s,s:o,s:i,s:i,s:i}", "kind", kind->name, "file",
                                        oc_json_text(f->out), "classes", (int)model->classes.count,
                                        "width", model->recipe.width, "height",
                                        model->recipe.height),
                              err);
    oc_buf out = {0};
    oci_put_plain(&out, f->out);
    oc_buf_printf(&out, ": %zu classes, input %d x %d\n", model->classes.count, model->recipe.width,
                  model->recipe.height);
    return oci_print(stdout, &out, err);
}

static oc_status export(const oci_export_kind *kind, const oci_export_flags *flags, oc_error *err) {
    oc_model *model = NULL;
    OC_TRY(oc_model_load(&model, flags->source, err));
    oc_status status = kind->write(flags, model, err);
    if (status == OC_OK) status = tell(kind, flags, model, err);
    oc_model_free(model);
    return status;
}

static oc_status run(oci_call *call, oc_error *err) {
    oci_export_flags flags = {0};
    const oci_export_kind *kind = NULL;
    OC_TRY(oci_options_parse(&call->args, &flags, err));
    OC_TRY(oci_args_expect(&call->args, 2, 2, arguments, err));
    OC_TRY(find_kind(call->args.argv[0], &kind, err));
    flags.source = call->args.argv[1];
    if (!flags.out)
        return oc_fail(err, OC_EUSAGE, "export: where to? give the file to write with -o %s",
                       kind->file);
    return export(kind, &flags, err);
}

const oci_command oci_cmd_export = {
    .name = "export",
    .summary = "a model as a file of other programs",
    .arguments = arguments,
    .details = "KIND is onnx: what ONNX Runtime, browsers and phones run. Names of layers are "
               "kept; recipe and classes stand in the file's metadata.\nOr weights: the tensors "
               "alone as safetensors, for PyTorch's programs.",
    .examples = "  ocellus export onnx model -o model.onnx --preprocess --softmax\n"
                "  ocellus export weights model -o model.safetensors --names timm --dtype f16\n",
    .options = table,
    .run = run};
