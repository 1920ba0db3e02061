/* Requests and answers of the Open Inference Protocol, without a server.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "../model/tiny.h"
#include "serve/oip_int.h"

enum { CLASSES = 3, VALUES = 3 * TINY_SIDE * TINY_SIDE };

typedef struct fixture {
    oc_model *model;
    oci_oip_model view;
} fixture;

static int set_up(void **state) {
    fixture *f = oc_calloc(1, sizeof *f);
    f->model = tiny_model(CLASSES);
    f->view =
        (oci_oip_model){.name = "tiny", .recipe = &f->model->recipe, .classes = &f->model->classes};
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    oc_model_free(f->model);
    oc_free(f);
    return 0;
}

/* JSON, and `binary` of `size` bytes behind it. */
static oc_status read_binary(const fixture *f, const char *json, const void *binary, size_t size,
                             oci_oip_request *out, oc_error *err) {
    oc_buf body = {0};
    oc_buf_puts(&body, json);
    oc_buf_append(&body, binary, size);
    assert_false(body.failed);
    /* a copy of just this size, so that the sanitizer sees a step beyond it */
    char *exact = oc_malloc(body.size);
    memcpy(exact, body.data, body.size);
    oc_status status = oci_oip_read(out, &f->view, exact, body.size, strlen(json), err);
    if (out->images != NULL && status == OC_OK && out->decoded == NULL)
        for (size_t i = 0; i < out->n; i++)
            assert_in_range((uintptr_t)out->images[i].data + out->images[i].size, (uintptr_t)exact,
                            (uintptr_t)exact + body.size);
    oc_free(exact);
    oc_buf_clear(&body);
    return status;
}

static oc_status read_json(const fixture *f, const char *json, oci_oip_request *out,
                           oc_error *err) {
    return read_binary(f, json, "", 0, out, err);
}

static void refuse(const fixture *f, const char *json, const char *words) {
    oci_oip_request in;
    oc_error err = {0};
    check_fails(read_json(f, json, &in, &err), err, OC_EUSAGE, words);
    oci_oip_clear(&in);
}

#define IMAGE "{\"inputs\":[{\"name\":\"image\",\"datatype\":\"BYTES\",\"shape\":[2],"

static void images_in_json_are_base64(void **state) {
    const fixture *f = *state;
    oci_oip_request in;
    oc_error err = {0};
    check_ok(read_json(f, IMAGE "\"data\":[\"Zm9v\",\"\"]}],\"id\":\"7\"}", &in, &err), err);
    assert_int_equal(in.n, 2);
    assert_int_equal(in.images[0].size, 3);
    assert_memory_equal(in.images[0].data, "foo", 3);
    assert_int_equal(in.images[1].size, 0);
    assert_string_equal(in.id, "7");
    oci_oip_clear(&in);
    refuse(f, IMAGE "\"data\":[\"Zm9v\"]}]}", "inputs[0].data: 1 images");
    refuse(f, IMAGE "\"data\":[\"Zm9v\",\"Zm9\"]}]}", "inputs[0].data[1]");
    refuse(f, IMAGE "\"data\":[\"Zm9v\",7]}]}", "inputs[0].data[1]");
}

#define BINARY_IMAGE(bytes) IMAGE "\"parameters\":{\"binary_data_size\":" bytes "}}]}"

