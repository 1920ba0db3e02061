/* JSON: parse, read and write whole files, and members whose errors name what is wrong.
 *
 * jansson itself refuses nesting beyond 2048 levels, text that is not UTF-8, and anything behind
 * the value.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/json.h"

#include <inttypes.h>
#include <math.h>

#include "base/mem.h"
#include "base/path.h"

oc_status oc_json_parse(const char *text, size_t size, const char *where, json_t **out,
                        oc_error *err) {
    json_error_t told;
    *out = json_loadb(text, size, JSON_REJECT_DUPLICATES, &told);
    if (*out != NULL) return OC_OK;
    if (json_error_code(&told) == json_error_out_of_memory) {
        return oc_fail_nomem(err, size, where);
    }
    return oc_fail(err, OC_EFORMAT, "%s: not valid JSON at line %d, column %d: %s", where,
                   told.line, told.column, told.text);
}

oc_status oc_json_read(const char *path, size_t budget, json_t **out, oc_error *err) {
    char *text = NULL;
    size_t size = 0;
    *out = NULL;
    OC_TRY(oc_file_read(path, budget, &text, &size, err));
    oc_status status = oc_json_parse(text, size, path, out, err);
    oc_free(text);
    return status;
}

static int append(const char *text, size_t size, void *buf) {
    oc_buf_append(buf, text, size);
    return 0;
}

/* The text of value behind what buf holds; `flags` are jansson's. */
static oc_status dump(oc_buf *buf, const json_t *value, size_t flags, const char *where,
                      oc_error *err) {
    int rc = json_dump_callback(value, append, buf, flags | JSON_ENCODE_ANY);
    OC_TRY(oc_buf_status(buf, err));
    if (rc == 0) return OC_OK;
    return oc_fail(err, OC_EINTERNAL, "%s: the value cannot be told in JSON", where);
}

oc_status oc_json_append(oc_buf *buf, const json_t *value, oc_error *err) {
    return dump(buf, value, JSON_COMPACT, "a JSON line", err);
}

oc_status oc_json_append_digits(oc_buf *buf, const json_t *value, int digits, oc_error *err) {
    return dump(buf, value, JSON_COMPACT | JSON_REAL_PRECISION((size_t)digits), "a JSON line", err);
}

oc_status oc_json_write(const char *path, const json_t *value, oc_error *err) {
    oc_buf buf = {0};
    oc_status status = OC_OK;
    OC_GOTO(dump(&buf, value, JSON_INDENT(2), path, err));
    oc_buf_puts(&buf, "\n");
    OC_GOTO(oc_buf_status(&buf, err));
    status = oc_file_write(path, buf.data, buf.size, err);
done:
    oc_buf_clear(&buf);
    return status;
}

static const char *kind_of(const json_t *value) {
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "unknown";
}

/* The member, or NULL with the error told. */
static oc_status member(const json_t *o, const char *key, const char *where, json_t **out,
                        oc_error *err) {
    *out = NULL;
    if (!json_is_object(o)) {
        return oc_fail(err, OC_EFORMAT, "%s: not an object, so it has no \"%s\"", where, key);
    }
    json_t *value = json_object_get(o, key);
    if (value == NULL) return oc_fail(err, OC_EFORMAT, "%s: \"%s\" is missing", where, key);
    *out = value;
    return OC_OK;
}

static oc_status wrong_kind(const json_t *value, const char *key, const char *where,
                            const char *expected, oc_error *err) {
    return oc_fail(err, OC_EFORMAT, "%s: \"%s\" is %s, expected %s", where, key, kind_of(value),
                   expected);
}

oc_status oc_json_get_object(const json_t *o, const char *key, const char *where, json_t **out,
                             oc_error *err) {
    json_t *value = NULL;
    *out = NULL;
    OC_TRY(member(o, key, where, &value, err));
    if (!json_is_object(value)) return wrong_kind(value, key, where, "an object", err);
    *out = value;
    return OC_OK;
}

oc_status oc_json_get_array(const json_t *o, const char *key, const char *where, json_t **out,
                            oc_error *err) {
    json_t *value = NULL;
    *out = NULL;
    OC_TRY(member(o, key, where, &value, err));
    if (!json_is_array(value)) return wrong_kind(value, key, where, "an array", err);
    *out = value;
    return OC_OK;
}

oc_status oc_json_get_string(const json_t *o, const char *key, const char *where, const char **out,
                             oc_error *err) {
    json_t *value = NULL;
    *out = NULL;
    OC_TRY(member(o, key, where, &value, err));
    if (!json_is_string(value)) return wrong_kind(value, key, where, "a string", err);
    *out = json_string_value(value);
    return OC_OK;
}

oc_status oc_json_get_int(const json_t *o, const char *key, const char *where, int64_t min,
                          int64_t max, int64_t *out, oc_error *err) {
    json_t *value = NULL;
    OC_TRY(member(o, key, where, &value, err));
    if (!json_is_integer(value)) return wrong_kind(value, key, where, "a whole number", err);
    int64_t found = json_integer_value(value);
    if (found < min || found > max) {
        return oc_fail(err, OC_EFORMAT,
                       "%s: \"%s\" is %" PRId64 ", allowed %" PRId64 " to %" PRId64, where, key,
                       found, min, max);
    }
    *out = found;
    return OC_OK;
}

oc_status oc_json_get_real(const json_t *o, const char *key, const char *where, double min,
                           double max, double *out, oc_error *err) {
    json_t *value = NULL;
    OC_TRY(member(o, key, where, &value, err));
    if (!json_is_number(value)) return wrong_kind(value, key, where, "a number", err);
    double found = json_number_value(value);
    if (!(found >= min && found <= max)) {
        return oc_fail(err, OC_EFORMAT, "%s: \"%s\" is %g, allowed %g to %g", where, key, found,
                       min, max);
    }
    *out = found;
    return OC_OK;
}

oc_status oc_json_get_bool(const json_t *o, const char *key, const char *where, bool *out,
                           oc_error *err) {
    json_t *value = NULL;
    OC_TRY(member(o, key, where, &value, err));
    if (!json_is_boolean(value)) return wrong_kind(value, key, where, "true or false", err);
    *out = json_is_true(value);
    return OC_OK;
}

bool oc_json_has(const json_t *o, const char *key) {
    const json_t *value = json_object_get(o, key);
    return value != NULL && !json_is_null(value);
}

json_t *oc_json_real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *oc_json_text(const char *text) {
    if (text == NULL) return json_null();
    json_t *value = json_string(text);
    if (value != NULL) return value;
    char *copy = oc_strdup(text);
    for (char *p = copy; p != NULL && *p != '\0'; p++) {
        if ((unsigned char)*p >= 0x80) *p = '?';
    }
    value = copy != NULL ? json_string(copy) : NULL;
    oc_free(copy);
    return value;
}
