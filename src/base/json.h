/* JSON through jansson, with the manners that untrusted files need: duplicate keys rejected, depth
 * and size bounded, and getters whose errors name the key, what was found and what was expected.
 *
 * json_t is jansson's; references follow its rules. `where` names the file or the object in
 * messages.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_JSON_H
#define OC_BASE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/text.h"

/* *out is a new reference. */
OC_MUST_CHECK oc_status oc_json_parse(const char *text, size_t size, const char *where,
                                      json_t **out, oc_error *err);
OC_MUST_CHECK oc_status oc_json_read(const char *path, size_t budget, json_t **out, oc_error *err);
/* Indented, sorted as inserted, newline at the end, written by oc_file_write. */
OC_MUST_CHECK oc_status oc_json_write(const char *path, const json_t *value, oc_error *err);

/* The value on one line (no newline), behind what buf holds. Numbers are exact: what is read again
 * is the same. */
OC_MUST_CHECK oc_status oc_json_append(oc_buf *buf, const json_t *value, oc_error *err);
/* The same with numbers of so many significant digits. With OC_JSON_DECIMAL a decimal number is
 * written as people write it, 0.1 and not 0.10000000000000001; OC_JSON_FLOAT is enough for floats.
 */
enum { OC_JSON_DECIMAL = 15, OC_JSON_FLOAT = 9 };
OC_MUST_CHECK oc_status oc_json_append_digits(oc_buf *buf, const json_t *value, int digits,
                                              oc_error *err);

/* Required members. Borrowed results. */
OC_MUST_CHECK oc_status oc_json_get_object(const json_t *o, const char *key, const char *where,
                                           json_t **out, oc_error *err);
OC_MUST_CHECK oc_status oc_json_get_array(const json_t *o, const char *key, const char *where,
                                          json_t **out, oc_error *err);
OC_MUST_CHECK oc_status oc_json_get_string(const json_t *o, const char *key, const char *where,
                                           const char **out, oc_error *err);
OC_MUST_CHECK oc_status oc_json_get_int(const json_t *o, const char *key, const char *where,
                                        int64_t min, int64_t max, int64_t *out, oc_error *err);
OC_MUST_CHECK oc_status oc_json_get_real(const json_t *o, const char *key, const char *where,
                                         double min, double max, double *out, oc_error *err);
OC_MUST_CHECK oc_status oc_json_get_bool(const json_t *o, const char *key, const char *where,
                                         bool *out, oc_error *err);
/* True when the member is there and not null. */
bool oc_json_has(const json_t *o, const char *key);
/* json_real for finite numbers, json_null for others (JSON has no infinity). */
json_t *oc_json_real(double value);
/* A string of bytes that may be no UTF-8 (a path, a command line): then its bytes beyond ASCII
 * become '?'. json_null for NULL; NULL without memory. */
json_t *oc_json_text(const char *text);

#endif
