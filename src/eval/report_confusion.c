/* What is taken for what: a grid of truth against answer where the names fit, else the pairs that
 * are confused most and a grid without names.
 *
 * A cell's strength is its share of the photos of its row, so that small classes show as well as
 * large ones. Only cells that hold something are drawn.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "eval/report_int.h"

enum {
    NAMED_CLASSES = 60,
    GRID_CLASSES = 400,
    GRID_CELLS = 20000,
    TITLED_CELLS = 4000,
    PAIRS = 20,
    NAME_COLUMNS = 22
};

/* Measures of a grid, in pixels. */
typedef struct grid {
    size_t classes;
    double cell;
    double left, top; /* room for names */
    bool named, titled;
} grid;

static void put_title(oci_report *r, size_t row, size_t column, uint32_t n) {
    uint64_t all = r->e->score.per_class[row].n;
    oc_buf_puts(&r->html, "<title>");
    oci_report_name(r, row, 0);
    oc_buf_puts(&r->html, row == column ? " recognised: " : " taken for ");
    if (row != column) {
        oci_report_name(r, column, 0);
        oc_buf_puts(&r->html, ": ");
    }
    oc_buf_printf(&r->html, "%u of %llu (%.0f %%)</title>", n, (unsigned long long)all,
                  100.0 * n / (double)all);
}

static void put_cell(oci_report *r, const grid *g, size_t row, size_t column, uint32_t n) {
    double share = (double)n / (double)r->e->score.per_class[row].n;
    double strength = 0.14 + 0.86 * (row == column ? share : sqrt(share));
    double x = g->left + g->cell * (double)column, y = g->top + g->cell * (double)row;
    double gap = g->cell > 10 ? 1 : 0;
    oc_buf_printf(&r->html,
                  "<rect class=\"cell %s\" x=%.1f y=%.1f width=%.1f height=%.1f rx=%.0f "
                  "fill-opacity=%.2f >",
                  row == column ? "g" : "b", x + gap / 2, y + gap / 2, g->cell - gap, g->cell - gap,
                  g->cell > 16 ? 3.0 : 0.0, strength);
    if (g->titled) put_title(r, row, column, n);
    oc_buf_puts(&r->html, "</rect>\n");
    if (g->cell < 20) return;
    oc_buf_printf(
        &r->html,
        "<text class=\"mid%s\" x=%.1f y=%.1f font-size=%d pointer-events=none>%u</text>\n",
        strength > 0.55 ? " on" : "", x + g->cell / 2, y + g->cell / 2 + 4, n > 999 ? 9 : 12, n);
}

static void put_cells(oci_report *r, const grid *g) {
    const uint32_t *confusion = r->e->score.confusion;
    for (size_t row = 0; row < g->classes; row++) {
        for (size_t column = 0; column < g->classes; column++) {
            uint32_t n = confusion[row * g->classes + column];
            if (n > 0) put_cell(r, g, row, column, n);
        }
    }
}

static void put_lines(oci_report *r, const grid *g) {
    double side = g->cell * (double)g->classes;
    size_t step = g->named ? 1 : (g->classes + 9) / 10;
    for (size_t i = 0; i <= g->classes; i += step) {
        double at = g->cell * (double)i;
        oc_buf_printf(&r->html, "<path class=l d=\"M%.1f %.1fh%.1fM%.1f %.1fv%.1f\"/>\n", g->left,
                      g->top + at, side, g->left + at, g->top, side);
    }
}

static void put_names(oci_report *r, const grid *g) {
    int size = g->cell < 14 ? 10 : 12;
    for (size_t c = 0; c < g->classes; c++) {
        double at = g->cell * ((double)c + 0.5);
        oc_buf_printf(&r->html, "<text class=end x=%.1f y=%.1f font-size=%d>", g->left - 8,
                      g->top + at + 4, size);
        oci_report_name(r, c, NAME_COLUMNS);
        oc_buf_printf(&r->html,
                      "</text>\n<text transform=\"translate(%.1f %.1f) rotate(-50)\" font-size=%d>",
                      g->left + at + 3, g->top - 8, size);
        oci_report_name(r, c, NAME_COLUMNS);
        oc_buf_puts(&r->html, "</text>\n");
    }
}

