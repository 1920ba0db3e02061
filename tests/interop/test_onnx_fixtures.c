/* Small networks as PyTorch's exporters, timm, Keras, tf2onnx and ONNX Runtime's quantizer wrote
 * them (make_onnx_fixtures.py): each comes in and answers as ONNX Runtime did.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "interop/interop.h"

/* Scores are of order one; both sides add up some thousand products in float. */
static const double TOLERANCE = 1e-4;

static const char *file_of(char storage[OC_PATH_BYTES], const char *name, const char *extension) {
    (void)snprintf(storage, OC_PATH_BYTES, OC_SOURCE_DIR "/tests/interop/fixtures/onnx/%s%s", name,
                   extension);
    return storage;
}

static oc_model *take(const char *name) {
    char path[OC_PATH_BYTES];
    oc_model *model = NULL;
    oc_error err = {0};
    check_ok(oc_model_new(&model, &err), err);
    check_ok(oc_onnx_import(model, file_of(path, name, ".onnx"), 0, NULL, &err), err);
    return model;
}

/* The largest difference from what was recorded. */
static double difference_of(const oc_model *model, const char *name) {
    const oc_verify_options options = {.tolerance = 1};
    char path[OC_PATH_BYTES];
    oc_safetensors *file = NULL;
    oc_verification v = {0};
    oc_error err = {0};
    check_ok(oc_safetensors_open(&file, file_of(path, name, ".safetensors"), &err), err);
    check_ok(oc_verify_recorded(&v, model, file, path, &options, &err), err);
    double difference = v.output.difference;
    assert_true(v.output.largest > 0.1);
    oc_verification_clear(&v);
    oc_safetensors_close(file);
    return difference;
}

static void check(const char *name) {
    oc_model *model = take(name);
    double difference = difference_of(model, name);
    if (!(difference <= TOLERANCE))
        fail_msg("%s: %g away from ONNX Runtime, at most %g", name, difference, TOLERANCE);
    oc_model_free(model);
}

static void what_pytorch_writes_answers_as_recorded(void **state) {
    (void)state;
    check("torch113_mobile");
    check("torch113_plain");
    check("script_mobile");
    check("script_plain");
    check("dynamo_mobile");
    check("dynamo_plain");
    check("script_shuffle");
    check("dynamo_shuffle");
}

static void what_timm_writes_answers_as_recorded(void **state) {
    (void)state;
    check("timm_efficientnet");
    check("timm_mobilenetv3");
    check("timm_resnet");
}

static void what_keras_and_tf2onnx_write_answers_as_recorded(void **state) {
    (void)state;
    check("keras_mobile");
    check("keras_plain");
    check("tf2onnx_mobile");
    check("tf2onnx_plain");
}

/* Activations of 256 levels, without a sign and with one. */
static void what_onnx_runtime_quantized_answers_as_recorded(void **state) {
    (void)state;
    check("int8_bytes");
    check("int8_signed");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_pytorch_writes_answers_as_recorded),
        cmocka_unit_test(what_timm_writes_answers_as_recorded),
        cmocka_unit_test(what_keras_and_tf2onnx_write_answers_as_recorded),
        cmocka_unit_test(what_onnx_runtime_quantized_answers_as_recorded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
