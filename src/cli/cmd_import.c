/* `ocellus import KIND ...`: a model folder from files of other programs.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>
#include <stdio.h>

#include "command_int.h"
#include "import_int.h"
#include "progress_int.h"
#include "triple_int.h"

static const char arguments[] = "KIND [FILE] -o MODEL [--labels NAMES]";

static const oci_import_kind *const kinds[] = {&oci_import_weights, &oci_import_caffe,
                                               &oci_import_onnx};
enum { KINDS = sizeof kinds / sizeof *kinds };

static const char *const fit_words[] = {"crop", "squash", NULL};
static const char *const filter_words[] = {"nearest", "bilinear", "bicubic", NULL};
static const char *const order_words[] = {"rgb", "bgr", NULL};

#define AT(member) offsetof(oci_import_flags, member)

static const oci_option table[] = {
    {"out", 'o', OCI_PATH, AT(out), "MODEL", 0, 0, NULL, "the model folder to write"},
    {"labels", 0, OCI_PATH, AT(labels), "NAMES", 0, 0, NULL,
     "names of the outputs, a line each, such as synset_words.txt (default: numbers)"},
    {"cut", 0, OCI_TEXT, AT(cut), "LAYER", 0, 0, NULL,
     "keep the network up to this layer, without classes: a start for `ocellus train --from`"},
    {"arch", 0, OCI_TEXT, AT(arch), "A", 0, 0, NULL,
     "weights: the network that they belong to (default: judged by the layers' names)"},
    {"net", 0, OCI_PATH, AT(net), "FILE", 0, 0, NULL, "caffe: the network, deploy.prototxt"},
    {"weights", 0, OCI_PATH, AT(weights), "FILE", 0, 0, NULL, "caffe: its .caffemodel"},
    {"strip-prefix", 0, OCI_TEXT, AT(prefix), "P", 0, 0, NULL,
     "weights: taken off the names of tensors; those without it are left out"},
    {"report", 'v', OCI_FLAG, AT(report), NULL, 0, 0, NULL,
     "weights: a line for each tensor, not for the first ten of each trouble alone"},
    {"size", 's', OCI_INT, AT(size), "S", 1, 4096, NULL,
     "side of the input in pixels (default: the network's)"},
    {"resize", 0, OCI_INT, AT(resize), "S", 1, 8192, NULL,
     "shorter side before the centre crop (default: size * 256/224); with --fit squash both sides"},
    {"fit", 0, OCI_WORD, AT(fit), "RULE", 0, 0, fit_words,
     "short side and centre crop, or the whole photo out of shape"},
    {"filter", 0, OCI_WORD, AT(filter), "F", 0, 0, filter_words, "of resizing"},
    {"order", 0, OCI_WORD, AT(order), "ORDER", 0, 0, order_words, "of the colour channels"},
    {"unit", 0, OCI_REAL, AT(unit), "U", 1, 255, NULL,
     "pixels are divided by it first: 255 or 1 (default 255)"},
    {"mean", 0, OCI_PATH, AT(mean), "R,G,B", 0, 0, NULL,
     "subtracted behind that (default: ImageNet's); caffe: a mean.binaryproto, or B,G,R of 0 to "
     "255 "
     "(default: what the network says)"},
    {"std", 0, OCI_TEXT, AT(std), "R,G,B", 0, 0, NULL, "and then divided by (default: ImageNet's)"},
    {"json", 0, OCI_FLAG, AT(json), NULL, 0, 0, NULL, "the result as one JSON object"},
    {0}};

static oc_status find_kind(const char *name, const oci_import_kind **out, oc_error *err) {
    const char *names[KINDS + 1] = {0};
    int found = 0;
    for (size_t i = 0; i < KINDS; i++) names[i] = kinds[i]->name;
    OC_TRY(oci_word_find(&found, "import", name, names, err));
    *out = kinds[found];
    return OC_OK;
}

/* The size before the centre crop: of the shorter side, or, out of shape, of both. */
static oc_status set_fit(const oci_import_flags *f, oc_recipe *r, oc_error *err) {
    oc_fit before = r->fit;
    if (f->resize > 0 && (f->resize < r->width || f->resize < r->height)) {
        return oc_fail(err, OC_EUSAGE, "--resize %d: less than the network's input, %d x %d",
                       f->resize, r->width, r->height);
    }
    if (f->fit >= 0) r->fit = f->fit == 1 ? OC_FIT_SQUASH : OC_FIT_CROP;
    if (r->fit == OC_FIT_SQUASH) {
        if (f->resize > 0) r->resize_width = r->resize_height = f->resize;
        return OC_OK;
    }
    r->resize_width = r->resize_height = 0;
    if (before != r->fit) r->resize_side = oc_recipe_default(r->width, r->height).resize_side;
    if (f->resize > 0) r->resize_side = f->resize;
    return OC_OK;
}

/* What the files did not say: the usual; what the options say wins over both. */
static oc_status set_recipe(const oci_import_kind *kind, const oci_import_flags *f, oc_model *model,
                            oc_error *err) {
    const oc_attrs *input = &oc_graph_node(model->graph, 0)->attrs;
    oc_recipe *r = &model->recipe;
    if (r->width == 0) {
        *r = oc_recipe_default(input->width, input->height);
        r->channels = input->channels;
    }
    OC_TRY(set_fit(f, r, err));
    if (f->filter >= 0 && !oc_filter_parse(filter_words[f->filter], &r->filter))
        return oc_fail(err, OC_EINTERNAL, "no filter %s", filter_words[f->filter]);
    if (f->order >= 0) r->bgr = f->order == 1;
    if (f->unit > 0) r->unit = (float)f->unit;
    if (f->mean && !kind->reads_mean)
        OC_TRY(oci_parse_triple("mean", f->mean, -1e4, 1e4, r->mean, err));
    if (f->std) OC_TRY(oci_parse_triple("std", f->std, 1e-6, 1e4, r->std, err));
    return OC_OK;
}

