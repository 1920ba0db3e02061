/* An identification: one to five photos of one thing, and what they show. Private to `serve`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_IDENTIFY_INT_H
#define OC_SERVE_IDENTIFY_INT_H

#include "serve/keep_int.h"
#include "serve/server_int.h"

typedef struct oci_photo {
    oc_image_bytes bytes;         /* on the exchange */
    const char *filename, *organ; /* or NULL */
    oc_image_info info;
    oc_status status; /* OC_OK, or why it could not be used */
    oc_error error;
    const float *probabilities; /* (classes), where status is OC_OK */
    /* with explain=1, of a photo that was used: */
    oc_buf picture;      /* PNG */
    oc_status explained; /* OC_OK, or why there is no picture */
    oc_error explain_error;
} oci_photo;

struct oci_identification {
    oci_exchange *x;
    oci_served *served; /* given back when this is freed */
    oci_photo photos[OCI_MAX_IMAGES];
    size_t count;
    int top;         /* 1 .. classes */
    float *fused;    /* (classes): mean of the photos' probabilities */
    oc_ranked *best; /* (top) of fused */
    bool unknown;
    oci_wish wish; /* what the user says beside the photos */
    bool explain;  /* as the request wants */
    /* of the observation that it became; else "": */
    char kept_id[OCI_TOKEN_BYTES], token[OCI_TOKEN_BYTES]; /* the token deletes it */
    /* on the way through the queue: those photos that can be read */
    oci_job job;
    oc_image_bytes images[OCI_MAX_IMAGES];
    oc_status status[OCI_MAX_IMAGES];
    oc_error errors[OCI_MAX_IMAGES];
    size_t photo_of[OCI_MAX_IMAGES];
    float *probabilities;                /* (job.n, classes) */
    oci_upload *uploads[OCI_MAX_IMAGES]; /* taken: the photos that came as uploads */
    size_t upload_count;
    oc_buf pictures[OCI_MAX_IMAGES]; /* (job.n) on the way to the photos */
    oci_step explained;
};

/* Read the request and hand it to the model, which x->work then is about; `then` is called with
 * what came back, or, where the queue is full, with an answer in x. Where the request is refused, x
 * has the answer and nothing waits. */
OC_MUST_CHECK oc_status oci_identify_start(oci_exchange *x, oci_step then, oc_error *err);
/* Fuse what came back. False: x has an answer already (refused, or no photo could be used). */
bool oci_identify_finish(oci_exchange *x);
/* It is answered with names: counted for /metrics. */
void oci_identify_count(const oci_identification *d);
/* Before the answer: hand the photos to the model once more, for pictures of what speaks for the
 * best name; `then` is called when they are there. False: none are wanted. (explain.c) */
bool oci_explain_start(oci_identification *d, oci_step then);
/* {"explain": data URL}, or null with "explain_error"; NULL without memory. */
json_t *oci_explain_json(const oci_photo *photo);
/* {"label", "name", "id", "p", "class"}, (k) of them; NULL without memory. */
json_t *oci_results_json(const oc_model *model, const oc_ranked *ranked, int k);

/* Look at one photo more; its bytes stay as long as the exchange. OC_EUSAGE: too many. */
OC_MUST_CHECK oc_status oci_identify_add_photo(oci_identification *d, const char *bytes,
                                               size_t size, const char *filename, oc_error *err);
/* The photos that `uploads` names (identify_uploads.c). Freeing gives them back; where they were
 * identified, they have served. */
OC_MUST_CHECK oc_status oci_identify_add_uploads(oci_identification *d, oc_error *err);
void oci_identify_free_uploads(oci_identification *d);

#endif
