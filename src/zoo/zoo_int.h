/* The builders in the family files, and what those share. Private to `zoo`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_ZOO_INT_H
#define OC_ZOO_INT_H

#include "zoo/zoo.h"

/* Each appends its layers to a graph that holds the input alone, node 0. */
void oci_build_alexnet(oc_build *b, const oc_arch *arch, int classes);
void oci_build_bn_inception(oc_build *b, const oc_arch *arch, int classes);
void oci_build_bvlc_alexnet(oc_build *b, const oc_arch *arch, int classes);
void oci_build_googlenet(oc_build *b, const oc_arch *arch, int classes);
void oci_build_mobilenet_v1(oc_build *b, const oc_arch *arch, int classes);
void oci_build_mobilenet_v2(oc_build *b, const oc_arch *arch, int classes);
void oci_build_resnet(oc_build *b, const oc_arch *arch, int classes);
void oci_build_squeezenet1_0(oc_build *b, const oc_arch *arch, int classes);
void oci_build_squeezenet1_1(oc_build *b, const oc_arch *arch, int classes);
void oci_build_thesis(oc_build *b, const oc_arch *arch, int classes);
void oci_build_vgg16(oc_build *b, const oc_arch *arch, int classes);
void oci_build_vgg_s(oc_build *b, const oc_arch *arch, int classes);

/* "prefix.suffix" and "prefix.number" into storage, which is returned. */
char *oci_zoo_name(char storage[OC_NAME_BYTES], const char *prefix, const char *suffix);
char *oci_zoo_number(char storage[OC_NAME_BYTES], const char *prefix, int number);

#endif
