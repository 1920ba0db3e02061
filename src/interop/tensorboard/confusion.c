/* A confusion matrix as a picture: a row is what a photo shows, a column what it was taken for.
 * Right ones are blue, mistakes red, both the deeper the larger their share of the row.
 *
 * Of very many classes those are drawn that are most often part of a mistake.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "interop/interop.h"

enum { MOST_CLASSES = 50, FEW_CLASSES = 40 }; /* all are drawn up to; else so many */
enum { AREA = 1200, CELL_MIN = 20, CELL_MAX = 64, GAP = 12, LETTERS = 24, SCALE = 2 };
enum { LETTER = OC_LETTER_WIDTH * SCALE, LINE = OC_LETTER_HEIGHT * SCALE };

static const uint8_t white[3] = {255, 255, 255}, black[3] = {30, 30, 30}, grey[3] = {225, 225, 225};
static const uint8_t right[3] = {31, 95, 170}, wrong[3] = {200, 40, 30};

typedef struct drawing {
    const uint32_t *counts; /* (classes, classes) row = truth */
    const oc_classes *classes;
    oc_image *img;
    uint32_t *shown; /* (n) class numbers, ascending */
    int n, cell;
    int left, top; /* of the first cell */
} drawing;

/* ---- which ------------------------------------------------------------------------------------
 */

typedef struct standing {
    uint64_t mistakes;
    uint32_t class;
} standing;

static int by_mistakes(const void *a, const void *b) {
    const standing *p = a, *q = b;
    if (p->mistakes != q->mistakes) return p->mistakes > q->mistakes ? -1 : 1;
    return (p->class > q->class) - (p->class < q->class);
}

static int by_number(const void *a, const void *b) {
    const uint32_t *p = a, *q = b;
    return (*p > *q) - (*p < *q);
}

static void rank(standing *all, const uint32_t *counts, size_t classes) {
    for (size_t i = 0; i < classes; i++) all[i] = (standing){.class = (uint32_t)i};
    for (size_t i = 0; i < classes; i++)
        for (size_t k = 0; k < classes; k++) {
            if (i == k) continue;
            all[i].mistakes += counts[i * classes + k];
            all[k].mistakes += counts[i * classes + k];
        }
    qsort(all, classes, sizeof *all, by_mistakes);
}

static oc_status choose(drawing *d, oc_error *err) {
    size_t classes = d->classes->count;
    standing *all = oc_calloc(classes, sizeof *all);
    d->n = classes > MOST_CLASSES ? FEW_CLASSES : (int)classes;
    d->shown = oc_calloc((size_t)d->n, sizeof *d->shown);
    if (all == NULL || d->shown == NULL) {
        oc_free(all);
        return oc_fail_nomem(err, classes * sizeof *all, "the picture of a confusion matrix");
    }
    rank(all, d->counts, classes);
    for (int i = 0; i < d->n; i++) d->shown[i] = all[i].class;
    qsort(d->shown, (size_t)d->n, sizeof *d->shown, by_number);
    oc_free(all);
    return OC_OK;
}

/* ---- how --------------------------------------------------------------------------------------
 */

static const char *name_of(const drawing *d, int i) {
    const oc_class *c = &d->classes->items[d->shown[i]];
    return c->display != NULL ? c->display : c->label;
}

static oc_status lay_out(drawing *d, oc_error *err) {
    size_t longest = 1;
    for (int i = 0; i < d->n; i++) {
        size_t letters = oc_text_letters(name_of(d, i));
        if (letters > longest) longest = letters < LETTERS ? letters : LETTERS;
    }
    int cell = AREA / d->n, names = (int)longest * LETTER;
    d->cell = cell < CELL_MIN ? CELL_MIN : cell > CELL_MAX ? CELL_MAX : cell;
    d->left = GAP + names + GAP;
    d->top = GAP + 2 * LINE + GAP + names + GAP;
    int side = d->n * d->cell + GAP, needed = GAP + 48 * LETTER;
    int width = d->left + side > needed ? d->left + side : needed;
    OC_TRY(oc_image_reserve(d->img, width, d->top + side, 3, err));
    oc_image_fill(d->img, (oc_region){0, 0, d->img->width, d->img->height}, white);
    return OC_OK;
}

