/* The Open Inference Protocol, version 2, REST: what a request says and how its answer is written.
 * Knows nothing of HTTP; oip.c is its routes, infer.c runs one. Private to `serve`.
 *
 * One input: `pixels` FP32 (n, c, h, w) as the model's recipe makes them, or `image` BYTES (n),
 * encoded photos (base64 where they stand in JSON). Outputs: `probabilities` FP32 (n, classes), or
 * with the parameter "classification": k BYTES (n, k) as Triton says them, "p:class:label"; `label`
 * BYTES (n), the best one. Tensors stand in the JSON or, as its binary extension has it, behind it:
 * https://github.com/kserve/open-inference-protocol,
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_OIP_INT_H
#define OC_SERVE_OIP_INT_H

#include "predict/predict.h"

/* Images of a request; outputs of one; values that JSON may hold, for each costs tens of bytes. */
enum { OCI_OIP_IMAGES = 256, OCI_OIP_OUTPUTS = 4, OCI_OIP_VALUES = 2000000 };
enum { OCI_OIP_BINARY_VALUES = 16 << 20 }; /* of an answer, behind its JSON */

typedef struct oci_oip_output {
    bool label;         /* `label`, else `probabilities` */
    bool binary;        /* behind the JSON, else in it */
    int classification; /* k, 0 = the numbers themselves */
} oci_oip_output;

typedef struct oci_oip_request {
    json_t *json;
    const char *id; /* the client's, or NULL; in json */
    size_t n;
    float *pixels;          /* (n, c, h, w), or NULL: */
    oc_image_bytes *images; /* (n), views of the body or of `decoded` */
    char *decoded;
    oci_oip_output outputs[OCI_OIP_OUTPUTS];
    size_t output_count;
} oci_oip_request;

/* What it is held against. */
typedef struct oci_oip_model {
    const char *name;
    const oc_recipe *recipe;
    const oc_classes *classes;
} oci_oip_model;

/* body: (size), of which the first json_size are JSON; it must outlive *out. OC_EUSAGE says what is
 * wrong and where ("inputs[0].shape: ..."). *out is to be cleared whatever is returned. */
OC_MUST_CHECK oc_status oci_oip_read(oci_oip_request *out, const oci_oip_model *model,
                                     const char *body, size_t size, size_t json_size,
                                     oc_error *err);
void oci_oip_clear(oci_oip_request *request);

/* The answer, for probabilities (n, classes): JSON, of *json_size bytes, and binary tensors behind
 * it. */
OC_MUST_CHECK oc_status oci_oip_write(const oci_oip_request *request, const oci_oip_model *model,
                                      const float *probabilities, oc_buf *out, size_t *json_size,
                                      oc_error *err);
/* {"name", "versions", "platform", "inputs", "outputs"}; NULL without memory. */
json_t *oci_oip_metadata(const oci_oip_model *model);

#endif
