/* Pictures for TensorBoard: the confusion matrix of the best epoch so far, and the held-out photos
 * that it is most certain and wrong about, with what they are and what they were taken for.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>

#include "train/train_int.h"

enum { MISTAKES = 8, SIDE = 224, LINE = 24, MARGIN = 4, QUALITY = 80, CAPTION_BYTES = 512 };
enum { LOOKED_AT = 1 << 25 }; /* logits */

typedef struct mistake {
    uint32_t item;
    int32_t truth, label;
    double p; /* of label */
} mistake;

/* What tiles are made with. */
typedef struct bench {
    oc_thumbnailer thumbnailer;
    oc_image photo, tile;
} bench;

static void bench_clear(bench *b) {
    oc_thumbnailer_clear(&b->thumbnailer);
    oc_image_clear(&b->photo);
    oc_image_clear(&b->tile);
}

/* ---- which ------------------------------------------------------------------------------------
 */

static mistake judge(const oci_judged *j, size_t i, double temperature) {
    const float *row = j->logits + i * j->classes;
    size_t best = 0;
    double sum = 0;
    for (size_t c = 1; c < j->classes; c++) {
        if (row[c] > row[best]) best = c;
    }
    mistake m = {.item = j->item[i], .truth = j->truth[i], .label = (int32_t)best};
    if (m.label == m.truth) return m;
    for (size_t c = 0; c < j->classes; c++)
        sum += exp(((double)row[c] - (double)row[best]) / temperature);
    m.p = 1 / sum;
    return m;
}

/* The most certain ones, the worst first; returns how many. */
static size_t find_mistakes(const oci_judged *j, double temperature, mistake worst[MISTAKES]) {
    size_t found = 0, rows = LOOKED_AT / j->classes;
    for (size_t i = 0; i < j->count && i < rows; i++) {
        mistake m = judge(j, i, temperature);
        if (m.label == m.truth) continue;
        if (found == MISTAKES && m.p <= worst[MISTAKES - 1].p) continue;
        size_t at = found < MISTAKES ? found++ : MISTAKES - 1;
        for (; at > 0 && worst[at - 1].p < m.p; at--) worst[at] = worst[at - 1];
        worst[at] = m;
    }
    return found;
}

/* ---- how --------------------------------------------------------------------------------------
 */

/* A line as large as fits. */
static void write_line(oc_image *tile, int y, const char *text) {
    oc_pen pen = {.scale = 2, .colour = {20, 20, 20}};
    size_t room = (SIDE - 2 * MARGIN) / OC_LETTER_WIDTH;
    if (oc_text_letters(text) > room / 2) pen.scale = 1;
    oc_image_text(tile, MARGIN, y + (LINE - OC_LETTER_HEIGHT * pen.scale) / 2 + 1, &pen, text,
                  room / (size_t)pen.scale);
}

static const char *name_of(const oci_session *s, int32_t label) {
    const oc_class *c = &s->model->classes.items[label];
    return c->display != NULL ? c->display : c->label;
}

static oc_status draw_tile(bench *b, const oci_session *s, const mistake *m, oc_error *err) {
    static const uint8_t paper[3] = {255, 255, 255};
    char line[CAPTION_BYTES];
    OC_TRY(oc_image_reserve(&b->tile, SIDE, SIDE + 2 * LINE, 3, err));
    oc_image_fill(&b->tile, (oc_region){0, 0, SIDE, SIDE + 2 * LINE}, paper);
    oc_image_paste(&b->tile, 0, 0, &b->photos.photo);
    (void)snprintf(line, sizeof line, "is %.*s", CAPTION_BYTES / 2, name_of(s, m->truth));
    write_line(&b->tile, SIDE, line);
    (void)snprintf(line, sizeof line, "not %.*s (%.0f%%)", CAPTION_BYTES / 2, name_of(s, m->label),
                   100 * m->p);
    write_line(&b->tile, SIDE + LINE, line);
    return OC_OK;
}

/* A photo that can no longer be read is left out; running out of memory is told. */
static oc_status put_mistake(bench *b, oci_session *s, const mistake *m, size_t number,
                             oc_error *err) {
    char tag[32];
    oc_error why = {0};
    const char *path = oc_dataset_item(s->data.val_set, m->item)->path;
    oc_status status = oc_thumbnail(&b->thumbnailer, path, SIDE, &b->photo, &why);
    if (status == OC_ENOMEM) return oc_fail(err, status, "%s", why.message);
    if (status != OC_OK) return OC_OK;
    OC_TRY(draw_tile(b, s, m, err));
    (void)snprintf(tag, sizeof tag, "mistakes/%zu", number);
    return oc_events_image(s->board.events, s->position.total, tag, &b->tile, QUALITY, err);
}

static oc_status put_mistakes(oci_session *s, const oci_judged *judged, oc_error *err) {
    mistake worst[MISTAKES];
    bench b = {0};
    oc_status status = OC_OK;
    size_t count = find_mistakes(judged, s->position.temperature, worst);
    for (size_t i = 0; i < count; i++) OC_GOTO(put_mistake(&b, s, &worst[i], i + 1, err));
done:
    bench_clear(&b);
    return status;
}

static oc_status put_confusion(oci_session *s, const uint32_t *counts, oc_error *err) {
    oc_image img = {0};
    oc_status status = oc_confusion_draw(&img, counts, &s->model->classes, err);
    if (status == OC_OK)
        status =
            oc_events_image(s->board.events, s->position.total, "confusion_matrix", &img, 0, err);
    oc_image_clear(&img);
    return status;
}

oc_status oci_board_pictures(oci_session *s, const oci_judged *judged, oc_error *err) {
    if (s->board.events == NULL) return OC_OK;
    if (judged->confusion != NULL) OC_TRY(put_confusion(s, judged->confusion, err));
    if (s->options->board != OC_BOARD_ALL) return OC_OK;
    return put_mistakes(s, judged, err);
}
