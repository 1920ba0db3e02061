/* The builders in the family files, and what those share. Private to `zoo`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ZOO_INT_H
#define OC_ZOO_INT_H

#include "zoo/zoo.h"

/* As oc_arch.build. */
oc_status oci_build_thesis(oc_graph **out, int channels, int classes, int height, int width,
                           oc_error *err);
oc_status oci_build_squeezenet1_1(oc_graph **out, int channels, int classes, int height, int width,
                                  oc_error *err);
oc_status oci_build_mobilenet_v2(oc_graph **out, int channels, int classes, int height, int width,
                                 oc_error *err);
oc_status oci_build_resnet18(oc_graph **out, int channels, int classes, int height, int width,
                             oc_error *err);

/* Start: a graph that holds its input alone, node 0. */
void oci_zoo_begin(oc_build *b, int channels, int height, int width);
/* End: hand the graph over if all went well and the size fits, else free it and tell why. */
OC_MUST_CHECK oc_status oci_zoo_finish(oc_build *b, int height, int width, oc_graph **out,
                                       oc_error *err);

/* "prefix.suffix" into storage, which is returned. */
char *oci_zoo_name(char storage[OC_NAME_BYTES], const char *prefix, const char *suffix);

#endif