static size_t longest_name(const oci_report *r) {
    size_t longest = 4;
    for (size_t c = 0; c < r->e->score.classes; c++) {
        size_t columns = oci_text_columns(oci_class_name(&r->model->classes, c));
        if (columns > longest) longest = columns;
    }
    return longest < NAME_COLUMNS ? longest : NAME_COLUMNS;
}

static void put_grid(oci_report *r, const grid *g) {
    double side = g->cell * (double)g->classes;
    double width = g->left + side + (g->named ? g->top * 0.75 : 8), height = g->top + side + 22;
    oc_buf_printf(
        &r->html,
        "<div class=scroll><svg width=%.0f height=%.0f viewBox=\"0 0 %.0f %.0f\" role=img "
        "aria-label=\"confusion matrix\">\n",
        width, height, width, height);
    put_lines(r, g);
    put_cells(r, g);
    if (g->named) put_names(r, g);
    oc_buf_printf(&r->html,
                  "<text class=\"t mid\" x=%.1f y=%.1f>what the model says</text>"
                  "<text class=\"t mid\" transform=\"translate(12 %.1f) rotate(-90)\">what it "
                  "is</text></svg></div>\n",
                  g->left + side / 2, g->top + side + 17, g->top + side / 2);
}

static void put_named_grid(oci_report *r) {
    size_t n = r->e->score.classes;
    double name = 6.6 * (double)longest_name(r); /* pixels, about */
    double cell = fmin(fmax(720 / (double)n, 12), 44);
    const grid g = {.classes = n,
                    .cell = cell,
                    .left = name + 34,
                    .top = 0.77 * name + 16,
                    .named = true,
                    .titled = true};
    put_grid(r, &g);
}

static size_t count_cells(const oc_score *s) {
    size_t cells = 0;
    for (size_t i = 0; i < s->classes * s->classes; i++) cells += s->confusion[i] > 0;
    return cells;
}

static void put_bare_grid(oci_report *r) {
    const oc_score *s = &r->e->score;
    if (s->confusion == NULL || s->classes > GRID_CLASSES) return;
    size_t cells = count_cells(s);
    if (cells > GRID_CELLS) return;
    const grid g = {.classes = s->classes,
                    .cell = fmin(fmax(720 / (double)s->classes, 2), 9),
                    .left = 24,
                    .top = 4,
                    .titled = cells <= TITLED_CELLS};
    put_grid(r, &g);
}

static oc_status put_pairs(oci_report *r, oc_error *err) {
    oci_pair *pairs = NULL;
    size_t count = 0;
    OC_TRY(oci_confused_pairs(r->e, PAIRS, &pairs, &count, err));
    oc_buf_puts(&r->html, "<div class=scroll><table><thead><tr><th>is<th class=left>taken for"
                          "<th>photos<th>of its class</tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++) {
        uint64_t all = r->e->score.per_class[pairs[i].truth].n;
        oc_buf_puts(&r->html, "<tr><td>");
        oci_report_name(r, (size_t)pairs[i].truth, 0);
        oc_buf_puts(&r->html, "<td class=left>");
        oci_report_name(r, (size_t)pairs[i].label, 0);
        oc_buf_printf(&r->html, "<td>%u<td>%.0f&thinsp;%%</tr>\n", pairs[i].n,
                      100.0 * pairs[i].n / (double)all);
    }
    oc_buf_puts(&r->html, "</tbody></table></div>\n");
    oc_free(pairs);
    return OC_OK;
}

oc_status oci_report_confusion(oci_report *r, oc_error *err) {
    oc_buf_puts(&r->html, "<section><h2>What is taken for what</h2>\n<p class=soft>");
    if (r->e->score.classes <= NAMED_CLASSES) {
        oc_buf_puts(&r->html,
                    "Each row is a class as it is, each column what the model called it: "
                    "green on the diagonal is right, orange is a mistake. Strength is the "
                    "share of the row. Point at a cell for its words.</p>\n");
        put_named_grid(r);
    } else {
        oc_buf_printf(&r->html, "The %d pairs confused most, of %zu classes.</p>\n", PAIRS,
                      r->e->score.classes);
        OC_TRY(put_pairs(r, err));
        put_bare_grid(r);
    }
    oc_buf_puts(&r->html, "</section>\n");
    return OC_OK;
}
