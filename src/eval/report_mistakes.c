/* The most confident mistakes, with the photo: where to look first, for a wrong label often hides
 * there.
 *
 * Thumbnails are made by the image room and stored in the page itself.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "eval/report_int.h"

enum { MOST = 24, SIDE = 160, JPEG_QUALITY = 80, MAX_REJECTS = 200 };

/* What making pictures needs, kept from one to the next. */
typedef struct workshop {
    oc_thumbnailer thumbnailer;
    oc_image small;
    oc_buf jpeg;
} workshop;

static void clear_workshop(workshop *w) {
    oc_thumbnailer_clear(&w->thumbnailer);
    oc_image_clear(&w->small);
    oc_buf_clear(&w->jpeg);
}

static oc_status make_thumbnail(workshop *w, const char *path, oc_error *err) {
    OC_TRY(oc_thumbnail(&w->thumbnailer, path, SIDE, &w->small, err));
    oc_buf_clear(&w->jpeg);
    return oc_encode_jpeg(&w->small, JPEG_QUALITY, &w->jpeg, err);
}

/* A photo that can no longer be read leaves an empty tile; running out of memory is told. */
static oc_status put_photo(oci_report *r, workshop *w, const char *path, oc_error *err) {
    oc_error why = {0};
    oc_status status = make_thumbnail(w, path, &why);
    if (status == OC_ENOMEM) return oc_fail(err, status, "%s", why.message);
    if (status != OC_OK) {
        oc_buf_puts(&r->html, "<div class=none></div>");
        return OC_OK;
    }
    oc_buf_puts(&r->html, "<img alt=\"\" src=\"data:image/jpeg;base64,");
    oc_buf_base64(&r->html, w->jpeg.data, w->jpeg.size);
    oc_buf_puts(&r->html, "\">");
    return OC_OK;
}

static oc_status put_mistake(oci_report *r, workshop *w, const oc_prediction *p, oc_error *err) {
    const char *path = oc_dataset_item(r->ds, p->item)->path;
    oc_buf_puts(&r->html, "<figure title=\"");
    oc_buf_html(&r->html, path);
    oc_buf_puts(&r->html, "\">");
    OC_TRY(put_photo(r, w, path, err));
    oc_buf_puts(&r->html, "<figcaption>is <b>");
    oci_report_name(r, (size_t)p->truth, 0);
    oc_buf_puts(&r->html, "</b><br>taken for <span class=w>");
    oci_report_name(r, (size_t)p->label, 0);
    oc_buf_printf(&r->html, "</span>, %.0f&thinsp;%%</figcaption></figure>\n", 100 * (double)p->p);
    return OC_OK;
}

static int by_confidence(const void *a, const void *b) {
    const oc_prediction *p = a, *q = b;
    if (p->p != q->p) return p->p > q->p ? -1 : 1;
    return (p->item > q->item) - (p->item < q->item);
}

static oc_status sorted_mistakes(const oc_eval *e, oc_prediction **out, size_t *count,
                                 oc_error *err) {
    size_t n = 0, bytes = (size_t)e->score.n * sizeof **out;
    *out = oc_malloc(bytes);
    if (*out == NULL) return oc_fail_nomem(err, bytes, "the mistakes");
    for (size_t i = 0; i < e->score.n; i++) {
        if (e->predictions[i].truth != e->predictions[i].label) (*out)[n++] = e->predictions[i];
    }
    qsort(*out, n, sizeof **out, by_confidence);
    *count = n;
    return OC_OK;
}

static void put_rejects(oci_report *r) {
    size_t count = oc_dataset_reject_count(r->ds);
    if (count == 0) return;
    oc_buf_printf(&r->html,
                  "<section><h2>Files that could not be read</h2><details><summary>%zu "
                  "file%s</summary><ul class=small>\n",
                  count, count == 1 ? "" : "s");
    for (size_t i = 0; i < count && i < MAX_REJECTS; i++) {
        const oc_reject *reject = oc_dataset_rejected(r->ds, i);
        oc_buf_puts(&r->html, "<li>");
        oc_buf_html(&r->html, reject->path);
        oc_buf_puts(&r->html, " <span class=soft>");
        oc_buf_html(&r->html, reject->reason);
        oc_buf_puts(&r->html, "</span>\n");
    }
    if (count > MAX_REJECTS) oc_buf_printf(&r->html, "<li>and %zu more", count - MAX_REJECTS);
    oc_buf_puts(&r->html, "</ul></details></section>\n");
}

oc_status oci_report_mistakes(oci_report *r, oc_error *err) {
    workshop w = {0};
    oc_prediction *wrong = NULL;
    size_t count = 0;
    oc_status status = OC_OK;
    OC_GOTO(sorted_mistakes(r->e, &wrong, &count, err));
    oc_buf_puts(&r->html, "<section><h2>The most confident mistakes</h2>\n<p class=soft>");
    oc_buf_puts(&r->html, count == 0 ? "There are none."
                                     : "Look here first: some of these photos may bear a wrong "
                                       "label, or show two things at once.");
    oc_buf_puts(&r->html, "</p>\n<div class=shots>\n");
    for (size_t i = 0; i < count && i < MOST; i++) OC_GOTO(put_mistake(r, &w, &wrong[i], err));
    oc_buf_puts(&r->html, "</div></section>\n");
    put_rejects(r);
done:
    oc_free(wrong);
    clear_workshop(&w);
    return status;
}
