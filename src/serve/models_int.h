/* The models that are served, by name, and their replacement while requests run. Private to
 * `serve`.
 *
 * A model that is being used is never changed: a new one is loaded beside it and takes its name;
 * the old one answers what it has taken and is freed. SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_MODELS_INT_H
#define OC_SERVE_MODELS_INT_H

#include "serve/queue_int.h"

/* A loaded model with its workers. */
typedef struct oci_served {
    const char *name, *folder; /* of the entry */
    oc_model *model;
    oci_queue *queue;
    char *card; /* README.md of the folder, or NULL */
    int users;
    struct oci_served *next; /* of those that are to be freed */
} oci_served;

typedef struct oci_models oci_models;
/* Loads all; a thread then looks for changes every other second. */
OC_MUST_CHECK oc_status oci_models_new(oci_models **out, const oc_serve_options *options,
                                       oci_metrics *metrics, oc_error *err);
void oci_models_free(oci_models *models); /* no user may be left */
void oci_models_reload(oci_models *models);

size_t oci_models_count(const oci_models *models);
/* To be given back. NULL name = the default; NULL result: there is none of that name. */
oci_served *oci_models_take(oci_models *models, const char *name);
oci_served *oci_models_take_at(oci_models *models, size_t i);
void oci_models_give(oci_models *models, oci_served *served);
/* The names, for messages: "flowers, trees". */
void oci_models_names(oci_models *models, oc_buf *out);

#endif
