/* `ocellus info MODEL` or `--arch A`: what a network is made of and how good it is.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

#include "command_int.h"
#include "info_int.h"
#include "model/model.h"
#include "zoo/zoo.h"

static const char arguments[] = "[MODEL | --arch A [--size S] [--classes N]] [--batch B]";

enum { IMAGENET_CLASSES = 1000, SHOWN_CLASSES = 40 };

typedef struct info_flags {
    const char *arch;
    int size, classes, batch;
    bool all, no_speed, json;
} info_flags;

#define AT(member) offsetof(info_flags, member)

static const oci_option table[] = {
    {"arch", 0, OCI_TEXT, AT(arch), "A", 0, 0, NULL, "a network by name instead of a model"},
    {"size", 's', OCI_INT, AT(size), "S", 1, 4096, NULL,
     "side of the input (default: the network's)"},
    {"classes", 'c', OCI_INT, AT(classes), "N", 1, 10000000, NULL,
     "with --arch: outputs (default 1000)"},
    {"batch", 'b', OCI_INT, AT(batch), "B", 1, 65536, NULL,
     "images at a time, for memory and speed (default 32)"},
    {"no-speed", 0, OCI_FLAG, AT(no_speed), NULL, 0, 0, NULL,
     "without the estimate of images/s, for which the network runs a moment"},
    {"all", 'a', OCI_FLAG, AT(all), NULL, 0, 0, NULL,
     "every node, activations and normalisations too"},
    {"json", 0, OCI_FLAG, AT(json), NULL, 0, 0, NULL, "as one JSON object"},
    {0}};

/* What is shown: a graph, and the model around it or the family it comes from. */
typedef struct subject {
    const oc_graph *graph;
    const oc_model *model; /* NULL for a bare architecture */
    const oc_arch *arch;   /* NULL for a network that is none of the zoo */
    oci_layers layers;
    oci_cost cost;
} subject;

/* Classes, or the channels of features. */
static int outputs_of(const subject *s) {
    bool body = s->model && s->model->classes.count == 0;
    return body ? oc_graph_channels(s->graph, oc_graph_node_count(s->graph) - 1)
                : oc_graph_classes(s->graph);
}

static void text_totals(const subject *s, oc_buf *out) {
    char parameters[32], bytes[16];
    oc_buf_printf(out, "%s parameters (%s as a file), %.3g G multiply-adds an image, %d outputs\n",
                  oci_format_count(parameters, s->layers.parameters),
                  oc_format_bytes(bytes, s->layers.file_bytes), (double)s->layers.macs / 1e9,
                  outputs_of(s));
    oc_buf_printf(out, "input of %d x %d; the smallest square one is %d x %d\n", s->layers.width,
                  s->layers.height, oc_graph_smallest(s->graph), oc_graph_smallest(s->graph));
}

static void put_recipe(const oc_recipe *r, oc_buf *out) {
    oc_buf_printf(out, "input: %d x %d %s, ", r->width, r->height,
                  r->channels == 1 ? "grey"
                  : r->bgr         ? "BGR"
                                   : "RGB");
    if (r->fit == OC_FIT_CROP)
        oc_buf_printf(out, "short side to %d and centre crop, ", r->resize_side);
    else if (r->resize_width > 0)
        oc_buf_printf(out, "squashed to %d x %d and centre crop, ", r->resize_width,
                      r->resize_height);
    else
        oc_buf_puts(out, "squashed, ");
    oc_buf_printf(out, "%s, / %g, mean %.4g %.4g %.4g, deviation %.4g %.4g %.4g",
                  oc_filter_name(r->filter), (double)r->unit, (double)r->mean[0],
                  (double)r->mean[1], (double)r->mean[2], (double)r->std[0], (double)r->std[1],
                  (double)r->std[2]);
}

static void text_recipe(const oc_recipe *r, int width, oc_buf *out) {
    oc_buf line = {0};
    put_recipe(r, &line);
    if (line.failed)
        out->failed = true;
    else
        oci_wrap(out, line.data, 0, 2, width);
    oc_buf_clear(&line);
}

