/* The languages of the pages that the server writes.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "serve/words_int.h"

static void assert_language(const char *wanted, const char *code) {
    assert_string_equal(oci_language_of(wanted)->code, code);
}

static void every_word_is_there_in_ten_languages(void **state) {
    (void)state;
    int count = 0;
    for (const oci_language *in = oci_languages; in->code != NULL; in++, count++)
        for (int word = 0; word < OCI_WORDS; word++)
            if (in->words[word] == NULL || *in->words[word] == '\0')
                fail_msg("%s has no word %d", in->code, word);
    assert_int_equal(count, 10);
}

static void the_words_are_those_of_the_catalogue(void **state) {
    (void)state;
    assert_string_equal(oci_language_of("de")->words[OCI_WORD_LIKELY], "wahrscheinlich");
    assert_string_equal(oci_language_of("en")->words[OCI_WORD_PHOTO], "Photo {n}");
    assert_string_equal(oci_language_of("fr")->words[OCI_WORD_PHOTO], "Photo {n}");
    assert_string_equal(oci_language_of("ar")->dir, "rtl");
    assert_string_equal(oci_language_of("hi")->dir, "ltr");
}

static void the_first_language_that_is_there_is_taken(void **state) {
    (void)state;
    assert_language("pt-BR,pt;q=0.9,en;q=0.8", "pt");
    assert_language("tlh, ZH-Hant-TW;q=0.8 , de", "zh");
    assert_language("*;q=0.1,\tpl", "pl");
}

static void english_stands_where_none_is_there(void **state) {
    (void)state;
    static const char *const others[] = {"", "tlh", ",,;,", "deu", "d", "*", ";q=1", "\xFF\xFE-x"};
    assert_language(NULL, "en");
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) assert_language(others[i], "en");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_is_there_in_ten_languages),
        cmocka_unit_test(the_words_are_those_of_the_catalogue),
        cmocka_unit_test(the_first_language_that_is_there_is_taken),
        cmocka_unit_test(english_stands_where_none_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
