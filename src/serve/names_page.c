/* POST /identify and /share: the page's form where scripts are off, and its share target before the
 * service worker is there. As /v1/identify, answered with a page of names in the page's own style.
 *
 * All that comes from outside, names of classes included, is escaped. The words are the catalogue's
 * in the visitor's language (the form's `lang`, else Accept-Language); reasons are told in English.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "serve/embedded_int.h"
#include "serve/identify_int.h"
#include "serve/words_int.h"

/* As the page says it (web/src/words). */
static oci_word certainty(double p) {
    if (p >= 0.9) return OCI_WORD_ALMOST;
    if (p >= 0.7) return OCI_WORD_LIKELY;
    if (p >= 0.4) return OCI_WORD_POSSIBLE;
    return p >= 0.1 ? OCI_WORD_UNSURE : OCI_WORD_UNLIKELY;
}

static const oci_language *language_of(const oci_exchange *x) {
    const char *chosen = oci_field(x, "lang");
    bool said = chosen != NULL && *chosen != '\0';
    return oci_language_of(said ? chosen : oci_header_in(x, "Accept-Language"));
}

static const char *name_of(const oc_class *class) {
    return class->display != NULL ? class->display : class->label;
}

/* ---- parts of the page ---- */

static void begin(oc_buf *out, const oci_language *in, const char *title) {
    const char *style = oci_page_stylesheet();
    oc_buf_printf(out,
                  "<!doctype html>\n<html lang=\"%s\" dir=\"%s\">\n<head>\n<meta "
                  "charset=\"utf-8\">\n<title>",
                  in->code, in->dir);
    oc_buf_html(out, title);
    oc_buf_puts(out, " · ocellus</title>\n<meta name=\"viewport\" "
                     "content=\"width=device-width, initial-scale=1, viewport-fit=cover\">\n");
    if (style != NULL) {
        oc_buf_puts(out, "<link rel=\"stylesheet\" href=\"");
        oc_buf_html(out, style);
        oc_buf_puts(out, "\">\n");
    }
    oc_buf_puts(out, "</head>\n<body>\n<header class=\"top\"><a class=\"brand\" href=\"/\"><img "
                     "src=\"/icons/icon.svg\" alt=\"\" width=\"32\" height=\"32\"><span>ocellus"
                     "</span></a></header>\n<main id=\"main\">\n<div class=\"answer alone\">\n");
}

static void end(oc_buf *out, const oci_language *in) {
    oc_buf_puts(out, "<a class=\"button main\" href=\"/\">");
    oc_buf_html(out, in->words[OCI_WORD_NEXT]);
    oc_buf_puts(out, "</a>\n</div>\n</main>\n</body>\n</html>\n");
}

/* What is not sure is shown as such, with a hint. */
static void unsure_head(oc_buf *out, const char *title, const char *hint) {
    oc_buf_puts(out, "<header class=\"best unsure\"><h2>");
    oc_buf_html(out, title);
    oc_buf_puts(out, "</h2><p class=\"label\"><bdi>");
    oc_buf_html(out, hint);
    oc_buf_puts(out, "</bdi></p></header>\n");
}

/* Its width is an attribute: the page's policy allows no styles within it. */
static void bar(oc_buf *out, const oci_language *in, double p) {
    double width = p < 0.015 ? 1.5 : 100 * p;
    oc_buf_printf(out,
                  "<svg class=\"bar\" viewBox=\"0 0 100 1\" preserveAspectRatio=\"none\" "
                  "width=\"100%%\" aria-hidden=\"true\"><rect x=\"%.1f\" width=\"%.1f\" "
                  "height=\"1\" fill=\"var(--accent, green)\"/></svg>",
                  strcmp(in->dir, "rtl") == 0 ? 100 - width : 0, width);
}

/* No answer is so sure that it would be 100 % or 0 %. */
static void percent(oc_buf *out, double p) {
    if (p < 0.005 || p >= 0.995)
        oc_buf_puts(out, p < 0.5 ? "<bdi>&lt; 1 %</bdi>" : "<bdi>&gt; 99 %</bdi>");
    else
        oc_buf_printf(out, "<bdi>%.0f %%</bdi>", 100 * p);
}

static void best_head(oc_buf *out, const oci_language *in, const oc_class *class, double p) {
    oc_buf_puts(out, "<header class=\"best\"><h2><bdi>");
    oc_buf_html(out, name_of(class));
    oc_buf_puts(out, "</bdi></h2>");
    if (!oc_equal_nocase(name_of(class), class->label)) {
        oc_buf_puts(out, "<p class=\"label\"><bdi>");
        oc_buf_html(out, class->label);
        oc_buf_puts(out, "</bdi></p>");
    }
    oc_buf_printf(out, "<p class=\"sure\"><strong>%s</strong> · ", in->words[certainty(p)]);
    percent(out, p);
    oc_buf_puts(out, "</p>");
    bar(out, in, p);
    oc_buf_puts(out, "</header>\n");
}