static void text_metrics(const json_t *metrics, oc_buf *out) {
    if (!json_is_object(metrics)) {
        oc_buf_puts(out, "accuracy: never measured; see `ocellus eval`\n");
        return;
    }
    oc_buf_printf(
        out, "accuracy: %.1f %% of %.0f photos (macro F1 %.3f, negative log-likelihood %.3f)\n",
        100 * json_number_value(json_object_get(metrics, "accuracy")),
        json_number_value(json_object_get(metrics, "n")),
        json_number_value(json_object_get(metrics, "macro_f1")),
        json_number_value(json_object_get(metrics, "nll")));
}

static void text_classes(const oc_classes *classes, const oci_term *term, oc_buf *out) {
    oc_buf list = {0};
    if (classes->count == 0) {
        oc_buf_puts(out, "no classes: a body, to train a head on with `ocellus train --from`\n");
        return;
    }
    oc_buf_printf(&list, "%zu classes:", classes->count);
    for (size_t i = 0; i < classes->count && i < SHOWN_CLASSES; i++) {
        const oc_class *c = &classes->items[i];
        oc_buf_puts(&list, " ");
        oci_put_plain(&list, c->display ? c->display : c->label);
        if (i + 1 < classes->count) oc_buf_puts(&list, ",");
    }
    if (classes->count > SHOWN_CLASSES)
        oc_buf_printf(&list, " ... (%zu more)", classes->count - SHOWN_CLASSES);
    if (!list.failed) oci_wrap(out, list.data, 0, 2, term->width < 60 ? 60 : term->width);
    oc_buf_clear(&list);
}

static void text_model(const oc_model *m, const oci_term *term, oc_buf *out) {
    text_recipe(&m->recipe, term->width, out);
    text_classes(&m->classes, term, out);
    oc_buf_printf(out, "temperature of calibration: %.3g\n", m->temperature);
    if (m->threshold > 0)
        oc_buf_printf(out, "unknown: an answer with p below %.3g\n", m->threshold);
    const char *command = json_string_value(json_object_get(m->origin, "command"));
    const char *date = json_string_value(json_object_get(m->origin, "date"));
    if (command)
        oc_buf_printf(out, "made by: %s%s%s\n", command, date ? ", " : "", date ? date : "");
    if (m->classes.count > 0) text_metrics(m->metrics, out);
}

/* Lines are broken for a terminal only. */
static int width_of(const oci_term *term) {
    return isatty(STDOUT_FILENO) ? term->width : INT_MAX;
}

static oc_status print_text(const subject *s, const info_flags *flags, const oci_term *term,
                            oc_error *err) {
    oc_buf out = {0};
    int width = width_of(term);
    oc_status status = oci_layers_text(&s->layers, flags->all, width, &out, err);
    if (status != OC_OK) {
        oc_buf_clear(&out);
        return status;
    }
    oc_buf_puts(&out, "\n");
    if (s->arch) oc_buf_printf(&out, "%s: %s\n", s->arch->name, s->arch->summary);
    text_totals(s, &out);
    oc_buf_puts(&out, "\n");
    oci_cost_text(&s->cost, &out);
    if (s->model) oc_buf_puts(&out, "\n");
    if (s->model) text_model(s->model, term, &out);
    return oci_print(stdout, &out, err);
}

static json_t *classes_json(const oc_classes *classes) {
    json_t *array = json_array();
    int bad = 0;
    for (size_t i = 0; i < classes->count; i++)
        bad |= json_array_append_new(
            array, json_pack("{s:s,s:s*,s:s*}", "label", classes->items[i].label, "display",
                             classes->items[i].display, "id", classes->items[i].id));
    if (!bad) return array;
    json_decref(array);
    return NULL;
}

