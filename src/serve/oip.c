/* /v2: the Open Inference Protocol's health and metadata, so that clients of KServe and Triton work
 * as they are. infer.c has its inference.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "serve/server_int.h"

oc_status oci_run_oip(oci_exchange *x, oc_error *err) {
    return oci_answer_json(x, 200,
                           json_pack("{s:s, s:s, s:[s, s]}", "name", "ocellus", "version",
                                     OC_VERSION, "extensions", "binary_tensor_data",
                                     "classification"),
                           err);
}

oc_status oci_run_oip_live(oci_exchange *x, oc_error *err) {
    return oci_answer_json(x, 200, json_pack("{s:b}", "live", 1), err);
}

oc_status oci_run_oip_ready(oci_exchange *x, oc_error *err) {
    if (atomic_load(&x->server->draining)) return oci_refuse_stopping(x);
    return oci_answer_json(x, 200, json_pack("{s:b}", "ready", 1), err);
}

/* ---- a model ---- */

oc_status oci_oip_take(oci_exchange *x, oci_served **out, oc_error *err) {
    *out = NULL;
    if (x->arg[1] != NULL && strcmp(x->arg[1], "1") != 0)
        return oc_fail(err, OC_ENOTFOUND, "there is no version \"%.100s\" of a model, only 1",
                       x->arg[1]);
    *out = oci_models_take(x->server->models, x->arg[0]);
    if (*out != NULL) return OC_OK;
    return oc_fail(err, OC_ENOTFOUND, "there is no model \"%.100s\"; /v1/models lists them",
                   x->arg[0]);
}

oci_oip_model oci_oip_model_of(const oci_served *served) {
    return (oci_oip_model){
        .name = served->name, .recipe = &served->model->recipe, .classes = &served->model->classes};
}

oc_status oci_run_oip_model(oci_exchange *x, oc_error *err) {
    oci_served *served = NULL;
    OC_TRY(oci_oip_take(x, &served, err));
    oci_oip_model model = oci_oip_model_of(served);
    oc_status status = oci_answer_json(x, 200, oci_oip_metadata(&model), err);
    oci_models_give(x->server->models, served);
    return status;
}

oc_status oci_run_oip_model_ready(oci_exchange *x, oc_error *err) {
    oci_served *served = NULL;
    OC_TRY(oci_oip_take(x, &served, err));
    oc_status status =
        atomic_load(&x->server->draining)
            ? oci_refuse_stopping(x)
            : oci_answer_json(x, 200, json_pack("{s:s, s:b}", "name", served->name, "ready", 1),
                              err);
    oci_models_give(x->server->models, served);
    return status;
}
