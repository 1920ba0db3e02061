/* `ocellus import ... --cut LAYER`: the network up to a layer, without classes: the body for a new
 * head that `ocellus train --from` puts on it.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "import_int.h"

oc_status oci_import_cut(const oci_import_flags *flags, oc_graph **graph, oc_error *err) {
    oc_graph *whole = *graph;
    const oc_node *last = oc_graph_node(whole, oc_graph_node_count(whole) - 1);
    if (flags->cut == NULL || strcmp(last->name, flags->cut) == 0) return OC_OK;
    oc_status status = oc_graph_upto(whole, flags->cut, graph, err);
    if (status == OC_OK)
        oc_graph_free(whole);
    else
        *graph = whole;
    return status;
}