static oc_status set_classes(const oci_import_flags *f, oc_model *model, oc_error *err) {
    if (f->cut) {
        oc_classes_clear(&model->classes);
        return OC_OK;
    }
    size_t outputs = (size_t)oc_graph_classes(model->graph);
    if (f->labels) {
        oc_classes_clear(&model->classes);
        OC_TRY(oc_labels_read(&model->classes, f->labels, err));
    }
    if (model->classes.count == 0) return oc_labels_numbered(&model->classes, outputs, err);
    if (model->classes.count == outputs) return OC_OK;
    return oc_fail(err, OC_EMISMATCH, "%s: %zu names, but the network has %zu outputs",
                   f->labels ? f->labels : "the file", model->classes.count, outputs);
}

static json_t *result_json(const oci_import_flags *f, const oc_model *model) {
    json_t *o = json_pack("{s:o,s:s?,s:i,s:i,s:i}", "model", oc_json_text(f->out), "arch",
                          model->arch, "classes", (int)model->classes.count, "width",
                          model->recipe.width, "height", model->recipe.height);
    if (o != NULL && json_object_update(o, f->extra) == 0) return o;
    json_decref(o);
    return NULL;
}

static void put_outputs(oc_buf *out, const oci_import_flags *f, const oc_model *model, bool named) {
    if (!f->cut) {
        oc_buf_printf(out, "%zu classes%s", model->classes.count,
                      named ? "" : " (no names: give --labels)");
        return;
    }
    oc_buf_puts(out, "features of ");
    oci_put_plain(out, f->cut);
    oc_buf_puts(out, " (train a head with `ocellus train PHOTOS --from ");
    oci_put_plain(out, f->out);
    oc_buf_puts(out, " -o MODEL`)");
}

static oc_status tell(const oci_import_flags *f, const oc_model *model, bool named, oc_error *err) {
    if (f->json) return oci_print_json(result_json(f, model), err);
    oc_buf out = {0};
    oci_put_plain(&out, f->out);
    oc_buf_printf(&out, ": %s%s%d nodes, ", model->arch ? model->arch : "", model->arch ? ", " : "",
                  oc_graph_node_count(model->graph));
    put_outputs(&out, f, model, named);
    oc_buf_printf(&out, ", input %d x %d\n", model->recipe.width, model->recipe.height);
    return oci_print(stdout, &out, err);
}

static oc_status import(const oci_import_kind *kind, const oci_import_flags *flags, oc_error *err) {
    oc_model *model = NULL;
    oc_status status = OC_OK;
    OC_TRY(oc_model_new(&model, err));
    OC_GOTO(kind->read(flags, model, err));
    OC_GOTO(oci_import_cut(flags, &model->graph, err));
    bool named = flags->labels != NULL || model->classes.count > 0;
    OC_GOTO(set_recipe(kind, flags, model, err));
    OC_GOTO(set_classes(flags, model, err));
    OC_GOTO(oc_model_save(model, flags->out, err));
    status = tell(flags, model, named, err);
done:
    oc_model_free(model);
    return status;
}

static oc_status run(oci_call *call, oc_error *err) {
    oci_import_flags flags = {.fit = -1, .filter = -1, .order = -1};
    const oci_import_kind *kind = NULL;
    OC_TRY(oci_options_parse(&call->args, &flags, err));
    OC_TRY(oci_args_expect(&call->args, 1, 2, arguments, err));
    OC_TRY(find_kind(call->args.argv[0], &kind, err));
    if (call->args.count > 1) flags.source = call->args.argv[1];
    if (!flags.source && kind->needs)
        return oc_fail(err, OC_EUSAGE, "import %s: which file? give %s", kind->name, kind->needs);
    if (!flags.out)
        return oc_fail(err, OC_EUSAGE, "import: where to? give the folder to write with -o MODEL");
    if (flags.cut && flags.labels)
        return oc_fail(err, OC_EUSAGE,
                       "import: --labels are names of outputs, of which --cut %s leaves none: give "
                       "one of both",
                       flags.cut);
    oci_progress progress = {.term = call->term};
    const oc_log log = {.write = oci_progress_log, .ctx = &progress};
    flags.log = &log;
    flags.extra = json_object();
    if (flags.extra == NULL) return oc_fail_nomem(err, 0, "a result");
    oc_status status = import(kind, &flags, err);
    json_decref(flags.extra);
    return status;
}

const oci_command oci_cmd_import = {
    .name = "import",
    .summary = "a model from files of other programs",
    .arguments = arguments,
    .details =
        "KIND is weights: the weights of a network that `ocellus info` lists, as .safetensors, "
        "PyTorch's .pth or Keras' .h5, under torchvision's, timm's or Keras' names.\nOr caffe: a "
        "network of Caffe with its weights, --net and --weights.\nOr onnx: a classifier that "
        "PyTorch, timm, Keras or `ocellus export` wrote.\nWhat comes out is a model like one that "
        "was trained here.",
    .examples = "  ocellus import weights squeezenet1_1.safetensors --labels imagenet-classes.txt "
                "-o model\n"
                "  ocellus import caffe --net deploy.prototxt --weights bvlc_alexnet.caffemodel "
                "--mean imagenet_mean.binaryproto --labels synset_words.txt -o model\n"
                "  ocellus import onnx resnet18.onnx --labels imagenet-classes.txt -o model\n",
    .options = table,
    .run = run};
