/* The HTML report: self-contained, escaped, for few and for many classes.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "garden.h"

#include "eval/report_int.h"

/* The report of e as text; the caller frees it. */
static char *report_of(const garden *g, const oc_eval *e) {
    char path[OC_PATH_BYTES], *html = NULL;
    size_t size = 0;
    oc_error err = {0};
    check_ok(oc_path_join(path, g->folder, "report.html", &err), err);
    check_ok(oc_eval_report(e, g->model, g->ds, path, &err), err);
    check_ok(oc_file_read(path, 64 << 20, &html, &size, &err), err);
    assert_int_equal(strlen(html), size);
    return html;
}

static void check_has(const char *html, const char *part) {
    if (strstr(html, part) == NULL) fail_msg("no \"%s\" in the report", part);
}

/* Scores of made-up predictions over the photos of the garden: `wrong` of ten are mistakes. */
static oc_eval make_eval(const garden *g, size_t n, uint32_t wrong) {
    size_t classes = g->model->classes.count;
    oc_eval e = {.seconds = 1.5};
    oc_scorer *s = NULL;
    float *logits = oc_calloc(classes, sizeof *logits);
    e.predictions = oc_calloc(n, sizeof *e.predictions);
    assert_int_equal(oc_scorer_new(&s, classes, NULL), OC_OK);
    for (size_t i = 0; i < n; i++) {
        oc_rng rng;
        oc_rng_init(&rng, 5, OC_RNG_TEST, 0, i);
        int32_t truth = (int32_t)oc_rng_below(&rng, (uint32_t)classes), label = truth;
        if (oc_rng_below(&rng, 10) < wrong) label = (int32_t)((size_t)(truth + 1) % classes);
        memset(logits, 0, classes * sizeof *logits);
        logits[label] = 1 + 6 * oc_rng_uniform(&rng);
        oci_verdict v = oci_judge(logits, classes, 1, truth);
        oci_scorer_count(s, &v, truth);
        e.predictions[i] = (oc_prediction){.item = (uint32_t)(i % GARDEN_COUNT),
                                           .truth = truth,
                                           .label = v.label,
                                           .p = (float)v.p,
                                           .p_truth = (float)v.p_truth};
    }
    assert_int_equal(oc_scorer_finish(s, &e.score, NULL), OC_OK);
    oc_scorer_free(s);
    oc_free(logits);
    return e;
}

static void rename_classes(oc_model *model, int count) {
    oc_classes_clear(&model->classes);
    tiny_classes(&model->classes, count);
}

static void it_is_self_contained(void **state) {
    (void)state;
    garden *g = garden_new();
    oc_eval e = make_eval(g, 60, 3);
    char *html = report_of(g, &e);
    static const char *const parts[] = {"<!doctype html>",
                                        "prefers-color-scheme:dark",
                                        "<svg",
                                        "data:image/jpeg;base64,/9j/",
                                        "class-2",
                                        "name=viewport",
                                        "</html>"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) check_has(html, parts[i]);
    static const char *const never[] = {"http:", "https:", "<link", "@import", "url(", "src=\"/"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
        if (strstr(html, never[i]) != NULL) fail_msg("\"%s\" in the report", never[i]);
    }
    oc_free(html);
    oc_eval_clear(&e);
    garden_free(g);
}

static void names_from_outside_are_escaped(void **state) {
    (void)state;
    garden *g = garden_new();
    g->model->classes.items[0].display = oc_strdup("<script>alert(1)</script>");
    g->model->classes.items[1].display = oc_strdup("\"onload='x'");
    g->model->arch = oc_strdup("<b>net</b>");
    g->model->origin = json_pack("{s:s}", "command", "<i>train</i>");
    oc_eval e = make_eval(g, 60, 3);
    char *html = report_of(g, &e);
    check_has(html, "&lt;script&gt;");
    assert_null(strstr(html, "<script>alert"));
    assert_null(strstr(html, "<b>net"));
    assert_null(strstr(html, "<i>train"));
    assert_null(strstr(html, "\"onload='x'"));
    oc_free(html);
    oc_eval_clear(&e);
    garden_free(g);
}

static void no_mistakes_are_said_so(void **state) {
    (void)state;
    garden *g = garden_new();
    oc_eval e = make_eval(g, 30, 0);
    char *html = report_of(g, &e);
    check_has(html, "There are none.");
    assert_null(strstr(html, "<figure"));
    oc_free(html);
    oc_eval_clear(&e);
    garden_free(g);
}

static void a_vanished_photo_leaves_an_empty_tile(void **state) {
    (void)state;
    garden *g = garden_new();
    oc_eval e = make_eval(g, 60, 10);
    char path[OC_PATH_BYTES];
    assert_int_equal(oc_path_join(path, g->folder, "class-0", NULL), OC_OK);
    assert_int_equal(oc_path_remove_tree(path, NULL), OC_OK);
    char *html = report_of(g, &e);
    check_has(html, "class=none");
    check_has(html, "data:image/jpeg");
    oc_free(html);
    oc_eval_clear(&e);
    garden_free(g);
}

static void many_classes_show_their_worst_pairs(void **state) {
    (void)state;
    garden *g = garden_new();
    rename_classes(g->model, 120);
    oc_eval e = make_eval(g, 500, 3);
    char *html = report_of(g, &e);
    check_has(html, "pairs confused most, of 120 classes");
    check_has(html, "confusion matrix");
    oc_free(html);
    oc_eval_clear(&e);
    garden_free(g);
}

static void thousands_of_classes_go_without_a_grid(void **state) {
    (void)state;
    garden *g = garden_new();
    rename_classes(g->model, 2500);
    oc_eval e = make_eval(g, 500, 3);
    assert_null(e.score.confusion);
    char *html = report_of(g, &e);
    assert_null(strstr(html, "aria-label=\"confusion matrix\""));
    assert_true(strlen(html) < 1 << 20);
    oc_free(html);
    oc_eval_clear(&e);
    garden_free(g);
}

static void base64_is_that_of_rfc_4648(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        oc_buf out = {0};
        oc_buf_puts(&out, "");
        oc_buf_base64(&out, cases[i][0], strlen(cases[i][0]));
        assert_string_equal(out.data, cases[i][1]);
        oc_buf_clear(&out);
    }
}

static void reporting_survives_any_allocation_failing(void **state) {
    (void)state;
    garden *g = garden_new();
    oc_eval e = make_eval(g, 12, 5);
    char path[OC_PATH_BYTES];
    oc_status status = OC_ENOMEM;
    assert_int_equal(oc_path_join(path, g->folder, "report.html", NULL), OC_OK);
    for (uint64_t n = 1; status != OC_OK; n++) {
        assert_true(n < 2000);
        oc_mem_fail_at(n);
        status = oc_eval_report(&e, g->model, g->ds, path, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || status == OC_ENOMEM);
    }
    oc_eval_clear(&e);
    garden_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_self_contained),
        cmocka_unit_test(names_from_outside_are_escaped),
        cmocka_unit_test(no_mistakes_are_said_so),
        cmocka_unit_test(a_vanished_photo_leaves_an_empty_tile),
        cmocka_unit_test(many_classes_show_their_worst_pairs),
        cmocka_unit_test(thousands_of_classes_go_without_a_grid),
        cmocka_unit_test(base64_is_that_of_rfc_4648),
        cmocka_unit_test(reporting_survives_any_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
