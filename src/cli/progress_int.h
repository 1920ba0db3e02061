/* How a long command shows where it is: one line redrawn on a terminal, else a line every few
 * seconds; and the words of the library's log between.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_PROGRESS_INT_H
#define OC_CLI_PROGRESS_INT_H

#include "term_int.h"

typedef struct oci_progress {
    const oci_term *term;
    double next_seconds; /* clock at which the next line is due */
    double next_epoch;   /* the same for lines of epochs, which may be shorter than a blink */
    bool drawn;          /* a line stands on the terminal that is to be wiped */
} oci_progress;

/* True when a new line is due: ten a second on a terminal, one in five seconds elsewhere. */
bool oci_progress_due(oci_progress *p);
/* Show `line`, cut to the terminal; takes and clears the buffer. */
void oci_progress_show(oci_progress *p, oc_buf *line);
/* Wipe what is drawn, so that words can be written. */
void oci_progress_wipe(oci_progress *p);
/* A lasting line. */
void oci_progress_say(oci_progress *p, oci_paint paint, const char *format, ...) OC_PRINTF(3, 4);
/* Sink for the library's log; ctx is an oci_progress. */
void oci_progress_log(void *ctx, oc_log_level level, const char *line);
/* "47%  ETA 12 s": done of total items since `start` (clock seconds), drawn as a bar when due. */
void oci_progress_count(oci_progress *p, const char *what, size_t done, size_t total, double start);

#endif
