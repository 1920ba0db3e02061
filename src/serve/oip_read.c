/* Reading a request of the Open Inference Protocol. All of it is hostile: every size is checked
 * before it is used, and what is refused is named by its place.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "serve/base64_int.h"
#include "serve/oip_int.h"

enum { MAX_RANK = 4, LENGTH_BYTES = 4 };

#define INPUT "inputs[0]"

/* What is read, and the bytes behind the JSON. */
typedef struct reader {
    oci_oip_request *out;
    const oci_oip_model *model;
    const unsigned char *binary;
    size_t binary_size;
    size_t shape[MAX_RANK];
    size_t rank;
} reader;

static oc_status bad_input(oc_error *err, const char *member, const char *words) {
    return oc_fail(err, OC_EUSAGE, INPUT ".%s: %s", member, words);
}

/* The number at one key of "parameters"; false where it is not there. */
static const json_t *parameter(const json_t *o, const char *key) {
    return json_object_get(json_object_get(o, "parameters"), key);
}

/* ---- shape ---- */

static oc_status read_shape(reader *r, const json_t *input, oc_error *err) {
    json_t *shape = NULL;
    OC_TRY(oc_json_get_array(input, "shape", INPUT, &shape, err));
    r->rank = json_array_size(shape);
    if (r->rank < 1 || r->rank > MAX_RANK)
        return oc_fail(err, OC_EUSAGE, INPUT ".shape: %zu dimensions, expected 1 to %d", r->rank,
                       MAX_RANK);
    for (size_t i = 0; i < r->rank; i++) {
        const json_t *value = json_array_get(shape, i);
        json_int_t size = json_integer_value(value);
        if (!json_is_integer(value) || size < 1 || size > INT32_MAX)
            return oc_fail(err, OC_EUSAGE,
                           INPUT ".shape[%zu]: expected a whole number from 1 to %d", i, INT32_MAX);
        r->shape[i] = (size_t)size;
    }
    if (r->shape[0] > OCI_OIP_IMAGES)
        return oc_fail(err, OC_EUSAGE, INPUT ".shape: %zu images, at most %d in a request",
                       r->shape[0], OCI_OIP_IMAGES);
    r->out->n = r->shape[0];
    return OC_OK;
}

static oc_status check_pixel_shape(const reader *r, oc_error *err) {
    const oc_recipe *recipe = r->model->recipe;
    if (r->rank == 4 && r->shape[1] == (size_t)recipe->channels &&
        r->shape[2] == (size_t)recipe->height && r->shape[3] == (size_t)recipe->width)
        return OC_OK;
    return oc_fail(err, OC_EUSAGE, INPUT ".shape: \"pixels\" are (n, %d, %d, %d) in this model",
                   recipe->channels, recipe->height, recipe->width);
}

/* (n), or (n, 1) as clients send what they batch. */
static oc_status check_image_shape(const reader *r, oc_error *err) {
    if (r->rank == 1 || (r->rank == 2 && r->shape[1] == 1)) return OC_OK;
    return bad_input(err, "shape", "\"image\" is (n) or (n, 1)");
}

/* ---- pixels ---- */

static oc_status not_finite(size_t i, oc_error *err) {
    return oc_fail(err, OC_EUSAGE, INPUT ": value %zu is no finite number", i);
}

