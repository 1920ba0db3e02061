/* The top of the report: the numbers, and what they say in words.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "eval/report_int.h"

static void put_tile(oc_buf *html, const char *key, const char *hint, const char *value) {
    oc_buf_printf(html,
                  "<div class=card title=\"%s\"><div class=k>%s</div><div class=v>%s</div></div>\n",
                  hint, key, value);
}

static void put_share(oc_buf *html, const char *key, const char *hint, double share) {
    char text[48];
    (void)snprintf(text, sizeof text, "%.1f&thinsp;%%", 100 * share);
    put_tile(html, key, hint, text);
}

/* Accuracy as a line from 0 to 100 % with the interval as a band. */
static void put_interval(oc_buf *html, const oc_score *s) {
    double low = 300 * s->accuracy_low, high = 300 * s->accuracy_high;
    oc_buf_printf(html,
                  "<svg viewBox=\"0 0 300 32\" width=\"100%%\" role=img aria-label=\"interval\">"
                  "<rect x=0 y=5 width=300 height=8 rx=4 fill=\"var(--line)\"/>"
                  "<rect x=%.1f y=5 width=%.1f height=8 rx=4 class=g opacity=.45 />"
                  "<circle cx=%.1f cy=9 r=5.5 class=g />"
                  "<text x=0 y=25 class=t font-size=9>0</text>"
                  "<text x=300 y=25 class=\"t end\" font-size=9>100 %%</text></svg>\n",
                  low, fmax(high - low, 2), 300 * s->accuracy);
}

static void put_accuracy(oc_buf *html, const oc_score *s) {
    oc_buf_printf(html,
                  "<div class=\"card big\"><div class=k>Accuracy</div>"
                  "<div class=v>%.1f<small>&thinsp;%%</small></div>",
                  100 * s->accuracy);
    put_interval(html, s);
    oc_buf_printf(html,
                  "<div class=k>With %llu photos, the true value is between %.1f and %.1f %% "
                  "(95 %% interval), if they had no part in the training, not even in the choice "
                  "of its best epoch.</div></div>\n",
                  (unsigned long long)s->n, 100 * s->accuracy_low, 100 * s->accuracy_high);
}

static void put_tiles(oc_buf *html, const oc_score *s) {
    char nll[48];
    (void)snprintf(nll, sizeof nll, "%.3f", s->nll);
    oc_buf_puts(html, "<div class=grid>\n");
    put_share(html, "Among the first five", "the right class is one of the five most likely",
              s->top5);
    put_share(html, "Macro F1", "mean over classes of the harmonic mean of precision and recall",
              s->macro_f1);
    put_share(html, "Classes with F1 &gt; 0.5", "share of the classes in the test set", s->f1a);
    put_share(html, "Macro precision", "of the photos given a name, how many deserve it",
              s->macro_precision);
    put_share(html, "Macro recall", "of the photos of a class, how many are found",
              s->macro_recall);
    put_tile(html, "Log loss", "negative log-likelihood: 0 is perfect, ln(classes) is guessing",
             nll);
    oc_buf_puts(html, "</div>\n");
}

static uint64_t count_correct(const oc_score *s) {
    uint64_t correct = 0;
    for (size_t c = 0; c < s->classes; c++) correct += s->per_class[c].correct;
    return correct;
}

/* The lead: how many, and how far its certainty can be trusted. */
static void put_words(oci_report *r) {
    const oc_score *s = &r->e->score;
    double confidence = 0;
    for (int i = 0; i < OC_CALIBRATION_BINS; i++) {
        confidence += s->bin[i].confidence * (double)s->bin[i].n / (double)s->n;
    }
    double gap = 100 * (confidence - s->accuracy);
    oc_buf_printf(&r->html, "<p class=lead>The model named %llu of %llu photos right. ",
                  (unsigned long long)count_correct(s), (unsigned long long)s->n);
    if (fabs(gap) < 2) {
        oc_buf_printf(&r->html,
                      "On average it is as certain as it should be; group by group, its certainty "
                      "is off by %.1f points.",
                      100 * s->ece);
    } else {
        oc_buf_printf(&r->html, "On average it is %.0f points %s than it should be.", fabs(gap),
                      gap > 0 ? "more certain" : "less certain");
    }
    size_t rejected = oc_dataset_reject_count(r->ds);
    if (rejected > 0) {
        oc_buf_printf(&r->html, " %zu file%s could not be read and %s not counted.", rejected,
                      rejected == 1 ? "" : "s", rejected == 1 ? "is" : "are");
    }
    oc_buf_puts(&r->html, "</p>\n");
}

void oci_report_summary(oci_report *r) {
    const oc_score *s = &r->e->score;
    oc_buf_puts(&r->html, "<div class=top>\n");
    put_accuracy(&r->html, s);
    put_tiles(&r->html, s);
    oc_buf_puts(&r->html, "</div>\n");
    put_words(r);
}
