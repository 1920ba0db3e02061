/* What a look into every file of a data set finds, and what that means for training.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_DATA_CHECK_INT_H
#define OC_CLI_DATA_CHECK_INT_H

#include "data/data.h"
#include "term_int.h"

typedef struct oci_look { /* at one item */
    uint64_t hash, bytes; /* of the file */
    int width, height, channels;
    oc_image_format format;
    bool good;
} oci_look;

typedef struct oci_twin {
    uint32_t first, other; /* items with the same bytes */
    bool classes, parts;   /* they differ in class; they sit on both sides of a split */
} oci_twin;

typedef struct oci_survey {
    const oc_dataset *ds;
    oci_look *looks;   /* one per item */
    size_t *per_class; /* good items */
    oci_twin *twins;
    size_t twin_count, twin_classes, twin_parts;
    size_t good, rejected, tiny, odd, grey;
    size_t smallest, largest, median; /* photos of a class */
    size_t smallest_class, largest_class;
    int side_low, side_median, side_high; /* shorter sides */
    size_t formats[4], parts[4];
    uint64_t bytes;
} oci_survey;

enum { OCI_TINY_SIDE = 64, OCI_ODD_RATIO = 3, OCI_FEW = 20 };

/* Read every file that is not rejected. */
OC_MUST_CHECK oc_status oci_survey_run(oci_survey *out, const oc_dataset *ds, int threads,
                                       oc_error *err);
void oci_survey_clear(oci_survey *survey);

/* One thing to know about the data. */
typedef struct oci_remark {
    const char *kind; /* "duplicates", "imbalance", ... for machines; static */
    bool warning;
    char text[400];
} oci_remark;
enum { OCI_MAX_REMARKS = 16 };
/* Fill `out`, the verdict last; returns how many. */
size_t oci_survey_remarks(const oci_survey *s, oci_remark out[OCI_MAX_REMARKS]);

void oci_survey_text(const oci_survey *s, const oci_term *term, oc_buf *out);
json_t *oci_survey_json(const oci_survey *s); /* new reference, or NULL */

#endif
