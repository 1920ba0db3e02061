/* README.md of a model folder: the card that tells a stranger what the model is for, what it
 * learned from, how good it is, and how to run it. Says only what is known; what is not, it says
 * so.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>

#include "model/model_int.h"

enum { MAX_LISTED_CLASSES = 1000 };

/* A byte from outside inside a Markdown table or line: nothing of it is markup. */
static void put_byte(oc_buf *out, char byte) {
    if ((unsigned char)byte < 0x20) byte = ' ';
    if (strchr("\\`*_[]<>|#&", byte) != NULL) oc_buf_puts(out, "\\");
    oc_buf_append(out, &byte, 1);
}

static void put_plain(oc_buf *out, const char *text) {
    for (; *text != '\0'; text++) put_byte(out, *text);
}

/* "data_digest" is "data digest" to people. */
static void put_key(oc_buf *out, const char *key) {
    for (; *key != '\0'; key++) put_byte(out, *key == '_' ? ' ' : *key);
}

static void put_value(oc_buf *out, const json_t *value) {
    char text[64];
    switch (json_typeof(value)) {
    case JSON_STRING:
        put_plain(out, json_string_value(value));
        break;
    case JSON_INTEGER:
        oc_buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        (void)snprintf(text, sizeof text, "%.6g", json_real_value(value));
        oc_buf_puts(out, text);
        break;
    case JSON_TRUE:
        oc_buf_puts(out, "yes");
        break;
    case JSON_FALSE:
        oc_buf_puts(out, "no");
        break;
    default:
        oc_buf_printf(out, "(%zu entries)",
                      json_is_array(value) ? json_array_size(value) : json_object_size(value));
    }
}

/* Rows "| name | value |". The members of an object within get rows of their own, but for those
 * that `parent`, the object around, has told already. */
static void put_rows(oc_buf *out, const json_t *o, const json_t *parent) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)o, key, value) {
        if (json_is_null(value) || json_object_get(parent, key) != NULL) continue;
        if (json_is_object(value) && parent == NULL) {
            put_rows(out, value, o);
            continue;
        }
        oc_buf_puts(out, "| ");
        put_key(out, key);
        oc_buf_puts(out, " | ");
        put_value(out, value);
        oc_buf_puts(out, " |\n");
    }
}

static void put_origin(oc_buf *out, const oc_model *model) {
    oc_buf_puts(out, "## Data and training\n\n");
    if (model->origin == NULL || json_object_size(model->origin) == 0) {
        oc_buf_puts(out, "Not recorded.\n\n");
        return;
    }
    oc_buf_puts(out, "| | |\n|---|---|\n");
    put_rows(out, model->origin, NULL);
    oc_buf_puts(out, "\n");
}

static double number_of(const json_t *o, const char *key) {
    return json_number_value(json_object_get(o, key)); /* 0 when it is none */
}

static void put_percent(oc_buf *out, const char *name, double value) {
    oc_buf_printf(out, "| %s | %.1f %% |\n", name, 100 * value);
}

static void put_scores(oc_buf *out, const json_t *metrics) {
    const json_t *interval = json_object_get(metrics, "accuracy_interval");
    oc_buf_puts(out, "| | |\n|---|---|\n");
    oc_buf_printf(out, "| photos scored | %.0f |\n", number_of(metrics, "n"));
    oc_buf_printf(out, "| accuracy | %.1f %%", 100 * number_of(metrics, "accuracy"));
    if (json_array_size(interval) == 2) {
        oc_buf_printf(out, " (95 %% interval %.1f to %.1f %%)",
                      100 * json_number_value(json_array_get(interval, 0)),
                      100 * json_number_value(json_array_get(interval, 1)));
    }
    oc_buf_puts(out, " |\n");
    put_percent(out, "right name among the first five", number_of(metrics, "top5"));
    put_percent(out, "macro precision", number_of(metrics, "macro_precision"));
    put_percent(out, "macro recall", number_of(metrics, "macro_recall"));
    put_percent(out, "macro F1", number_of(metrics, "macro_f1"));
    oc_buf_printf(out, "| negative log-likelihood | %.4f |\n", number_of(metrics, "nll"));
    put_percent(out, "expected calibration error", number_of(metrics, "ece"));
    oc_buf_puts(out, "\n");
}

static void put_class_row(oc_buf *out, const json_t *row) {
    const char *label = json_string_value(json_object_get(row, "label"));
    oc_buf_puts(out, "| ");
    put_plain(out, label != NULL ? label : "?");
    oc_buf_printf(out, " | %.0f | %.1f | %.1f | %.1f |\n", number_of(row, "n"),
                  100 * number_of(row, "precision"), 100 * number_of(row, "recall"),
                  100 * number_of(row, "f1"));
}

