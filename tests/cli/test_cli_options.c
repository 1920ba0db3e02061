/* The parser of options: what it stores, what it refuses, what help says.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include "cli/options_int.h"

typedef struct flags {
    bool loud;
    int count, word;
    uint64_t seed;
    double rate;
    const char *text;
} flags;

static const char *const words[] = {"red", "green", "blue", NULL};

static const oci_option table[] = {
    {"loud", 'l', OCI_FLAG, offsetof(flags, loud), NULL, 0, 0, NULL, "a flag"},
    {"count", 'c', OCI_INT, offsetof(flags, count), "N", -5, 10, NULL, "a whole number"},
    {"seed", 0, OCI_U64, offsetof(flags, seed), "K", 0, 9e15, NULL, "a large number"},
    {"rate", 0, OCI_REAL, offsetof(flags, rate), "X", 0, 1, NULL, "a share"},
    {"text", 't', OCI_TEXT, offsetof(flags, text), "T", 0, 0, NULL,
     "some words that are long enough "
     "to be wrapped onto a second line of the help"},
    {"colour", 0, OCI_WORD, offsetof(flags, word), "C", 0, 0, words, "one of three"},
    {0}};

/* Parses up to eight words; returns what is left in args. */
static oc_status parse(flags *f, oci_args *args, char *argv[], oc_error *err) {
    int count = 0;
    while (argv[count]) count++;
    *args = (oci_args){"cmd", table, count, argv};
    return oci_options_parse(args, f, err);
}

#define ARGV(...) ((char *[]){__VA_ARGS__, NULL})
#define REFUSED(part, ...)                                                                         \
    do {                                                                                           \
        flags f_ = {0};                                                                            \
        oci_args args_;                                                                            \
        oc_error err_ = {0};                                                                       \
        check_fails(parse(&f_, &args_, ARGV(__VA_ARGS__), &err_), err_, OC_EUSAGE, part);          \
    } while (0)

static char a_count[] = "--count", a_count4[] = "--count=4", a_c7[] = "-c7", a_c_is7[] = "-c=7",
            a_c[] = "-c", a_minus[] = "-3", a_loud[] = "--loud", a_l[] = "-l", a_dash[] = "-",
            a_end[] = "--", a_file[] = "file", a_other[] = "other", a_text[] = "--text",
            a_empty[] = "--text=", a_equal[] = "--text=a=b", a_seed[] = "--seed",
            a_big[] = "9000000000000000", a_rate[] = "--rate", a_half[] = "0.5", a_nan[] = "nan",
            a_colour[] = "--colour", a_green[] = "Green", a_gren[] = "gren", a_11[] = "11",
            a_4x[] = "4x", a_loud1[] = "--loud=1", a_cout[] = "--cout", a_z[] = "-z";

static void values_are_stored_in_every_form(void **state) {
    (void)state;
    flags f = {0};
    oci_args args;
    oc_error err = {0};
    check_ok(parse(&f, &args, ARGV(a_count, a_minus, a_loud), &err), err);
    assert_int_equal(f.count, -3);
    assert_true(f.loud);
    check_ok(parse(&f, &args, ARGV(a_count4), &err), err);
    assert_int_equal(f.count, 4);
    check_ok(parse(&f, &args, ARGV(a_c7), &err), err);
    assert_int_equal(f.count, 7);
    check_ok(parse(&f, &args, ARGV(a_c_is7), &err), err);
    assert_int_equal(f.count, 7);
    check_ok(parse(&f, &args, ARGV(a_seed, a_big, a_rate, a_half, a_colour, a_green), &err), err);
    assert_true(f.seed == 9000000000000000u);
    assert_true(f.rate == 0.5);
    assert_int_equal(f.word, 1);
    check_ok(parse(&f, &args, ARGV(a_equal), &err), err);
    assert_string_equal(f.text, "a=b");
}

static void positional_arguments_keep_their_order(void **state) {
    (void)state;
    flags f = {0};
    oci_args args;
    oc_error err = {0};
    char *argv[] = {a_file, a_loud, a_dash, a_end, a_l, a_other, NULL};
    check_ok(parse(&f, &args, argv, &err), err);
    assert_int_equal(args.count, 4);
    assert_string_equal(args.argv[0], "file");
    assert_string_equal(args.argv[1], "-");
    assert_string_equal(args.argv[2], "-l");
    assert_string_equal(args.argv[3], "other");
    check_ok(oci_args_expect(&args, 1, -1, "FILE ...", &err), err);
    check_fails(oci_args_expect(&args, 5, -1, "FILE ...", &err), err, OC_EUSAGE, "FILE ...");
    check_fails(oci_args_expect(&args, 1, 3, "FILE", &err), err, OC_EUSAGE, "\"other\"");
}

static void wrong_values_are_refused_with_the_range(void **state) {
    (void)state;
    REFUSED("from -5 to 10", a_count, a_11);
    REFUSED("4x", a_count, a_4x);
    REFUSED("from 0 to 1", a_rate, a_nan);
    REFUSED("needs a value", a_count);
    REFUSED("needs a value", a_text, a_loud);
    REFUSED("empty", a_empty);
    REFUSED("takes no value", a_loud1);
    REFUSED("red, green, blue; did you mean green?", a_colour, a_gren);
}

static void unknown_options_are_refused_with_a_suggestion(void **state) {
    (void)state;
    REFUSED("did you mean --count?", a_cout);
    REFUSED("unknown option -z", a_z);
    REFUSED("from -5 to 10", a_c, a_11);
}

static void help_names_every_option_and_wraps(void **state) {
    (void)state;
    oc_buf out = {0};
    oci_options_help(table, 60, &out);
    assert_false(out.failed);
    for (const oci_option *o = table; o->name; o++) assert_non_null(strstr(out.data, o->name));
    assert_non_null(strstr(out.data, "red, green, blue"));
    size_t longest = 0;
    for (const char *line = out.data; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > longest) longest = strcspn(line, "\n");
    assert_in_range(longest, 30, 60);
    oc_buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_stored_in_every_form),
        cmocka_unit_test(positional_arguments_keep_their_order),
        cmocka_unit_test(wrong_values_are_refused_with_the_range),
        cmocka_unit_test(unknown_options_are_refused_with_a_suggestion),
        cmocka_unit_test(help_names_every_option_and_wraps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