static void row(oc_buf *out, const oci_language *in, const oc_class *class, double p) {
    oc_buf_puts(out, "<li><div><bdi class=\"name\">");
    oc_buf_html(out, name_of(class));
    oc_buf_printf(out, "</bdi><span class=\"word\">%s</span><span class=\"p\">",
                  in->words[certainty(p)]);
    percent(out, p);
    oc_buf_puts(out, "</span></div>");
    bar(out, in, p);
    oc_buf_puts(out, "</li>\n");
}

/* "Photo {n}" with its number. */
static void photo_number(oc_buf *out, const char *words, size_t number) {
    const char *hole = strstr(words, "{n}");
    if (hole == NULL) hole = words + strlen(words);
    oc_buf_append(out, words, (size_t)(hole - words));
    oc_buf_printf(out, "%zu%s", number, *hole != '\0' ? hole + 3 : "");
}

/* Photos that could not be used are said below the names. */
static void refused_photos(oc_buf *out, const oci_language *in, const oci_identification *d) {
    for (size_t i = 0; i < d->count; i++) {
        if (d->photos[i].status == OC_OK) continue;
        oc_buf_puts(out, "<p>");
        photo_number(out, in->words[OCI_WORD_PHOTO], i + 1);
        oc_buf_puts(out, ": <bdi lang=\"en\">");
        oc_buf_html(out, d->photos[i].error.message);
        oc_buf_puts(out, "</bdi></p>\n");
    }
}

static void names(oc_buf *out, const oci_language *in, const oci_identification *d) {
    const oc_class *classes = d->served->model->classes.items;
    const char *unknown = in->words[OCI_WORD_UNKNOWN];
    int first = d->unknown ? 0 : 1;
    begin(out, in, d->unknown ? unknown : name_of(&classes[d->best[0].label]));
    if (d->unknown)
        unsure_head(out, unknown, in->words[OCI_WORD_UNKNOWN_HINT]);
    else
        best_head(out, in, &classes[d->best[0].label], (double)d->best[0].p);
    oc_buf_puts(out, "<ol class=\"names\">\n");
    for (int i = first; i < d->top; i++)
        row(out, in, &classes[d->best[i].label], (double)d->best[i].p);
    oc_buf_puts(out, "</ol>\n");
    refused_photos(out, in, d);
    end(out, in);
}

/* ---- answering ---- */

static oc_status send_page(oci_exchange *x, int status, oc_buf *page, oc_error *err) {
    oc_status failed = oc_buf_status(page, err);
    if (failed == OC_OK)
        failed =
            oci_answer_text(x, status, "text/html; charset=utf-8", page->data, page->size, err);
    oc_buf_clear(page);
    oci_page_headers(x);
    oci_answer_header(x, "Cache-Control", "no-store");
    return failed;
}

/* A refusal, told to a person. */
static oc_status send_refusal(oci_exchange *x, int status, const char *words, oc_error *err) {
    const oci_language *in = language_of(x);
    oc_buf page = {0};
    begin(&page, in, in->words[OCI_WORD_FAILED]);
    unsure_head(&page, in->words[OCI_WORD_FAILED], words);
    end(&page, in);
    return send_page(x, status, &page, err);
}

/* The words of the problem that x has as its answer. */
static oc_status problem_as_page(oci_exchange *x, oc_error *err) {
    json_t *problem = NULL;
    const char *words = "";
    if (x->answer.size > 0 &&
        oc_json_parse(x->answer.data, x->answer.size, "the answer", &problem, NULL) == OC_OK)
        words = json_string_value(json_object_get(problem, "detail"));
    oc_status status = send_refusal(x, x->status, words != NULL ? words : "", err);
    json_decref(problem);
    return status;
}

static oc_status answer_names(oci_exchange *x, oc_error *err) {
    oc_buf page = {0};
    if (!oci_identify_finish(x)) return problem_as_page(x, err);
    names(&page, language_of(x), x->work);
    oci_identify_count(x->work);
    return send_page(x, 200, &page, err);
}

/* Who gives something to the experts gets a token to take it back, which this page has no place
 * for. */
static bool wants_keeping(const oci_exchange *x) {
    const char *keep = oci_field(x, "keep");
    return keep != NULL && *keep != '\0' && strcmp(keep, "0") != 0;
}

oc_status oci_run_names(oci_exchange *x, oc_error *err) {
    oc_error error = {0};
    if (wants_keeping(x))
        return send_refusal(x, 400,
                            "keep: the form without scripts keeps nothing; send it to "
                            "/v1/identify, or use the page with scripts",
                            err);
    oc_status status = oci_identify_start(x, answer_names, &error);
    if (status != OC_OK) return send_refusal(x, oc_status_http(status), error.message, err);
    return x->then == NULL && x->status != 0 ? problem_as_page(x, err) : OC_OK;
}