static void binary_images_have_their_length_in_front(void **state) {
    const fixture *f = *state;
    oci_oip_request in;
    oc_error err = {0};
    check_ok(read_binary(f, BINARY_IMAGE("11"), "\3\0\0\0foo\0\0\0\0", 11, &in, &err), err);
    assert_int_equal(in.images[0].size, 3);
    assert_int_equal(in.images[1].size, 0);
    oci_oip_clear(&in);
    static const struct {
        const char *json, *bytes;
        size_t size;
        const char *words;
    } bad[] = {
        {BINARY_IMAGE("7"), "\3\0\0\0foo", 7, "end before image 1"},
        {BINARY_IMAGE("10"), "\3\0\0\0foo\0\0\0", 10, "end before image 1"},
        {BINARY_IMAGE("11"), "\4\0\0\0foo\0\0\0\0", 11, "end before image 1"},
        {BINARY_IMAGE("11"), "\3\0\0\0foo\1\0\0\0", 11, "image 1 has 1 bytes, 0 are left"},
        {BINARY_IMAGE("11"), "\377\377\377\377foo\0\0\0\0", 11, "4294967295 bytes"},
        {BINARY_IMAGE("12"), "\3\0\0\0foo\0\0\0\0x", 12, "1 bytes behind"},
        {BINARY_IMAGE("12"), "\3\0\0\0foo\0\0\0\0", 11, "12 bytes of binary data announced, 11"},
        {BINARY_IMAGE("9223372036854775807"), "", 0, "announced"},
        {BINARY_IMAGE("-1"), "", 0, "a number of bytes"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        check_fails(read_binary(f, bad[i].json, bad[i].bytes, bad[i].size, &in, &err), err,
                    OC_EUSAGE, bad[i].words);
        oci_oip_clear(&in);
    }
}

/* A request for pixels of that shape; data: count times `value`. */
static void pixels_json(oc_buf *out, const char *shape, size_t count, const char *value) {
    oc_buf_printf(out,
                  "{\"inputs\":[{\"name\":\"pixels\",\"datatype\":\"FP32\",\"shape\":%s,"
                  "\"data\":[",
                  shape);
    for (size_t i = 0; i < count; i++) oc_buf_printf(out, "%s%s", i > 0 ? "," : "", value);
    oc_buf_puts(out, "]}]}");
}

static void refuse_pixels(const fixture *f, const char *shape, size_t count, const char *value,
                          const char *words) {
    oc_buf json = {0};
    pixels_json(&json, shape, count, value);
    refuse(f, json.data, words);
    oc_buf_clear(&json);
}

static void pixels_are_as_the_recipe_says(void **state) {
    const fixture *f = *state;
    oci_oip_request in;
    oc_error err = {0};
    oc_buf json = {0};
    pixels_json(&json, "[2,3,8,8]", 2 * VALUES, "-0.25");
    check_ok(read_json(f, json.data, &in, &err), err);
    assert_int_equal(in.n, 2);
    for (size_t i = 0; i < 2 * VALUES; i++) assert_float_equal(in.pixels[i], -0.25, 0);
    oci_oip_clear(&in);
    oc_buf_clear(&json);
    refuse_pixels(f, "[1,3,8,8]", VALUES - 1, "1", "191 numbers, its shape asks for 192");
    refuse_pixels(f, "[1,3,8,8]", VALUES + 1, "1", "more than the 192");
    refuse_pixels(f, "[1,3,8,8]", VALUES, "1e39", "value 0 is no finite");
    refuse_pixels(f, "[1,3,8,8]", VALUES, "\"1\"", "value 0 is no finite");
    refuse_pixels(f, "[1,3,8,8]", VALUES, "[1]", "not as its shape");
    refuse_pixels(f, "[1,8,8,3]", VALUES, "1", "(n, 3, 8, 8)");
    refuse_pixels(f, "[192]", VALUES, "1", "(n, 3, 8, 8)");
}

static void shapes_that_overflow_are_refused(void **state) {
    const fixture *f = *state;
    static const char *const shapes[] = {"[4294967296,4294967296]",
                                         "[1,3,2147483648,8]",
                                         "[-1,3,8,8]",
                                         "[0,3,8,8]",
                                         "[1.0,3,8,8]",
                                         "[\"1\",3,8,8]",
                                         "[[1],3,8,8]",
                                         "[9223372036854775807]",
                                         "[257,3,8,8]",
                                         "[]",
                                         "[1,1,1,1,1]",
                                         "null",
                                         "7",
                                         "[1,3,8,2147483647]"};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        refuse_pixels(f, shapes[i], 1, "1", "shape");
}

static void binary_pixels_are_little_endian(void **state) {
    const fixture *f = *state;
    static const char json[] =
        "{\"inputs\":[{\"name\":\"pixels\",\"datatype\":\"FP32\",\"shape\":[1,3,8,8],"
        "\"parameters\":{\"binary_data_size\":768}}],\"parameters\":{\"binary_data_output\":true}}";
    unsigned char bytes[4 * VALUES] = {0, 0, 0xC0, 0x3F}; /* 1.5 */
    oci_oip_request in;
    oc_error err = {0};
    check_ok(read_binary(f, json, bytes, sizeof bytes, &in, &err), err);
    assert_float_equal(in.pixels[0], 1.5, 0);
    assert_float_equal(in.pixels[1], 0, 0);
    assert_true(in.outputs[0].binary);
    oci_oip_clear(&in);
    bytes[7] = 0x7F; /* infinity */
    bytes[6] = 0x80;
    check_fails(read_binary(f, json, bytes, sizeof bytes, &in, &err), err, OC_EUSAGE,
                "value 1 is no finite");
    oci_oip_clear(&in);
    check_fails(read_binary(f, json, bytes, sizeof bytes - 1, &in, &err), err, OC_EUSAGE,
                "announced");
    oci_oip_clear(&in);
}

static void outputs_are_checked(void **state) {
    const fixture *f = *state;
    static const char *const bad[][2] = {
        {"[{}]", "name"},
        {"[7]", "outputs[0]"},
        {"7", "outputs"},
        {"[{\"name\":\"x\"}]", "outputs[0].name"},
        {"[{\"name\":\"label\",\"parameters\":{\"classification\":1}}]", "classification"},
        {"[{\"name\":\"probabilities\",\"parameters\":{\"classification\":1.5}}]",
         "classification"},
        {"[{\"name\":\"probabilities\",\"parameters\":{\"binary_data\":1}}]", "binary_data"}};
    char json[512];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(json, sizeof json, IMAGE "\"data\":[\"\",\"\"]}],\"outputs\":%s}",
                       bad[i][0]);
        refuse(f, json, bad[i][1]);
    }
}

