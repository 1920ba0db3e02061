/* Filling an oc_error. Errors are told once, where they are found; on the way up a caller may only
 * put the place in front.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_ERROR_H
#define OC_BASE_ERROR_H

#include "base/compat.h"
#include "ocellus/status.h"

/* Write `status` and the formatted message into err (may be NULL); returns status, so that a
 * failing function ends in `return oc_fail(err, OC_EFORMAT, "...")`. The message is cut at a UTF-8
 * boundary; control characters from untrusted names become '?'. */
oc_status oc_fail(oc_error *err, oc_status status, const char *format, ...) OC_PRINTF(3, 4);

/* As oc_fail, with ": " and the words for errno `number` behind the message. ENOSPC, EACCES and
 * ENOENT say what to try. */
oc_status oc_fail_errno(oc_error *err, oc_status status, int number, const char *format, ...)
    OC_PRINTF(4, 5);

/* Put "place: " in front of the message that err already holds; returns `status`, which is to be
 * the one of that failure. */
oc_status oc_error_context(oc_error *err, oc_status status, const char *format, ...)
    OC_PRINTF(3, 4);

/* Return early on failure. `expr` is an oc_status; nothing is freed. */
#define OC_TRY(expr)                                                                               \
    do {                                                                                           \
        oc_status oc_try_status_ = (expr);                                                         \
        if (oc_try_status_ != OC_OK) return oc_try_status_;                                        \
    } while (0)

/* Jump to the one exit on failure: `status` is a local of type oc_status, `done` the label. */
#define OC_GOTO(expr)                                                                              \
    do {                                                                                           \
        status = (expr);                                                                           \
        if (status != OC_OK) goto done;                                                            \
    } while (0)

/* Abort with file and line when a promise of our own is broken. Never for data from outside. */
#define OC_PROMISE(cond) ((cond) ? (void)0 : oc_broken_promise(#cond, __FILE__, __LINE__))
void oc_broken_promise(const char *what, const char *file, int line);

#endif