static void put_metrics(oc_buf *out, const oc_model *model) {
    oc_buf_puts(out, "## How good it is\n\n");
    if (model->metrics == NULL) {
        oc_buf_puts(out, "Not measured yet: `ocellus eval MODEL DATA` does.\n\n");
        return;
    }
    put_scores(out, model->metrics);
    const json_t *rows = json_object_get(model->metrics, "per_class");
    size_t count = json_array_size(rows);
    if (count == 0) return;
    oc_buf_puts(out,
                "| class | photos | precision % | recall % | F1 % |\n|---|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < count && i < MAX_LISTED_CLASSES; i++) {
        put_class_row(out, json_array_get(rows, i));
    }
    if (count > MAX_LISTED_CLASSES) {
        oc_buf_printf(out, "\n%zu further classes are in `metrics.json`.\n",
                      count - MAX_LISTED_CLASSES);
    }
    oc_buf_puts(out, "\n");
}

static void put_certainty(oc_buf *out, const oc_model *model) {
    if (!(model->threshold > 0)) return;
    oc_buf_printf(
        out,
        "## Certainty\n\nProbabilities are calibrated (temperature %.3g). An answer with a "
        "probability below %.3g counts as unknown: at least 95 %% of the held-out photos "
        "that it names rightly are above that.\n\n",
        model->temperature, model->threshold);
}

static void put_classes(oc_buf *out, const oc_classes *classes) {
    if (classes->count == 0) return;
    oc_buf_printf(out, "## Classes\n\n%zu: ", classes->count);
    for (size_t i = 0; i < classes->count && i < MAX_LISTED_CLASSES; i++) {
        const oc_class *c = &classes->items[i];
        if (i > 0) oc_buf_puts(out, ", ");
        put_plain(out, c->display != NULL ? c->display : c->label);
    }
    if (classes->count > MAX_LISTED_CLASSES) oc_buf_puts(out, ", ... (all are in `config.json`)");
    oc_buf_puts(out, ".\n\n");
}

static void put_input(oc_buf *out, const oc_recipe *r) {
    oc_buf_printf(out, "## Input\n\n%d x %d pixels, %s. ", r->width, r->height,
                  r->channels == 1 ? "grey" : "colour");
    if (r->fit == OC_FIT_CROP) {
        oc_buf_printf(out,
                      "A photo is turned upright, its short side resized to %d (%s), and the "
                      "centre cut out. ",
                      r->resize_side, oc_filter_name(r->filter));
    } else {
        oc_buf_printf(out, "A photo is turned upright and resized (%s", oc_filter_name(r->filter));
        if (r->resize_width > 0)
            oc_buf_printf(out, ", to %d x %d", r->resize_width, r->resize_height);
        oc_buf_printf(out, ") without keeping its proportions%s. ",
                      r->resize_width > 0 ? ", and the centre cut out" : "");
    }
    oc_buf_puts(out, "The exact recipe is in `config.json`; every command replays it.\n\n");
}

/* What it says of a photo that shows none of its classes. */
static void put_limits(oc_buf *out, const oc_model *model) {
    oc_buf_puts(out, "## Intended use and limits\n\n"
                     "It tells apart the classes above on photos like those it was trained on. ");
    if (model->threshold > 0)
        oc_buf_printf(out,
                      "A best name below %.0f %% is answered as unknown; a photo of something else "
                      "may yet get one above that. ",
                      100 * model->threshold);
    else
        oc_buf_puts(out, "It always answers with one of its classes, also when a photo shows none "
                         "of them: take a low probability as \"I do not know\". ");
    oc_buf_puts(out, "Do not use it for decisions about people, or where a mistake does harm, "
                     "without a person who checks.\n\n");
}

static void put_use(oc_buf *out, const oc_model *model, const char *folder) {
    const char *name = oc_path_base(folder);
    if (name[0] == '\0') name = "MODEL";
    if (model->classes.count == 0) {
        oc_buf_printf(
            out,
            "## Intended use\n\nIt gives features and names nothing: a head is trained on "
            "it.\n\n```\nocellus train PHOTOS --from %s -o NEW\n```\n",
            name);
        return;
    }
    put_limits(out, model);
    oc_buf_puts(out, "## How to run it\n\n```\n");
    oc_buf_printf(out, "ocellus predict %s photo.jpg\n", name);
    oc_buf_printf(out, "ocellus eval %s DATA --report report.html\n```\n", name);
}

/* What it is, in a sentence. */
static void put_kind(oc_buf *out, const oc_model *model) {
    int last = oc_graph_node_count(model->graph) - 1;
    if (model->classes.count > 0) {
        oc_buf_printf(out, "\n\nAn image classifier of %zu classes", model->classes.count);
    } else {
        oc_buf_puts(out, "\n\nThe body of an image classifier, up to its layer ");
        put_plain(out, oc_graph_node(model->graph, last)->name);
    }
    if (model->arch != NULL) {
        oc_buf_puts(out, ", network ");
        put_plain(out, model->arch);
    }
    oc_buf_puts(out, ", made with ocellus " OC_VERSION ".\n\n");
}

void oci_card(oc_buf *out, const oc_model *model, const char *folder) {
    oc_buf_puts(out, "# ");
    put_plain(out, oc_path_base(folder)[0] != '\0' ? oc_path_base(folder) : "Image classifier");
    put_kind(out, model);
    put_origin(out, model);
    if (model->classes.count > 0) put_metrics(out, model);
    put_certainty(out, model);
    put_classes(out, &model->classes);
    put_input(out, &model->recipe);
    put_use(out, model, folder);
}
