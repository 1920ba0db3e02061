/* The calibration curve: how often the model is right against how sure it says it is, and how many
 * photos it is that sure of.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "eval/report_int.h"

static const double side = 300, left = 46, top = 10, strip = 56; /* pixels */

static double x_of(double confidence) {
    return left + side * confidence;
}

static double y_of(double accuracy) {
    return top + side * (1 - accuracy);
}

static void put_axes(oc_buf *html) {
    for (int i = 0; i <= 4; i++) {
        double at = i / 4.0;
        oc_buf_printf(html,
                      "<path class=l d=\"M%.1f %.1fh%.0fM%.1f %.1fv%.0f\"/>"
                      "<text class=\"t end\" x=%.1f y=%.1f>%d</text>"
                      "<text class=\"t mid\" x=%.1f y=%.1f>%d</text>\n",
                      left, y_of(at), side, x_of(at), top, side, left - 7, y_of(at) + 4, 25 * i,
                      x_of(at), top + side + strip + 24, 25 * i);
    }
    oc_buf_printf(
        html,
        "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"var(--soft)\" stroke-dasharray=\"5 5\" "
        "stroke-width=1.5 />\n",
        x_of(0), y_of(0), x_of(1), y_of(1));
}

static void put_bin(oc_buf *html, const oc_score *s, int i, double most) {
    double n = (double)s->bin[i].n, wide = side / OC_CALIBRATION_BINS;
    double x = left + wide * i, y = y_of(s->bin[i].accuracy);
    if (s->bin[i].n == 0) return;
    oc_buf_printf(html,
                  "<g><title>%.0f photos of which it is %.0f %% sure on average: %.0f %% are "
                  "right</title>"
                  "<rect class=g x=%.1f y=%.1f width=%.1f height=%.1f rx=2 opacity=.3 />"
                  "<circle class=g cx=%.1f cy=%.1f r=%.1f />"
                  "<rect class=t x=%.1f y=%.1f width=%.1f height=%.1f opacity=.55 /></g>\n",
                  n, 100 * s->bin[i].confidence, 100 * s->bin[i].accuracy, x + 1, y, wide - 2,
                  top + side - y, x_of(s->bin[i].confidence), y, 3 + 3 * sqrt(n / most), x + 1,
                  top + side + 8 + strip * (1 - sqrt(n / most)), wide - 2, strip * sqrt(n / most));
}

static void put_chart(oc_buf *html, const oc_score *s) {
    double width = left + side + 12, height = top + side + strip + 46, most = 1;
    for (int i = 0; i < OC_CALIBRATION_BINS; i++) most = fmax(most, (double)s->bin[i].n);
    oc_buf_printf(html,
                  "<svg width=%.0f height=%.0f viewBox=\"0 0 %.0f %.0f\" role=img "
                  "aria-label=\"calibration curve\" style=\"max-width:100%%\">\n",
                  width, height, width, height);
    put_axes(html);
    for (int i = 0; i < OC_CALIBRATION_BINS; i++) put_bin(html, s, i, most);
    oc_buf_printf(html,
                  "<text class=\"t mid\" x=%.1f y=%.1f>how sure it says it is, %%</text>"
                  "<text class=\"t mid\" transform=\"translate(12 %.1f) rotate(-90)\">how often it "
                  "is right, %%</text></svg>\n",
                  left + side / 2, height - 4, top + side / 2);
}

static void put_sure(oci_report *r) {
    oc_sure sure = oc_eval_sure(r->e, r->model->threshold);
    double n = (double)r->e->score.n;
    if (!(r->model->threshold > 0)) return;
    oc_buf_printf(&r->html,
                  "<p>Below a certainty of %.0f %% its answer counts as <b>unknown</b>: %.1f %% of "
                  "these photos are above that, and of those %.1f %% are right.</p>",
                  100 * r->model->threshold, 100 * (double)sure.n / n,
                  sure.n > 0 ? 100 * (double)sure.correct / (double)sure.n : 0.0);
}

void oci_report_calibration(oci_report *r) {
    const oc_score *s = &r->e->score;
    oc_buf_puts(&r->html, "<section><h2>Can its certainty be trusted?</h2>\n"
                          "<div class=scroll><div class=two>\n");
    put_chart(&r->html, s);
    oc_buf_printf(
        &r->html,
        "<div><p>Photos are grouped by how sure the model says it is. A point on the "
        "dashed line means that the certainty can be taken at its word; below the line it "
        "is too sure of itself, above too modest. The grey bars say how many photos a "
        "group holds.</p><p>Expected calibration error: <b>%.1f %%</b>.",
        100 * s->ece);
    if (r->model->temperature != 1) {
        oc_buf_printf(&r->html,
                      " Its logits are divided by a temperature of %.2f, fitted after training.",
                      r->model->temperature);
    }
    oc_buf_puts(&r->html, "</p>");
    put_sure(r);
    oc_buf_puts(&r->html, "</div></div></div></section>\n");
}
