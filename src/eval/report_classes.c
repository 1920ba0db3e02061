/* The table of classes, the weakest first, each with what it is most often taken for.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "eval/report_int.h"

enum { MAX_ROWS = 2000 };

/* For each class the place of its most frequent mistake in pairs, plus one; 0 = none. */
static oc_status index_pairs(const oci_pair *pairs, size_t count, size_t classes, size_t **out,
                             oc_error *err) {
    *out = oc_calloc(classes, sizeof **out);
    if (*out == NULL) return oc_fail_nomem(err, classes * sizeof **out, "a report");
    for (size_t i = count; i > 0; i--) (*out)[pairs[i - 1].truth] = i; /* the first one wins */
    return OC_OK;
}

static void put_share(oc_buf *html, double value) {
    oc_buf_printf(html, "<td data-v=%.4f>%.1f", value, 100 * value);
}

static void put_row(oci_report *r, uint32_t c, const oci_pair *worst) {
    const oc_class_score *s = &r->e->score.per_class[c];
    oc_buf_puts(&r->html, "<tr><td>");
    oci_report_name(r, c, 0);
    oc_buf_printf(&r->html, "<td data-v=%llu>%llu", (unsigned long long)s->n,
                  (unsigned long long)s->n);
    put_share(&r->html, s->precision);
    put_share(&r->html, s->recall);
    put_share(&r->html, s->f1);
    oc_buf_printf(&r->html, "<span class=\"bar wide\"><i%s style=\"width:%.0f%%\"></i></span>",
                  s->f1 <= 0.5 ? " class=low" : "", 100 * s->f1);
    oc_buf_puts(&r->html, "<td class=\"left wide soft\">");
    if (worst != NULL) {
        oci_report_name(r, (size_t)worst->label, 0);
        oc_buf_printf(&r->html, " (%u)", worst->n);
    }
    oc_buf_puts(&r->html, "</tr>\n");
}

static void put_head(oci_report *r, size_t present, size_t shown) {
    size_t absent = r->e->score.classes - present;
    oc_buf_puts(&r->html, "<section><h2>Class by class</h2>\n<p class=soft>The weakest first; a "
                          "click on a heading sorts by it.");
    if (shown < present) {
        oc_buf_printf(&r->html, " These are the %zu weakest of %zu; the JSON holds all.", shown,
                      present);
    }
    if (absent > 0) {
        oc_buf_printf(&r->html, " %zu class%s without a photo in this test %s left out.", absent,
                      absent == 1 ? "" : "es", absent == 1 ? "is" : "are");
    }
    oc_buf_puts(&r->html,
                "</p>\n<div class=scroll><table><thead><tr><th data-sort=text>class"
                "<th data-sort=n>photos<th data-sort=n>precision %<th data-sort=n>recall %"
                "<th data-sort=n aria-sort=ascending>F1 %"
                "<th class=\"left wide\">most often taken for</tr></thead><tbody>\n");
}

oc_status oci_report_classes(oci_report *r, oc_error *err) {
    uint32_t *order = NULL;
    oci_pair *pairs = NULL;
    size_t *worst = NULL, present = 0, pair_count = 0;
    oc_status status = OC_OK;
    OC_GOTO(oci_worst_classes(&r->e->score, &order, &present, err));
    OC_GOTO(oci_confused_pairs(r->e, SIZE_MAX, &pairs, &pair_count, err));
    OC_GOTO(index_pairs(pairs, pair_count, r->e->score.classes, &worst, err));
    size_t shown = present < MAX_ROWS ? present : MAX_ROWS;
    put_head(r, present, shown);
    for (size_t i = 0; i < shown; i++) {
        size_t at = worst[order[i]];
        put_row(r, order[i], at > 0 ? &pairs[at - 1] : NULL);
    }
    oc_buf_puts(&r->html, "</tbody></table></div></section>\n");
done:
    oc_free(order);
    oc_free(pairs);
    oc_free(worst);
    return status;
}
