/* Requests of the Open Inference Protocol: two bytes say how long the JSON is, little-endian; the
 * rest is the body. What is accepted lies within the body, is finite, and can be answered; what is
 * not is told.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "serve/oip_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLASSES = 3, SIDE = 4 };

static void check_input(const oci_oip_request *in, const char *body, size_t size) {
    OC_PROMISE(in->n >= 1 && in->n <= OCI_OIP_IMAGES);
    OC_PROMISE((in->pixels != NULL) != (in->images != NULL));
    for (size_t i = 0; in->pixels != NULL && i < in->n * 3 * SIDE * SIDE; i++)
        OC_PROMISE(isfinite(in->pixels[i]));
    for (size_t i = 0; in->images != NULL && i < in->n; i++) {
        const char *from = in->images[i].data;
        if (in->decoded == NULL)
            OC_PROMISE(from >= body && in->images[i].size <= (size_t)(body + size - from));
        for (size_t k = 0; k < in->images[i].size; k++) (void)((const volatile char *)from)[k];
    }
}

static void check_answer(const oci_oip_request *in, const oci_oip_model *model) {
    static float rows[OCI_OIP_IMAGES * CLASSES];
    oc_buf out = {0};
    size_t json_size = 0;
    json_t *json = NULL;
    OC_PROMISE(oci_oip_write(in, model, rows, &out, &json_size, NULL) == OC_OK);
    OC_PROMISE(oc_json_parse(out.data, json_size, "the answer", &json, NULL) == OC_OK);
    OC_PROMISE(json_array_size(json_object_get(json, "outputs")) == in->output_count);
    json_decref(json);
    oc_buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char a[] = "a", b[] = "b", c[] = "c";
    oc_class items[CLASSES] = {{.label = a}, {.label = b}, {.label = c}};
    const oc_classes classes = {.items = items, .count = CLASSES};
    const oc_recipe recipe = oc_recipe_default(SIDE, SIDE);
    const oci_oip_model model = {.name = "fuzz", .recipe = &recipe, .classes = &classes};
    oci_oip_request in;
    oc_error err = {0};
    if (size < 2) return 0;
    const size_t json_size = (size_t)data[0] | (size_t)data[1] << 8;
    const char *body = (const char *)data + 2;
    oc_status status = oci_oip_read(&in, &model, body, size - 2, json_size, &err);
    OC_PROMISE(status == OC_OK || err.message[0] != '\0');
    if (status == OC_OK) {
        check_input(&in, body, size - 2);
        check_answer(&in, &model);
    }
    oci_oip_clear(&in);
    return 0;
}
