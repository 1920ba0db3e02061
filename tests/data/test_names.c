/* Files of class names.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data_test.h"

static const char products[] =
    "Class Name (str),Class ID (int),Coarse Class Name (str),Coarse Class ID (int),Image (str)\n"
    "Golden-Delicious,0,Apple,0,/a.jpg\n"
    "Granny-Smith,1,Apple,0,/b.jpg\n"
    "\"Lemon, yellow\",7,Lemon,4,/c.jpg\n";

static oc_status parse(oci_names *names, const char *text, const char *column, oc_error *err) {
    return oci_names_parse(names, text, strlen(text), "names", column, err);
}

static oci_names parse_good(const char *text, const char *column) {
    oci_names names;
    oc_error err = {0};
    check_ok(parse(&names, text, column, &err), err);
    return names;
}

static void lines_are_numbered_from_zero(void **state) {
    (void)state;
    oci_names names = parse_good("rose\n\nlily of the valley\r\niris", NULL);
    assert_int_equal(names.count, 3);
    assert_string_equal(oci_names_by_id(&names, 1)->label, "lily of the valley");
    assert_int_equal(oci_names_by_label(&names, "iris")->id, 2);
    assert_null(oci_names_by_id(&names, 3));
    assert_null(oci_names_by_id(&names, -1));
    assert_null(oci_names_by_label(&names, "tulip"));
    oci_names_clear(&names);
}

static void table_columns_pair_a_name_with_its_id(void **state) {
    (void)state;
    oci_names names = parse_good(products, NULL);
    assert_int_equal(names.count, 3);
    assert_int_equal(names.column, 1);
    assert_string_equal(oci_names_by_id(&names, 7)->label, "Lemon, yellow");
    oci_names_clear(&names);
}

static void column_is_chosen_by_number_word_or_header(void **state) {
    (void)state;
    static const char *const coarse[] = {"2", "coarse", "Coarse Class Name", "coarse class id",
                                         "Coarse Class ID (int)"};
    for (size_t i = 0; i < sizeof coarse / sizeof *coarse; i++) {
        oci_names names = parse_good(products, coarse[i]);
        assert_int_equal(names.column, 2);
        assert_int_equal(names.count, 2);
        assert_string_equal(oci_names_by_id(&names, 4)->label, "Lemon");
        oci_names_clear(&names);
    }
    oci_names fine = parse_good(products, "fine");
    assert_int_equal(fine.column, 1);
    oci_names_clear(&fine);
}

static void unknown_column_is_told_with_those_there_are(void **state) {
    (void)state;
    oci_names names;
    oc_error err = {0};
    check_fails(parse(&names, products, "3", &err), err, OC_EUSAGE, "it has 1 to 2 ('class name'");
    check_fails(parse(&names, products, "family", &err), err, OC_EUSAGE, "'family'");
}

static void tables_of_other_shapes_are_understood(void **state) {
    (void)state;
    oci_names names = parse_good("id;name\n3;rose\n1;iris\n", NULL);
    assert_string_equal(oci_names_by_id(&names, 3)->label, "rose");
    oci_names_clear(&names);
    names = parse_good("label,display,id\nRosa,Rose,5\n", NULL);
    assert_string_equal(oci_names_by_id(&names, 5)->display, "Rose");
    assert_string_equal(oci_names_by_id(&names, 5)->label, "Rosa");
    oci_names_clear(&names);
    names = parse_good("label,display name\nRosa,Rose\nIris,\n", NULL);
    assert_string_equal(oci_names_by_id(&names, 1)->label, "Iris");
    assert_null(oci_names_by_id(&names, 1)->display);
    oci_names_clear(&names);
}

static void contradictions_are_errors(void **state) {
    (void)state;
    oci_names names;
    oc_error err = {0};
    check_fails(parse(&names, "crane\nrose\ncrane\n", NULL, &err), err, OC_EFORMAT,
                "names:3: 'crane' already stands for 0");
    check_fails(parse(&names, "name,id\na,1\nb,1\n", NULL, &err), err, OC_EFORMAT,
                "1 stands for both 'a' and 'b'");
    check_fails(parse(&names, "name,id\na,x\n", NULL, &err), err, OC_EFORMAT,
                "names:2: id 'x' is not a whole number");
    check_fails(parse(&names, "name,id\na\n", NULL, &err), err, OC_EFORMAT, "names:2: 1 columns");
    check_fails(parse(&names, "\xFF\xFE\n", NULL, &err), err, OC_EFORMAT, "not UTF-8");
    check_fails(parse(&names, "# none\n", NULL, &err), err, OC_EFORMAT, "no names in it");
}

static void running_out_of_memory_is_told(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        oci_names names;
        oc_error err = {0};
        oc_mem_fail_at(n);
        oc_status status = parse(&names, products, "coarse", &err);
        oc_mem_fail_at(0);
        oci_names_clear(&names);
        if (status == OC_OK) break;
        assert_int_equal(status, OC_ENOMEM);
        assert_true(n < 100);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_numbered_from_zero),
        cmocka_unit_test(table_columns_pair_a_name_with_its_id),
        cmocka_unit_test(column_is_chosen_by_number_word_or_header),
        cmocka_unit_test(unknown_column_is_told_with_those_there_are),
        cmocka_unit_test(tables_of_other_shapes_are_understood),
        cmocka_unit_test(contradictions_are_errors),
        cmocka_unit_test(running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