static void an_answer_that_is_too_large_is_refused_before_it_is_made(void **state) {
    fixture f = *(fixture *)*state;
    const oc_classes many = {.count = 1500000}, most = {.count = 9000000};
    oci_oip_request in;
    oc_error err = {0};
    f.view.classes = &many;
    refuse(&f, IMAGE "\"data\":[\"Zm9v\",\"\"]}]}", "3000000 values in JSON");
    check_ok(read_json(&f,
                       IMAGE
                       "\"data\":[\"Zm9v\",\"\"]}],\"parameters\":{\"binary_data_output\":true}}",
                       &in, &err),
             err);
    oci_oip_clear(&in);
    f.view.classes = &most;
    refuse(&f, IMAGE "\"data\":[\"Zm9v\",\"\"]}],\"parameters\":{\"binary_data_output\":true}}",
           "18000000 binary ones");
}

static const float rows[2 * CLASSES] = {0.25F, 0.5F, 0.25F, 0.125F, 0.125F, 0.75F};

static void answers_are_json(void **state) {
    const fixture *f = *state;
    oci_oip_request in = {.n = 2, .id = "mine", .output_count = 3};
    oc_error err = {0};
    oc_buf out = {0};
    size_t size = 0;
    in.outputs[1].label = true;
    in.outputs[2].classification = 2;
    check_ok(oci_oip_write(&in, &f->view, rows, &out, &size, &err), err);
    assert_int_equal(size, out.size);
    assert_string_equal(
        out.data, "{\"model_name\":\"tiny\",\"model_version\":\"1\",\"id\":\"mine\",\"outputs\":["
                  "{\"name\":\"probabilities\",\"datatype\":\"FP32\",\"shape\":[2,3],"
                  "\"data\":[0.25,0.5,0.25,0.125,0.125,0.75]},"
                  "{\"name\":\"label\",\"datatype\":\"BYTES\",\"shape\":[2],"
                  "\"data\":[\"class-1\",\"class-2\"]},"
                  "{\"name\":\"probabilities\",\"datatype\":\"BYTES\",\"shape\":[2,2],"
                  "\"data\":[\"0.500000:1:class-1\",\"0.250000:0:class-0\","
                  "\"0.750000:2:class-2\",\"0.125000:0:class-0\"]}]}");
    oc_buf_clear(&out);
}

static void binary_answers_stand_behind_the_json(void **state) {
    const fixture *f = *state;
    oci_oip_request in = {.n = 2, .output_count = 2};
    oc_error err = {0};
    oc_buf out = {0};
    size_t size = 0;
    in.outputs[0].binary = in.outputs[1].binary = in.outputs[1].label = true;
    check_ok(oci_oip_write(&in, &f->view, rows, &out, &size, &err), err);
    assert_int_equal(out.size - size, sizeof rows + 2 * (4 + 7));
    assert_memory_equal(out.data + size, "\0\0\x80\x3E\0\0\0\x3F", 8); /* 0.25, 0.5 */
    assert_memory_equal(out.data + size + sizeof rows, "\7\0\0\0class-1\7\0\0\0class-2", 22);
    assert_non_null(strstr(out.data, "\"binary_data_size\":24"));
    oc_buf_clear(&out);
}

static void without_memory_the_request_fails(void **state) {
    const fixture *f = *state;
    for (uint64_t n = 1;; n++) {
        oci_oip_request in;
        oc_buf out = {0};
        oc_error err = {0};
        size_t size = 0;
        static const char json[] = IMAGE "\"data\":[\"Zm9v\",\"\"]}]}";
        oc_mem_fail_at(n);
        oc_status status = oci_oip_read(&in, &f->view, json, strlen(json), strlen(json), &err);
        if (status == OC_OK) status = oci_oip_write(&in, &f->view, rows, &out, &size, &err);
        oc_mem_fail_at(0);
        oci_oip_clear(&in);
        oc_buf_clear(&out);
        if (status == OC_OK) break;
        assert_int_equal(status, OC_ENOMEM);
        assert_true(n < 50);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(images_in_json_are_base64, set_up, tear_down),
        cmocka_unit_test_setup_teardown(binary_images_have_their_length_in_front, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(pixels_are_as_the_recipe_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shapes_that_overflow_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(binary_pixels_are_little_endian, set_up, tear_down),
        cmocka_unit_test_setup_teardown(outputs_are_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_that_is_too_large_is_refused_before_it_is_made,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_are_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(binary_answers_stand_behind_the_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_memory_the_request_fails, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