static void draw_title(const drawing *d) {
    char line[64];
    oc_pen pen = {.scale = SCALE, .colour = {black[0], black[1], black[2]}};
    oc_image_text(d->img, GAP, GAP, &pen, "Row: what it is. Column: what it was taken for.", 64);
    if ((size_t)d->n == d->classes->count) return;
    (void)snprintf(line, sizeof line, "The %d most confused of %zu classes.", d->n,
                   d->classes->count);
    oc_image_text(d->img, GAP, GAP + LINE, &pen, line, sizeof line);
}

static void draw_names(const drawing *d) {
    oc_pen across = {.scale = SCALE, .colour = {black[0], black[1], black[2]}}, up = across;
    up.upwards = true;
    for (int i = 0; i < d->n; i++) {
        const char *name = name_of(d, i);
        size_t letters = oc_text_letters(name);
        int width = (int)(letters < LETTERS ? letters : LETTERS) * LETTER;
        int middle = i * d->cell + (d->cell - LINE) / 2;
        oc_image_text(d->img, d->left - GAP / 2 - width, d->top + middle, &across, name, LETTERS);
        oc_image_text(d->img, d->left + middle, d->top - GAP / 2, &up, name, LETTERS);
    }
}

/* The number, where it fits. */
static void draw_count(const drawing *d, int x, int y, uint32_t count, bool dark) {
    char text[16];
    const uint8_t *ink = dark ? white : black;
    oc_pen pen = {.scale = SCALE, .colour = {ink[0], ink[1], ink[2]}};
    int width = snprintf(text, sizeof text, "%u", (unsigned)count) * LETTER;
    if (width - SCALE > d->cell - 2) {
        pen.scale = 1;
        width /= SCALE;
    }
    if (width - pen.scale > d->cell - 2) return;
    x += (d->cell - width + pen.scale) / 2;
    y += (d->cell - (OC_LETTER_HEIGHT - 2) * pen.scale) / 2;
    oc_image_text(d->img, x, y, &pen, text, sizeof text);
}

static void draw_cell(const drawing *d, int row, int column, uint64_t total) {
    size_t truth = d->shown[row], taken = d->shown[column];
    uint32_t count = d->counts[truth * d->classes->count + taken];
    const uint8_t *deep = row == column ? right : wrong;
    double share = total > 0 ? (double)count / (double)total : 0;
    double depth = count == 0 ? 0 : 0.12 + 0.88 * share;
    uint8_t colour[3];
    int x = d->left + column * d->cell, y = d->top + row * d->cell;
    for (int c = 0; c < 3; c++) colour[c] = (uint8_t)(255.5 + depth * ((double)deep[c] - 255));
    oc_image_fill(d->img, (oc_region){x + 1, y + 1, d->cell - 1, d->cell - 1}, colour);
    if (count > 0) draw_count(d, x, y, count, depth > 0.55);
}

static void draw_cells(const drawing *d) {
    size_t classes = d->classes->count;
    int side = d->n * d->cell + 1;
    oc_image_fill(d->img, (oc_region){d->left, d->top, side, side}, grey);
    for (int row = 0; row < d->n; row++) {
        uint64_t total = 0;
        for (size_t k = 0; k < classes; k++) total += d->counts[d->shown[row] * classes + k];
        for (int column = 0; column < d->n; column++) draw_cell(d, row, column, total);
    }
}

oc_status oc_confusion_draw(oc_image *out, const uint32_t *counts, const oc_classes *classes,
                            oc_error *err) {
    drawing d = {.counts = counts, .classes = classes, .img = out};
    oc_status status = OC_OK;
    OC_GOTO(choose(&d, err));
    OC_GOTO(lay_out(&d, err));
    draw_title(&d);
    draw_names(&d);
    draw_cells(&d);
done:
    oc_free(d.shown);
    return status;
}
