/* What a call can return, and the words that go with a failure.
 *
 * One table maps every status to its name, to the exit code of the command line and to the HTTP
 * status of the server, so that the three never disagree.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OCELLUS_STATUS_H
#define OCELLUS_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

/* X(name, exit code, HTTP status, meaning) */
#define OC_STATUS_MAP(X)                                                                           \
    X(OC_OK, 0, 200, "all that was asked was done")                                                \
    X(OC_EUSAGE, 1, 400, "the request itself is wrong")                                            \
    X(OC_ENOTFOUND, 2, 404, "what was named does not exist")                                       \
    X(OC_EFORMAT, 2, 422, "malformed input")                                                       \
    X(OC_ELIMIT, 2, 413, "input beyond its budget of bytes, pixels, scans or time")                \
    X(OC_EMISMATCH, 2, 409, "parts that do not fit together")                                      \
    X(OC_EUNSUPPORTED, 2, 415, "valid input of a kind that is not handled")                        \
    X(OC_EDATA, 2, 422, "the data set does not allow what was asked")                              \
    X(OC_ENUMERIC, 2, 500, "a number became infinite or not a number")                             \
    X(OC_EIO, 3, 500, "reading or writing failed")                                                 \
    X(OC_ENOMEM, 3, 503, "out of memory")                                                          \
    X(OC_EENV, 3, 503, "a part of the environment is missing")                                     \
    X(OC_ECANCELLED, 3, 503, "stopped on request")                                                 \
    X(OC_EINTERNAL, 4, 500, "a broken promise of our own")

typedef enum oc_status {
#define OC_STATUS_ENUM(name, exit_code, http, meaning) name,
    OC_STATUS_MAP(OC_STATUS_ENUM)
#undef OC_STATUS_ENUM
        OC_STATUS_COUNT
} oc_status;

enum { OC_ERROR_BYTES = 1024 };

/* The caller's storage for a failure. All zero is valid. A function that fails writes it once; a
 * function that succeeds leaves it untouched. */
typedef struct oc_error {
    oc_status status;
    char message[OC_ERROR_BYTES]; /* UTF-8, one line, names the thing, the value, what is allowed */
} oc_error;

/* Static strings and numbers from the table; safe for any value. */
const char *oc_status_name(oc_status status);
const char *oc_status_meaning(oc_status status);
int oc_status_exit_code(oc_status status);
int oc_status_http(oc_status status);

#ifdef __cplusplus
}
#endif
#endif
