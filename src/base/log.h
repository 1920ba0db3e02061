/* Words for people, through a sink that the caller owns. The library itself never prints.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_LOG_H
#define OC_BASE_LOG_H

#include "base/compat.h"

typedef enum oc_log_level { OC_LOG_INFO, OC_LOG_WARN } oc_log_level;

/* write gets one line without newline; it may be called from the thread that runs the call it was
 * given to, never from workers. A NULL sink, or NULL write, is silence. */
typedef struct oc_log {
    void (*write)(void *ctx, oc_log_level level, const char *line);
    void *ctx;
} oc_log;

void oc_info(const oc_log *log, const char *format, ...) OC_PRINTF(2, 3);
void oc_warn(const oc_log *log, const char *format, ...) OC_PRINTF(2, 3);

#endif
