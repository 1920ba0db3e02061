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
/* seen.u64 of the folder (seen.c); removed where the model does not know. */
OC_MUST_CHECK oc_status oci_seen_save(const oc_model *model, const char *folder, oc_error *err);

#endif
