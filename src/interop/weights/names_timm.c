/* timm's names of layers, where they are not torchvision's (timm/models/vgg.py, efficientnet.py).
 * Its ResNets are called as torchvision's.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "interop/weights/names_int.h"

/* Our name, theirs; ends with {NULL}. */
typedef struct pair {
    const char *ours, *theirs;
} pair;

static bool look_up(char out[OC_NAME_BYTES], const pair *pairs, const char *ours) {
    for (; pairs->ours != NULL; pairs++) {
        if (strcmp(pairs->ours, ours) != 0) continue;
        (void)snprintf(out, OC_NAME_BYTES, "%s", pairs->theirs);
        return true;
    }
    return false;
}

/* Block `block`, from 1, of stages of `repeats` blocks is stage *stage, number *index in it. */
static void place(const int *repeats, int block, int *stage, int *index) {
    int at = block - 1;
    for (*stage = 0; at >= repeats[*stage]; ++*stage) at -= repeats[*stage];
    *index = at;
}

static bool vgg16(char out[OC_NAME_BYTES], const char *ours) {
    static const pair PAIRS[] = {{"classifier.0", "pre_logits.fc1"},
                                 {"classifier.3", "pre_logits.fc2"},
                                 {"classifier.6", "head.fc"},
                                 {NULL, NULL}};
    if (!oc_starts_with(ours, "features.")) return look_up(out, PAIRS, ours);
    (void)snprintf(out, OC_NAME_BYTES, "%s", ours);
    return true;
}

static bool mobilenet_v2(char out[OC_NAME_BYTES], const char *ours) {
    static const pair PAIRS[] = {{"features.0.0", "conv_stem"},  {"features.0.1", "bn1"},
                                 {"features.18.0", "conv_head"}, {"features.18.1", "bn2"},
                                 {"classifier.1", "classifier"}, {NULL, NULL}};
    static const int REPEATS[] = {1, 2, 3, 4, 3, 3, 1};
    static const char *const FIRST[] = {"", "", "conv_dw", "bn1", "conv_pw", "bn2"};
    static const char *const OTHER[] = {"conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"};
    int block = 0, stage = 0, index = 0;
    oci_part part;
    if (!oci_v2_block(ours, &block, &part)) return look_up(out, PAIRS, ours);
    place(REPEATS, block, &stage, &index);
    (void)snprintf(out, OC_NAME_BYTES, "blocks.%d.%d.%s", stage, index,
                   (block == 1 ? FIRST : OTHER)[part]);
    return true;
}

static bool mobilenet_v1(char out[OC_NAME_BYTES], const char *ours) {
    static const pair PAIRS[] = {
        {"conv1", "conv_stem"}, {"conv1/bn", "bn1"}, {"fc7", "classifier"}, {NULL, NULL}};
    static const int REPEATS[] = {1, 2, 2, 6, 2};
    static const char *const PARTS[] = {"", "", "conv_dw", "bn1", "conv_pw", "bn2"};
    int block = 0, stage = 0, index = 0;
    oci_part part;
    if (!oci_v1_block(ours, &block, &part)) return look_up(out, PAIRS, ours);
    place(REPEATS, block, &stage, &index);
    (void)snprintf(out, OC_NAME_BYTES, "blocks.%d.%d.%s", stage, index, PARTS[part]);
    return true;
}

/* Its MobileNets cut activations at 6; ours is as the published Caffe model. */
static void cut_at_six(const oc_graph *graph, const oc_node *node, oc_op *op, oc_attrs *attrs) {
    (void)graph;
    (void)attrs;
    if (node->op == OC_OP_RELU) *op = OC_OP_RELU6;
}

const oci_names oci_timm_names[] = {
    {.naming = OC_NAMING_TIMM, .family = "vgg16", .layer = vgg16},
    {.naming = OC_NAMING_TIMM, .family = "mobilenet_v2", .layer = mobilenet_v2},
    {.naming = OC_NAMING_TIMM,
     .family = "mobilenet_v1",
     .layer = mobilenet_v1,
     .adapt = cut_at_six},
    {.naming = OC_NAMING_TIMM, .family = "resnet"}};
const size_t oci_timm_count = sizeof oci_timm_names / sizeof *oci_timm_names;
