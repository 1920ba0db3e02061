/* What the sections of the HTML report share. Private to `eval`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_REPORT_INT_H
#define OC_REPORT_INT_H

#include "eval/eval_int.h"

/* A report on its way; each section appends to html. */
typedef struct oci_report {
    oc_buf html;
    const oc_eval *e;
    const oc_model *model;
    const oc_dataset *ds;
} oci_report;

void oci_report_style(oc_buf *html);  /* the style sheet, with its <style> */
void oci_report_script(oc_buf *html); /* sorting of tables; the page works without */
void oci_report_summary(oci_report *r);
void oci_report_calibration(oci_report *r);
OC_MUST_CHECK oc_status oci_report_confusion(oci_report *r, oc_error *err);
OC_MUST_CHECK oc_status oci_report_classes(oci_report *r, oc_error *err);
OC_MUST_CHECK oc_status oci_report_mistakes(oci_report *r, oc_error *err);

/* The name of class c, escaped; cut to `columns` when that is above 0. */
void oci_report_name(oci_report *r, size_t c, size_t columns);

#endif