static oc_status pixels_from_binary(reader *r, size_t count, oc_error *err) {
    float *to = r->out->pixels;
    if (r->binary_size != count * sizeof(float))
        return oc_fail(err, OC_EUSAGE, INPUT ": %zu bytes of pixels, its shape asks for %zu",
                       r->binary_size, count * sizeof(float));
    for (size_t i = 0; i < count; i++) { /* little-endian, at any alignment */
        const unsigned char *b = r->binary + i * sizeof(float);
        uint32_t bits =
            (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
        memcpy(&to[i], &bits, sizeof bits);
        if (!isfinite(to[i])) return not_finite(i, err);
    }
    return OC_OK;
}

/* Numbers in the order of the shape, flat or an array a dimension; *at counts them. */
static oc_status pixels_from_json(reader *r, const json_t *data, size_t depth, size_t *at,
                                  size_t count, oc_error *err) {
    size_t size = json_array_size(data);
    bool nested = json_is_array(json_array_get(data, 0));
    if (nested && (depth + 1 >= r->rank || size != r->shape[depth]))
        return oc_fail(err, OC_EUSAGE, INPUT ".data: nested arrays that are not as its shape");
    for (size_t i = 0; i < size; i++) {
        const json_t *value = json_array_get(data, i);
        if (nested && json_is_array(value)) {
            OC_TRY(pixels_from_json(r, value, depth + 1, at, count, err));
            continue;
        }
        if (*at == count)
            return oc_fail(err, OC_EUSAGE, INPUT ".data: more than the %zu numbers of its shape",
                           count);
        float pixel = (float)json_number_value(value);
        if (nested || !json_is_number(value) || !isfinite(pixel)) return not_finite(*at, err);
        r->out->pixels[(*at)++] = pixel;
    }
    return OC_OK;
}

static oc_status read_pixels(reader *r, const json_t *data, oc_error *err) {
    size_t count = r->out->n, at = 0;
    OC_TRY(check_pixel_shape(r, err));
    for (size_t i = 1; i < r->rank; i++)
        if (!oc_mul_size(count, r->shape[i], &count))
            return bad_input(err, "shape", "too many values");
    size_t most = data != NULL ? OCI_OIP_VALUES : r->binary_size / sizeof(float);
    if (count > most)
        return oc_fail(err, OC_EUSAGE, INPUT ": its shape asks for %zu values, %zu %s", count, most,
                       data != NULL ? "may stand in JSON: send binary tensors" : "are there");
    r->out->pixels = oc_malloc_aligned(count * sizeof(float));
    if (r->out->pixels == NULL) return oc_fail_nomem(err, count * sizeof(float), "pixels");
    if (data == NULL) return pixels_from_binary(r, count, err);
    OC_TRY(pixels_from_json(r, data, 0, &at, count, err));
    if (at == count) return OC_OK;
    return oc_fail(err, OC_EUSAGE, INPUT ".data: %zu numbers, its shape asks for %zu", at, count);
}

/* ---- encoded images ---- */

/* Each with its length in front, four bytes, little-endian. */
static oc_status images_from_binary(reader *r, oc_error *err) {
    const unsigned char *at = r->binary;
    size_t left = r->binary_size;
    for (size_t i = 0; i < r->out->n; i++) {
        if (left < LENGTH_BYTES)
            return oc_fail(err, OC_EUSAGE, INPUT ": its bytes end before image %zu", i);
        size_t size =
            (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
        if (size > left - LENGTH_BYTES)
            return oc_fail(err, OC_EUSAGE, INPUT ": image %zu has %zu bytes, %zu are left", i, size,
                           left - LENGTH_BYTES);
        r->out->images[i] = (oc_image_bytes){at + LENGTH_BYTES, size};
        at += LENGTH_BYTES + size;
        left -= LENGTH_BYTES + size;
    }
    if (left == 0) return OC_OK;
    return oc_fail(err, OC_EUSAGE, INPUT ": %zu bytes behind its last image", left);
}

/* The string of image i: data is flat, or (n, 1). */
static const json_t *image_text(const json_t *data, size_t i) {
    const json_t *value = json_array_get(data, i);
    return json_is_array(value) && json_array_size(value) == 1 ? json_array_get(value, 0) : value;
}

static oc_status images_from_json(reader *r, const json_t *data, oc_error *err) {
    oci_oip_request *out = r->out;
    size_t room = 0, at = 0;
    if (json_array_size(data) != out->n)
        return oc_fail(err, OC_EUSAGE, INPUT ".data: %zu images, its shape asks for %zu",
                       json_array_size(data), out->n);
    for (size_t i = 0; i < out->n; i++) room += json_string_length(image_text(data, i)) / 4 * 3;
    out->decoded = oc_malloc(room);
    if (out->decoded == NULL) return oc_fail_nomem(err, room, "images");
    for (size_t i = 0; i < out->n; i++) {
        const json_t *text = image_text(data, i);
        size_t size = 0;
        if (!json_is_string(text) ||
            !oci_base64_decode(json_string_value(text), json_string_length(text), out->decoded + at,
                               &size))
            return oc_fail(err, OC_EUSAGE,
                           INPUT ".data[%zu]: expected a photo's bytes as base64 (binary tensors "
                                 "have them as they are)",
                           i);
        out->images[i] = (oc_image_bytes){out->decoded + at, size};
        at += size;
    }
    return OC_OK;
}

static oc_status read_images(reader *r, const json_t *data, oc_error *err) {
    OC_TRY(check_image_shape(r, err));
    r->out->images = oc_calloc(r->out->n, sizeof *r->out->images);
    if (r->out->images == NULL)
        return oc_fail_nomem(err, r->out->n * sizeof *r->out->images, "images");
    return data != NULL ? images_from_json(r, data, err) : images_from_binary(r, err);
}

/* ---- the input ---- */

static oc_status check_type(const json_t *input, const char *expected, oc_error *err) {
    const char *type = NULL;
    OC_TRY(oc_json_get_string(input, "datatype", INPUT, &type, err));
    if (strcmp(type, expected) == 0) return OC_OK;
    return oc_fail(err, OC_EUSAGE, INPUT ".datatype: \"%.20s\", expected \"%s\"", type, expected);
}

/* *data: the array in the JSON, or NULL where the bytes stand behind it, which are all of those. */
static oc_status find_data(const reader *r, const json_t *input, const json_t **data,
                           oc_error *err) {
    const json_t *bytes = parameter(input, "binary_data_size");
    *data = json_object_get(input, "data");
    if (parameter(input, "shared_memory_region") != NULL)
        return bad_input(err, "parameters", "there is no shared memory here: send the tensor");
    if ((bytes != NULL) == (*data != NULL))
        return bad_input(err, "data",
                         "expected either \"data\" or the parameter \"binary_data_size\"");
    if (*data != NULL && !json_is_array(*data)) return bad_input(err, "data", "expected an array");
    uint64_t said = *data != NULL ? 0 : (uint64_t)json_integer_value(bytes);
    if (*data == NULL && (!json_is_integer(bytes) || json_integer_value(bytes) < 0))
        return bad_input(err, "parameters", "\"binary_data_size\" is to be a number of bytes");
    if (said == r->binary_size) return OC_OK;
    return oc_fail(err, OC_EUSAGE,
                   INPUT ": %" PRIu64 " bytes of binary data announced, %zu are behind the JSON",
                   said, r->binary_size);
}

static oc_status read_input(reader *r, const json_t *request, oc_error *err) {
    json_t *inputs = NULL;
    const json_t *data = NULL;
    const char *name = NULL;
    OC_TRY(oc_json_get_array(request, "inputs", "the request", &inputs, err));
    if (json_array_size(inputs) != 1)
        return oc_fail(err, OC_EUSAGE, "inputs: %zu of them, expected one: \"pixels\" or \"image\"",
                       json_array_size(inputs));
    const json_t *input = json_array_get(inputs, 0);
    OC_TRY(oc_json_get_string(input, "name", INPUT, &name, err));
    bool pixels = strcmp(name, "pixels") == 0;
    if (!pixels && strcmp(name, "image") != 0)
        return oc_fail(err, OC_EUSAGE, INPUT ".name: \"%.100s\", expected \"pixels\" or \"image\"",
                       name);
    OC_TRY(check_type(input, pixels ? "FP32" : "BYTES", err));
    OC_TRY(read_shape(r, input, err));
    OC_TRY(find_data(r, input, &data, err));
    return pixels ? read_pixels(r, data, err) : read_images(r, data, err);
}

/* ---- the outputs ---- */

/* A truth at "parameters"[key], or what stands for it when it is not there. */
static oc_status read_truth(const json_t *o, const char *key, const char *where, bool *out,
                            oc_error *err) {
    const json_t *value = parameter(o, key);
    if (value == NULL) return OC_OK;
    if (!json_is_boolean(value))
        return oc_fail(err, OC_EUSAGE, "%s.parameters.%s: expected true or false", where, key);
    *out = json_is_true(value);
    return OC_OK;
}

static oc_status read_output(const reader *r, const json_t *output, size_t i, oci_oip_output *out,
                             oc_error *err) {
    const json_t *k = parameter(output, "classification");
    size_t classes = r->model->classes->count;
    const char *name = NULL;
    char where[32];
    (void)snprintf(where, sizeof where, "outputs[%zu]", i);
    OC_TRY(oc_json_get_string(output, "name", where, &name, err));
    out->label = strcmp(name, "label") == 0;
    if (!out->label && strcmp(name, "probabilities") != 0)
        return oc_fail(err, OC_EUSAGE,
                       "%s.name: \"%.100s\", expected \"probabilities\" or \"label\"", where, name);
    OC_TRY(read_truth(output, "binary_data", where, &out->binary, err));
    if (k == NULL) return OC_OK;
    if (out->label || !json_is_integer(k) || json_integer_value(k) < 0)
        return oc_fail(err, OC_EUSAGE,
                       "%s.parameters.classification: expected a number of classes, and with "
                       "\"probabilities\"",
                       where);
    out->classification =
        json_integer_value(k) < (json_int_t)classes ? (int)json_integer_value(k) : (int)classes;
    return OC_OK;
}

static oc_status read_outputs(reader *r, const json_t *request, oc_error *err) {
    oci_oip_request *out = r->out;
    json_t *outputs = NULL;
    bool binary = false;
    OC_TRY(read_truth(request, "binary_data_output", "the request", &binary, err));
    out->outputs[0].binary = binary;
    out->output_count = 1;
    if (!oc_json_has(request, "outputs")) return OC_OK;
    OC_TRY(oc_json_get_array(request, "outputs", "the request", &outputs, err));
    size_t count = json_array_size(outputs);
    if (count > OCI_OIP_OUTPUTS)
        return oc_fail(err, OC_EUSAGE, "outputs: %zu of them, at most %d", count, OCI_OIP_OUTPUTS);
    for (size_t i = 0; i < count; i++) {
        out->outputs[i].binary = binary;
        OC_TRY(read_output(r, json_array_get(outputs, i), i, &out->outputs[i], err));
    }
    if (count > 0) out->output_count = count;
    return OC_OK;
}

/* What the answer will hold, before anything is run for it. */
static oc_status check_answer(const reader *r, oc_error *err) {
    const oci_oip_request *out = r->out;
    size_t json = 0, binary = 0, classes = r->model->classes->count;
    for (size_t i = 0; i < out->output_count; i++) {
        const oci_oip_output *o = &out->outputs[i];
        size_t k = o->label ? 1 : o->classification > 0 ? (size_t)o->classification : classes;
        if (o->binary)
            binary += out->n * k;
        else
            json += out->n * k;
    }
    if (json <= OCI_OIP_VALUES && binary <= OCI_OIP_BINARY_VALUES) return OC_OK;
    return oc_fail(err, OC_EUSAGE,
                   "the answer would have %zu values in JSON (at most %d) and %zu binary ones (at "
                   "most %d): ask for \"binary_data\", for \"classification\", or for fewer images",
                   json, OCI_OIP_VALUES, binary, OCI_OIP_BINARY_VALUES);
}

/* ---- the whole ---- */

/* Every value of JSON but the first stands behind one of these. */
static oc_status check_values(const char *text, size_t size, oc_error *err) {
    size_t values = 0;
    for (size_t i = 0; i < size; i++) values += text[i] == ',' || text[i] == '[' || text[i] == '{';
    if (values <= OCI_OIP_VALUES) return OC_OK;
    return oc_fail(err, OC_EUSAGE, "the request: more than %d values in JSON: send binary tensors",
                   OCI_OIP_VALUES);
}

static oc_status read_request(reader *r, const char *body, size_t json_size, oc_error *err) {
    oci_oip_request *out = r->out;
    OC_TRY(check_values(body, json_size, err));
    OC_TRY(oc_json_parse(body, json_size, "the request", &out->json, err));
    if (oc_json_has(out->json, "id"))
        OC_TRY(oc_json_get_string(out->json, "id", "the request", &out->id, err));
    OC_TRY(read_outputs(r, out->json, err));
    OC_TRY(read_input(r, out->json, err));
    return check_answer(r, err);
}

oc_status oci_oip_read(oci_oip_request *out, const oci_oip_model *model, const char *body,
                       size_t size, size_t json_size, oc_error *err) {
    reader r = {.out = out, .model = model};
    oc_error told = {0};
    *out = (oci_oip_request){0};
    if (json_size > size)
        return oc_fail(err, OC_EUSAGE,
                       "Inference-Header-Content-Length is %zu, the request has %zu bytes",
                       json_size, size);
    r.binary = (const unsigned char *)body + json_size;
    r.binary_size = size - json_size;
    oc_status status = read_request(&r, body, json_size, &told);
    if (status == OC_EFORMAT) status = OC_EUSAGE; /* the request is all there is to be wrong */
    return status == OC_OK ? OC_OK : oc_fail(err, status, "%s", told.message);
}

void oci_oip_clear(oci_oip_request *request) {
    json_decref(request->json);
    oc_free_aligned(request->pixels);
    oc_free(request->images);
    oc_free(request->decoded);
    *request = (oci_oip_request){0};
}
