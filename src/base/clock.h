/* Time: monotonic seconds for durations, UTC text for records.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_CLOCK_H
#define OC_BASE_CLOCK_H

#include <stdint.h>

double oc_clock_seconds(void);        /* monotonic, arbitrary zero */
double oc_clock_wall(void);           /* seconds since 1970, for records */
char *oc_clock_utc(char storage[32]); /* "2026-11-21T03:27:21Z"; returns storage */
uint64_t oc_peak_rss_bytes(void);     /* peak resident memory of this process */

#endif
