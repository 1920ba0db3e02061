/* The face of `interop`: other people's networks, weights and logs, in and out.
 *
 * What comes in becomes an oc_model like any other: a graph, weights, classes, a recipe; from there
 * on nobody asks where it came from. All files read here are hostile: lengths are checked before
 * use, nesting is bounded, nothing is executed, errors name the file and the place in it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_H
#define OC_INTEROP_H

#include "model/model.h"
#include "zoo/zoo.h"

/* ---- class names ------------------------------------------------------------------------------
 */

/* A line a class, in the order of the network's outputs: "tench", or a synset and names for people,
 * "n01440764 tench, Tinca tinca" (then the synset is the label and the outside id). A name that
 * comes again gets its line's number behind it. OC_EFORMAT for an empty file, a line that is no
 * text or too long. */
OC_MUST_CHECK oc_status oc_labels_read(oc_classes *out, const char *path, oc_error *err);
/* "0", "1", ...: for a network whose outputs nobody has named. */
OC_MUST_CHECK oc_status oc_labels_numbered(oc_classes *out, size_t count, oc_error *err);

#endif
