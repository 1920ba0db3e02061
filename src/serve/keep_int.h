/* What a user says beside the photos, and keeping an identification as an observation. Private to
 * `serve`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_KEEP_INT_H
#define OC_SERVE_KEEP_INT_H

#include "serve/exchange_int.h"
#include "serve/secret_int.h"

/* Fields of a form; texts are borrowed from the exchange, NULL where not given. */
typedef struct oci_wish {
    bool keep, placed;
    double lat, lon; /* where placed */
    const char *date, *lang, *note, *suggested;
    const char *key; /* of the client's making: the same wish, sent again, has the same one; NULL */
} oci_wish;

/* OC_EUSAGE for what is out of range, no UTF-8 or too long; OC_EMISMATCH where it is to be kept and
 * the server keeps nothing. */
OC_MUST_CHECK oc_status oci_wish_read(const oci_exchange *x, oci_wish *out, oc_error *err);

typedef struct oci_identification oci_identification;
/* Before it waits: its photos are of kinds that can be kept. */
OC_MUST_CHECK oc_status oci_keep_check(const oci_identification *d, oc_error *err);
/* When it has been fused: onto the disk, without the photos' metadata, where the user wishes so;
 * `then` is called when it is there. False: no such wish. */
bool oci_keep_start(oci_identification *d, oci_step then);

/* UTF-8 without control characters (a note may have lines), at most so many characters. */
OC_MUST_CHECK oc_status oci_check_text(const char *name, const char *text, size_t most, bool lines,
                                       oc_error *err);
enum { OCI_NOTE_LETTERS = 500, OCI_LABEL_LETTERS = 200 };

/* The nearest point of a grid of so many degrees; 0 = as it is. */
double oci_blur(double value, double degrees);
/* YYYY-MM-DD of a day that there is. */
bool oci_is_date(const char *text);

#endif
