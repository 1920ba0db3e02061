/* One self-contained HTML file about an evaluation: it opens from disk, asks nothing of a network,
 * follows the reader's choice of light or dark, and works without scripts.
 *
 * This file holds the frame; each section has a file of its own.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "eval/report_int.h"

void oci_report_name(oci_report *r, size_t c, size_t columns) {
    const char *name = oci_class_name(&r->model->classes, c);
    oc_buf cell = {0};
    if (columns == 0 || oci_text_columns(name) <= columns) {
        oc_buf_html(&r->html, name);
        return;
    }
    oci_text_cell(&cell, name, columns);
    if (cell.failed) r->html.failed = true;
    if (!cell.failed) oc_buf_html(&r->html, cell.data);
    oc_buf_clear(&cell);
}

static const char *name_of(const oc_model *model) {
    return model->arch != NULL ? model->arch : "network";
}

static void put_head(oci_report *r) {
    const oc_score *s = &r->e->score;
    const char *source = oc_dataset_source(r->ds);
    char date[32];
    oc_buf_puts(&r->html, "<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n"
                          "<meta name=viewport content=\"width=device-width,initial-scale=1\">\n"
                          "<title>");
    oc_buf_html(&r->html, name_of(r->model));
    oc_buf_printf(&r->html, ": %.1f %% on %llu photos</title>\n", 100 * s->accuracy,
                  (unsigned long long)s->n);
    oci_report_style(&r->html);
    oc_buf_puts(&r->html, "</head><body><main>\n<header><p class=eyebrow>ocellus evaluation</p>\n"
                          "<h1>");
    oc_buf_html(&r->html, name_of(r->model));
    oc_buf_puts(&r->html, " on ");
    oc_buf_html(&r->html, oc_path_base(source)[0] != '\0' ? oc_path_base(source) : source);
    oc_buf_printf(&r->html, "</h1>\n<p class=soft>%llu photos, %zu classes, %.10s</p></header>\n",
                  (unsigned long long)s->n, s->classes, oc_clock_utc(date));
}

/* "key: text", when the model's origin says so. */
static void put_fact(oci_report *r, const char *key, const char *words) {
    const char *value = json_string_value(json_object_get(r->model->origin, key));
    if (value == NULL) return;
    oc_buf_printf(&r->html, " %s ", words);
    oc_buf_html(&r->html, value);
    oc_buf_puts(&r->html, ".");
}

static void put_foot(oci_report *r) {
    const oc_recipe *recipe = &r->model->recipe;
    char took[24];
    double rate = r->e->seconds > 0 ? (double)r->e->score.n / r->e->seconds : 0;
    oc_buf_puts(&r->html, "<footer><p>Data: ");
    oc_buf_html(&r->html, oc_dataset_source(r->ds));
    oc_buf_puts(&r->html, ". Network: ");
    oc_buf_html(&r->html, name_of(r->model));
    oc_buf_printf(&r->html, " at %d x %d pixels.", recipe->width, recipe->height);
    put_fact(r, "date", "Trained");
    put_fact(r, "command", "With");
    oc_buf_printf(
        &r->html,
        " Scored in %s (%.0f photos/s).</p>\n<p>Precision, recall and F1 are per class; "
        "macro is their mean over the classes present in this test. Accuracy's interval is "
        "Wilson's. Made by ocellus " OC_VERSION ".</p></footer>\n",
        oc_format_seconds(took, r->e->seconds), rate);
    oc_buf_puts(&r->html, "</main>\n");
    oci_report_script(&r->html);
    oc_buf_puts(&r->html, "</body></html>\n");
}

static oc_status put_page(oci_report *r, oc_error *err) {
    put_head(r);
    oci_report_summary(r);
    OC_TRY(oci_report_confusion(r, err));
    OC_TRY(oci_report_classes(r, err));
    oci_report_calibration(r);
    OC_TRY(oci_report_mistakes(r, err));
    put_foot(r);
    return oc_buf_status(&r->html, err);
}

oc_status oc_eval_report(const oc_eval *e, const oc_model *model, const oc_dataset *ds,
                         const char *path, oc_error *err) {
    oci_report r = {.e = e, .model = model, .ds = ds};
    oc_status status = OC_OK;
    OC_GOTO(put_page(&r, err));
    status = oc_file_write(path, r.html.data, r.html.size, err);
done:
    oc_buf_clear(&r.html);
    return status;
}
