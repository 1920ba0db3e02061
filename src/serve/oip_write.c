/* Writing the answers of the Open Inference Protocol.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "serve/oip_int.h"

/* ---- a tensor ---- */

/* One value of an output: a number, or a text on its way. */
typedef struct sink {
    json_t *data; /* or NULL: */
    oc_buf *binary;
} sink;

static void put_u32(oc_buf *out, uint32_t value) {
    const unsigned char bytes[4] = {(unsigned char)value, (unsigned char)(value >> 8),
                                    (unsigned char)(value >> 16), (unsigned char)(value >> 24)};
    oc_buf_append(out, bytes, sizeof bytes);
}

static void put_number(sink *s, float value) {
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    if (s->data == NULL)
        put_u32(s->binary, bits);
    else if (json_array_append_new(s->data, oc_json_real((double)value)) != 0)
        s->binary->failed = true;
}

static void put_text(sink *s, const char *text) {
    if (s->data == NULL) {
        put_u32(s->binary, (uint32_t)strlen(text));
        oc_buf_puts(s->binary, text);
    } else if (json_array_append_new(s->data, oc_json_text(text)) != 0) {
        s->binary->failed = true;
    }
}

/* "0.931200:12:sunflower" */
static void put_class(sink *s, const oc_classes *classes, const oc_ranked *ranked) {
    oc_buf text = {0};
    oc_buf_printf(&text, "%f:%d:%s", (double)ranked->p, (int)ranked->label,
                  classes->items[ranked->label].label);
    if (text.failed) s->binary->failed = true;
    put_text(s, text.data != NULL ? text.data : "");
    oc_buf_clear(&text);
}

/* The values of an output for (n, classes) of probabilities. ranked: room for all classes. */
static void put_values(sink *s, const oci_oip_output *output, const oc_classes *classes, size_t n,
                       const float *probabilities, oc_ranked *ranked) {
    for (size_t i = 0; i < n; i++) {
        const float *row = probabilities + i * classes->count;
        int k = output->label ? 1 : output->classification;
        if (k > 0) oc_rank(row, classes->count, k, ranked);
        for (size_t c = 0; k == 0 && c < classes->count; c++) put_number(s, row[c]);
        for (int j = 0; j < k && !output->label; j++) put_class(s, classes, &ranked[j]);
        if (output->label) put_text(s, classes->items[ranked[0].label].label);
    }
}

/* ---- the answer ---- */

static json_t *shape_of(const oci_oip_output *output, size_t n, size_t classes) {
    if (output->label) return json_pack("[I]", (json_int_t)n);
    int k = output->classification > 0 ? output->classification : (int)classes;
    return json_pack("[I, i]", (json_int_t)n, k);
}

/* The output as JSON; the bytes of a binary one go behind what `binary` holds. */
static json_t *output_json(const oci_oip_output *output, const oci_oip_request *request,
                           const oci_oip_model *model, const float *probabilities,
                           oc_ranked *ranked, oc_buf *binary) {
    size_t before = binary->size;
    bool text = output->label || output->classification > 0;
    sink s = {.data = output->binary ? NULL : json_array(), .binary = binary};
    put_values(&s, output, model->classes, request->n, probabilities, ranked);
    json_t *parameters =
        output->binary ? json_pack("{s:I}", "binary_data_size", (json_int_t)(binary->size - before))
                       : NULL;
    return json_pack("{s:s, s:s, s:o, s:o*, s:o*}", "name",
                     output->label ? "label" : "probabilities", "datatype", text ? "BYTES" : "FP32",
                     "shape", shape_of(output, request->n, model->classes->count), "parameters",
                     parameters, "data", s.data);
}

static json_t *answer_json(const oci_oip_request *request, const oci_oip_model *model,
                           json_t *outputs) {
    return json_pack("{s:s, s:s, s:s*, s:o}", "model_name", model->name, "model_version", "1", "id",
                     request->id, "outputs", outputs);
}

oc_status oci_oip_write(const oci_oip_request *request, const oci_oip_model *model,
                        const float *probabilities, oc_buf *out, size_t *json_size, oc_error *err) {
    oc_status status = OC_OK;
    oc_buf binary = {0};
    json_t *outputs = json_array(), *answer = NULL;
    oc_ranked *ranked = oc_calloc(model->classes->count, sizeof *ranked);
    if (ranked == NULL) OC_GOTO(oc_fail_nomem(err, sizeof *ranked, "an answer"));
    for (size_t i = 0; i < request->output_count; i++)
        if (json_array_append_new(outputs, output_json(&request->outputs[i], request, model,
                                                       probabilities, ranked, &binary)) != 0)
            OC_GOTO(oc_fail_nomem(err, 0, "an answer"));
    OC_GOTO(oc_buf_status(&binary, err));
    answer = answer_json(request, model, json_incref(outputs));
    if (answer == NULL) OC_GOTO(oc_fail_nomem(err, 0, "an answer"));
    OC_GOTO(oc_json_append_digits(out, answer, OC_JSON_FLOAT, err));
    *json_size = out->size;
    oc_buf_append(out, binary.data != NULL ? binary.data : "", binary.size);
    status = oc_buf_status(out, err);
done:
    json_decref(answer);
    json_decref(outputs);
    oc_free(ranked);
    oc_buf_clear(&binary);
    return status;
}

json_t *oci_oip_metadata(const oci_oip_model *model) {
    const oc_recipe *r = model->recipe;
    json_t *inputs = json_pack("[{s:s, s:s, s:[i]}, {s:s, s:s, s:[i, i, i, i]}]", "name", "image",
                               "datatype", "BYTES", "shape", -1, "name", "pixels", "datatype",
                               "FP32", "shape", -1, r->channels, r->height, r->width);
    json_t *outputs =
        json_pack("[{s:s, s:s, s:[i, I]}, {s:s, s:s, s:[i]}]", "name", "probabilities", "datatype",
                  "FP32", "shape", -1, (json_int_t)model->classes->count, "name", "label",
                  "datatype", "BYTES", "shape", -1);
    return json_pack("{s:s, s:[s], s:s, s:o, s:o}", "name", model->name, "versions", "1",
                     "platform", "ocellus", "inputs", inputs, "outputs", outputs);
}
