/* The networks of the zoo, a line each.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "info_int.h"
#include "options_int.h"
#include "zoo/zoo.h"

enum { NAME_COLUMNS = 17, SUMMARY_COLUMN = NAME_COLUMNS + 23, IMAGENET_CLASSES = 1000 };

static oc_status measure(const oc_arch *arch, oci_layers *layers, oc_error *err) {
    oc_graph *graph = NULL;
    OC_TRY(oc_arch_build(arch, &graph, 3, IMAGENET_CLASSES, arch->size, arch->size, err));
    oc_status status = oci_layers_make(layers, graph, arch->size, arch->size, err);
    oci_layers_clear(layers); /* the totals stay */
    oc_graph_free(graph);
    return status;
}

static oc_status print_text(const oc_arch *all, const oci_layers *sizes, size_t count, int width,
                            oc_error *err) {
    oc_buf out = {0};
    oc_buf_printf(&out, "%-*s %4s %7s %7s\n", NAME_COLUMNS, "network", "size", "params", "macs");
    for (size_t i = 0; i < count; i++) {
        oc_buf_printf(&out, "%-*s %4d %5.1f M %5.0f M  ", NAME_COLUMNS, all[i].name, all[i].size,
                      (double)sizes[i].parameters / 1e6, (double)sizes[i].macs / 1e6);
        oci_wrap(&out, all[i].summary, SUMMARY_COLUMN, SUMMARY_COLUMN, width);
    }
    oc_buf_puts(&out, "macs: multiply-adds of one image; all at 1000 classes and the size given,\n"
                      "which is a side of the input\n");
    return oci_print(stdout, &out, err);
}

static oc_status print_json(const oc_arch *all, const oci_layers *sizes, size_t count,
                            oc_error *err) {
    json_t *array = json_array();
    int bad = 0;
    for (size_t i = 0; i < count; i++)
        bad |=
            json_array_append_new(array, json_pack("{s:s,s:s,s:i,s:I,s:I}", "name", all[i].name,
                                                   "summary", all[i].summary, "size", all[i].size,
                                                   "parameters", (json_int_t)sizes[i].parameters,
                                                   "multiply_adds", (json_int_t)sizes[i].macs));
    if (bad) {
        json_decref(array);
        array = NULL;
    }
    return oci_print_json(array, err);
}

oc_status oci_print_networks(bool json, int width, oc_error *err) {
    size_t count = 0;
    const oc_arch *all = oc_zoo_all(&count);
    oci_layers *sizes = oc_calloc(count, sizeof *sizes);
    if (!sizes) return oc_fail_nomem(err, count * sizeof *sizes, "the networks");
    oc_status status = OC_OK;
    for (size_t i = 0; i < count && status == OC_OK; i++) status = measure(&all[i], &sizes[i], err);
    if (status == OC_OK)
        status =
            json ? print_json(all, sizes, count, err) : print_text(all, sizes, count, width, err);
    oc_free(sizes);
    return status;
}
