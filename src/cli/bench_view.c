/* What `ocellus bench --layers` shows: each layer beside its own roofline, then sums by kind.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "bench_int.h"
#include "term_int.h"

enum { NAME_COLUMNS = 26, PASS_COLUMNS = 19 };
static const char *const pass_words[] = {"forward", "backward data", "backward weights"};
static const char *const pass_keys[] = {"forward", "backward_data", "backward_weights"};

/* Kinds are shown alone, without a row of their own, where no layer is behind them. */
static bool is_layer(const oci_layer_time *layer) {
    return strcmp(layer->kind, "update") != 0 && strcmp(layer->kind, "other") != 0;
}

/* "   12.34  210  81 %m": blank where there is nothing to say. */
static void put_pass(const oci_pass_time *t, oc_buf *out) {
    if (t->seconds <= 0) {
        oc_buf_printf(out, "%*s", PASS_COLUMNS, "");
        return;
    }
    oc_buf_printf(out, "%8.2f", 1e3 * t->seconds);
    if (t->flops > 0)
        oc_buf_printf(out, "%5.0f", t->flops / t->seconds / 1e9);
    else
        oc_buf_printf(out, "%5s", "");
    if (t->bound > 0 && t->bound < 10 * t->seconds) /* beyond: the pass had nothing to do */
        oc_buf_printf(out, "%4.0f%%%c", 100 * t->bound / t->seconds, t->by_memory ? 'm' : ' ');
    else
        oc_buf_printf(out, "%6s", "");
}

static void put_heading(const char *title, int passes, oc_buf *out) {
    oc_buf_printf(out, "  %-*s", NAME_COLUMNS, title);
    for (int k = 0; k < passes; k++) oc_buf_printf(out, "%*s", PASS_COLUMNS, pass_words[k]);
    oc_buf_printf(out, "%9s%7s  kernel\n", "lost", "step");
}

static void put_layer(const oci_layer_time *layer, int passes, double total, oc_buf *out) {
    oc_buf_puts(out, "  ");
    oci_put_padded(out, layer->name, NAME_COLUMNS, false);
    for (int k = 0; k < passes; k++) put_pass(&layer->pass[k], out);
    oc_buf_printf(out, "%9.2f%5.1f %%  %s\n", 1e3 * layer->lost, 100 * layer->seconds / total,
                  layer->kernel ? layer->kernel : "");
}

static void put_sum(const char *name, const oci_layer_time *sum, double total, oc_buf *out) {
    oc_buf_printf(out, "  %-14s%11.2f%11.2f%11.2f%8.1f %%", name, 1e3 * sum->seconds,
                  1e3 * sum->bound, 1e3 * sum->lost, 100 * sum->seconds / total);
    if (sum->flops > 0) oc_buf_printf(out, "%9.0f", sum->flops / sum->seconds / 1e9);
    oc_buf_puts(out, "\n");
}

static void put_notes(const oci_peak *peak, oc_buf *out) {
    oc_buf_printf(
        out,
        "\n"
        "  %%: the roofline's share of the time. It is the longer of the layer's multiply-adds at\n"
        "  %.1f GFLOP/s and (m) its inputs, outputs and parameters, once each, at %.1f GB/s.\n"
        "  lost: time beyond it. Winograd convolutions multiply less often than is counted, and\n"
        "  what is still in cache need not be read: both can pass 100 %%.\n",
        peak->fma_gflops, peak->memory_gbps);
}

void oci_rooflines_text(const oci_rooflines *layers, const oci_peak *peak, bool train,
                        oc_buf *out) {
    int passes = train ? OCI_PASSES : 1;
    double total = layers->total.seconds;
    put_heading("ms, GFLOP/s, roofline", passes, out);
    for (size_t i = 0; i < layers->count; i++)
        if (is_layer(&layers->items[i])) put_layer(&layers->items[i], passes, total, out);
    oc_buf_printf(out, "\n  %-14s%11s%11s%11s%10s%9s\n", "by kind", "ms", "roofline", "lost",
                  "step", "GFLOP/s");
    for (size_t i = 0; i < layers->kind_count; i++)
        put_sum(layers->kinds[i].kind, &layers->kinds[i], total, out);
    put_sum("all", &layers->total, total, out);
    put_notes(peak, out);
}

/* ---- for machines ---- */

static json_t *pass_json(const oci_pass_time *t) {
    return json_pack("{s:f,s:f,s:f,s:f,s:s}", "seconds", t->seconds, "flops", t->flops, "bytes",
                     t->bytes, "roofline_seconds", t->bound, "bound_by",
                     t->by_memory ? "memory" : "multiply-adds");
}

static json_t *layer_json(const oci_layer_time *l) {
    json_t *o = json_pack("{s:s,s:s,s:s?,s:f,s:f,s:f}", "name", l->name, "kind", l->kind, "kernel",
                          l->kernel, "seconds", l->seconds, "roofline_seconds", l->bound,
                          "lost_seconds", l->lost);
    int bad = !o;
    for (int k = 0; k < OCI_PASSES && !bad; k++)
        if (l->pass[k].seconds > 0)
            bad = json_object_set_new(o, pass_keys[k], pass_json(&l->pass[k]));
    if (!bad) return o;
    json_decref(o);
    return NULL;
}

static json_t *kind_json(const oci_layer_time *sum, double total) {
    return json_pack("{s:s,s:f,s:f,s:f,s:f,s:f}", "kind", sum->kind, "share", sum->seconds / total,
                     "seconds", sum->seconds, "roofline_seconds", sum->bound, "lost_seconds",
                     sum->lost, "flops", sum->flops);
}

int oci_rooflines_json(const oci_rooflines *layers, json_t *into) {
    json_t *items = json_array(), *kinds = json_array();
    int bad = !items || !kinds;
    for (size_t i = 0; i < layers->count && !bad; i++)
        if (is_layer(&layers->items[i]))
            bad = json_array_append_new(items, layer_json(&layers->items[i]));
    for (size_t i = 0; i < layers->kind_count && !bad; i++)
        bad = json_array_append_new(kinds, kind_json(&layers->kinds[i], layers->total.seconds));
    bad |= json_object_set_new(into, "layers", items);
    bad |= json_object_set_new(into, "kinds", kinds);
    return bad;
}
