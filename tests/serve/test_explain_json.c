/* What the answer says of a heat map: the picture, or why there is none.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "serve/identify_int.h"

static void a_picture_is_a_data_url(void **state) {
    (void)state;
    oci_photo photo = {.explained = OC_OK};
    oc_buf_puts(&photo.picture, "png");
    json_t *o = oci_explain_json(&photo);
    assert_string_equal(json_string_value(json_object_get(o, "explain")),
                        "data:image/png;base64,cG5n");
    assert_null(json_object_get(o, "explain_error"));
    json_decref(o);
    oc_buf_clear(&photo.picture);
}

static void check_refusal(oc_status why, int http) {
    oci_photo photo = {0};
    photo.explained = oc_fail(&photo.explain_error, why, "the reason");
    json_t *o = oci_explain_json(&photo), *error = json_object_get(o, "explain_error");
    assert_true(json_is_null(json_object_get(o, "explain")));
    assert_int_equal(json_integer_value(json_object_get(error, "status")), http);
    assert_string_equal(json_string_value(json_object_get(error, "detail")), "the reason");
    json_decref(o);
}

static void what_has_none_says_why(void **state) {
    (void)state;
    check_refusal(OC_EUNSUPPORTED, oc_status_http(OC_EUNSUPPORTED)); /* the network has no map */
    check_refusal(OC_ELIMIT, 503);                                   /* the queue was full */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_is_a_data_url),
        cmocka_unit_test(what_has_none_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