static oc_status print_json(const subject *s, oc_error *err) {
    json_t *recipe = NULL;
    if (s->model) OC_TRY(oc_recipe_to_json(&s->model->recipe, &recipe, err));
    json_t *o = json_pack(
        "{s:s*,s:I,s:I,s:I,s:[i,i],s:i,s:i,s:o,s:o}", "arch", s->arch ? s->arch->name : NULL,
        "parameters", (json_int_t)s->layers.parameters, "multiply_adds", (json_int_t)s->layers.macs,
        "file_bytes", (json_int_t)s->layers.file_bytes, "input", s->layers.height, s->layers.width,
        "outputs", outputs_of(s), "smallest_input", oc_graph_smallest(s->graph), "layers",
        oci_layers_json(&s->layers), "cost", oci_cost_json(&s->cost));
    int bad = !o;
    if (s->model) {
        bad |= json_object_set_new(o, "recipe", recipe);
        bad |= json_object_set_new(o, "classes", classes_json(&s->model->classes));
        bad |= json_object_set_new(o, "temperature", oc_json_real(s->model->temperature));
        if (s->model->threshold > 0)
            bad |= json_object_set_new(o, "threshold", oc_json_real(s->model->threshold));
        if (s->model->origin) bad |= json_object_set(o, "origin", s->model->origin);
        if (s->model->metrics) bad |= json_object_set(o, "metrics", s->model->metrics);
    }
    if (bad) {
        json_decref(o);
        o = NULL;
    }
    return oci_print_json(o, err);
}

static oc_status show(subject *s, const info_flags *flags, int height, int width,
                      const oci_term *term, oc_error *err) {
    if (flags->size) height = width = flags->size;
    oc_status status = OC_OK;
    OC_GOTO(oci_layers_make(&s->layers, s->graph, height, width, err));
    OC_GOTO(
        oci_cost_estimate(&s->cost, s->graph, height, width, flags->batch, !flags->no_speed, err));
    status = flags->json ? print_json(s, err) : print_text(s, flags, term, err);
done:
    oci_layers_clear(&s->layers);
    return status;
}

static oc_status show_model(const char *folder, const info_flags *flags, const oci_term *term,
                            oc_error *err) {
    oc_model *model = NULL;
    OC_TRY(oc_model_load_body(&model, folder, err));
    subject s = {.graph = model->graph, .model = model};
    if (model->arch && oc_zoo_find(model->arch, &s.arch, NULL) != OC_OK) s.arch = NULL;
    oc_status status = show(&s, flags, model->recipe.height, model->recipe.width, term, err);
    oc_model_free(model);
    return status;
}

static oc_status show_arch(const info_flags *flags, const oci_term *term, oc_error *err) {
    subject s = {0};
    oc_graph *graph = NULL;
    OC_TRY(oc_zoo_find(flags->arch, &s.arch, err));
    int size = flags->size ? flags->size : s.arch->size;
    int classes = flags->classes ? flags->classes : IMAGENET_CLASSES;
    OC_TRY(oc_arch_build(s.arch, &graph, 3, classes, size, size, err));
    s.graph = graph;
    oc_status status = show(&s, flags, size, size, term, err);
    oc_graph_free(graph);
    return status;
}

static oc_status run(oci_call *call, oc_error *err) {
    info_flags flags = {.batch = 32};
    OC_TRY(oci_options_parse(&call->args, &flags, err));
    if (!flags.arch && call->args.count == 0)
        return oci_print_networks(flags.json, width_of(call->term), err);
    if (!flags.arch) {
        OC_TRY(oci_args_expect(&call->args, 1, 1, arguments, err));
        return show_model(call->args.argv[0], &flags, call->term, err);
    }
    OC_TRY(oci_args_expect(&call->args, 0, 0, arguments, err));
    return show_arch(&flags, call->term, err);
}

const oci_command oci_cmd_info = {
    .name = "info",
    .summary = "layers, shapes, costs, classes and accuracy of a model or a network",
    .arguments = arguments,
    .details =
        "Without a model or a network it lists the networks that can be trained. Memory is what a "
        "plan would hold, training with momentum. Images a second are an estimate from short runs "
        "on fewer images; `ocellus bench` measures.",
    .examples = "  ocellus info model\n"
                "  ocellus info --arch resnet18 --size 160 --classes 17\n",
    .options = table,
    .run = run};
