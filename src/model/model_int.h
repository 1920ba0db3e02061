/* What the files of the model room share. Private to `model`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_MODEL_INT_H
#define OC_MODEL_INT_H

#include "model/model.h"

/* Names of the parts of a model folder. */
#define OCI_CONFIG_FILE  "config.json"
#define OCI_GRAPH_FILE   "graph.json"
#define OCI_WEIGHTS_FILE "model.safetensors"
#define OCI_METRICS_FILE "metrics.json"
#define OCI_CARD_FILE    "README.md"
#define OCI_SEEN_FILE    "seen.u64"

/* Bounds of the temperature that a config may hold. */
#define OCI_TEMPERATURE_MIN 1e-3
#define OCI_TEMPERATURE_MAX 1e3

/* config.json <-> classes, recipe, temperature, arch and origin of a model. Reading fills fields of
 * an empty model; `where` names the file in messages. */
OC_MUST_CHECK oc_status oci_config_to_json(const oc_model *model, json_t **out, oc_error *err);
OC_MUST_CHECK oc_status oci_config_from_json(const json_t *o, const char *where, oc_model *model,
                                             oc_error *err);

/* The model card, in Markdown, from what is known. */
void oci_card(oc_buf *out, const oc_model *model, const char *folder);

/* jansson's references without its macros in the way: sets a member of an object and takes `value`
 * over; OC_ENOMEM when either is NULL or the member cannot be set. */
OC_MUST_CHECK oc_status oci_json_put(json_t *o, const char *key, json_t *value, oc_error *err);
OC_MUST_CHECK oc_status oci_json_push(json_t *array, json_t *value, oc_error *err);

/* Does it say that it is an ocellus model, of whatever version? */
bool oci_config_is_ours(const json_t *o);
/* examples/ of the folder, which showed another model's classes (examples.c). */
OC_MUST_CHECK oc_status oci_examples_remove(const char *folder, oc_error *err);
/* seen.u64 of the folder (seen.c); removed where the model does not know. */
OC_MUST_CHECK oc_status oci_seen_save(const oc_model *model, const char *folder, oc_error *err);

/* ---- int8 in files (int8_file.c) ----------------------------------------------------------------
 */

/* Is this the weight of an int8 layer: in a file whole numbers (I8), with the steps beside them? */
bool oci_is_int8_weight(const oc_graph *graph, const oc_param *param);
/* Whole numbers times the steps of their output channels. OC_EMISMATCH where a step is no number
 * above zero, or a whole number is -128. */
OC_MUST_CHECK oc_status oci_int8_to_f32(const oc_param *param, const oc_tensor *whole,
                                        const oc_tensor *step, float *dst, oc_error *err);
/* The set as it is written: int8 weights as whole numbers, all else as it is (borrowed). */
OC_MUST_CHECK oc_status oci_int8_pack(const oc_graph *graph, const oc_tensors *weights,
                                      oc_tensors **out, oc_error *err);

/* ---- making int8 (quantize.c) -------------------------------------------------------------------
 */

/* Network and weights without the batch norms that stand behind layers (quantize_fold.c). *graph
 * and *weights are the caller's. */
OC_MUST_CHECK oc_status oci_fold_norms(const oc_graph *graph, const oc_tensors *weights,
                                       oc_graph **folded, oc_tensors **out, oc_error *err);

/* Values seen so far, as a histogram whose range doubles as it must (quantize_range.c). */
enum { OCI_BINS = 4096 };
typedef struct oci_histogram {
    uint64_t bins[OCI_BINS]; /* over -reach..reach, both excluded from nothing: ends are inside */
    float reach;             /* a power of 2; 0 = nothing seen yet but zeros */
    float low, high;
    uint64_t count, zeros;
} oci_histogram;
void oci_histogram_add(oci_histogram *h, const float *values, size_t count);
/* Step and zero of a quantize node for such values. */
void oci_histogram_levels(const oci_histogram *h, oc_ranges rule, float *step, int *zero);

/* Whole numbers (out, channels, area) and steps (out) nearest to the weights, within OC_INT8_MOST
 * and OC_INT8_PAIR (quantize_weights.c); the weights become what they stand for. */
void oci_quantize_weights(float *weights, size_t out, size_t channels, size_t area, float *step);

/* Which layers of a folded network work on int8, and where its values are rounded to levels
 * (quantize_graph.c). Arrays have an entry per node. */
typedef struct oci_int8_layout {
    bool *layer; /* gets int8 weights */
    int *group;  /* nodes whose values must share their levels: the number of one of them */
    bool *level; /* of the group: its values are rounded */
    void *memory;
} oci_int8_layout;
OC_MUST_CHECK oc_status oci_int8_layout_new(const oc_graph *graph, oci_int8_layout *out,
                                            oc_error *err);
void oci_int8_layout_clear(oci_int8_layout *layout);
/* Does the node make values of its own, or only pick or pass on those of its group? */
bool oci_int8_makes_values(oc_op op);

#endif
