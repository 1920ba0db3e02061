/* Parses a command line by the command's table of options. It knows no command and prints nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "options_int.h"

#include <string.h>

enum { OCI_MAX_NAMES = 64 };

static const oci_option *by_letter(const oci_option *options, char letter) {
    for (const oci_option *o = options; o && o->name; o++)
        if (o->letter == letter) return o;
    return NULL;
}

static const oci_option *by_name(const oci_option *options, const char *name, size_t size) {
    for (const oci_option *o = options; o && o->name; o++)
        if (strlen(o->name) == size && strncmp(o->name, name, size) == 0) return o;
    return NULL;
}

static oc_status unknown(const oci_args *args, const char *arg, oc_error *err) {
    const char *names[OCI_MAX_NAMES];
    size_t count = 0;
    for (const oci_option *o = args->options; o && o->name && count < OCI_MAX_NAMES - 1; o++)
        names[count++] = o->name;
    names[count++] = "help";
    char word[128];
    const char *start = arg + strspn(arg, "-");
    size_t size = strcspn(start, "=");
    if (size >= sizeof word) size = sizeof word - 1;
    memcpy(word, start, size);
    word[size] = '\0';
    const char *near = oc_suggest(word, names, count);
    if (near)
        return oc_fail(err, OC_EUSAGE, "%s: unknown option %s; did you mean --%s?", args->command,
                       arg, near);
    return oc_fail(err, OC_EUSAGE, "%s: unknown option %s; see `ocellus help %s`", args->command,
                   arg, args->command);
}

static oc_status store_number(const oci_option *o, const char *text, void *target, oc_error *err) {
    int64_t whole = 0;
    if (o->kind == OCI_REAL) {
        if (oc_parse_f64(text, o->min, o->max, target)) return OC_OK;
        return oc_fail(err, OC_EUSAGE, "--%s %s: expected a number from %g to %g", o->name, text,
                       o->min, o->max);
    }
    if (!oc_parse_i64(text, (int64_t)o->min, (int64_t)o->max, &whole))
        return oc_fail(err, OC_EUSAGE, "--%s %s: expected a whole number from %.0f to %.0f",
                       o->name, text, o->min, o->max);
    if (o->kind == OCI_U64)
        *(uint64_t *)target = (uint64_t)whole;
    else
        *(int *)target = (int)whole;
    return OC_OK;
}

oc_status oci_word_find(int *out, const char *what, const char *text, const char *const *words,
                        oc_error *err) {
    size_t count = 0;
    oc_buf list = {0};
    for (; words[count]; count++) {
        if (oc_equal_nocase(words[count], text)) {
            oc_buf_clear(&list);
            *out = (int)count;
            return OC_OK;
        }
        oc_buf_printf(&list, "%s%s", count ? ", " : "", words[count]);
    }
    const char *near = oc_suggest(text, words, count);
    oc_status status = oc_fail(err, OC_EUSAGE, "%s %s: expected one of %s%s%s%s", what, text,
                               list.failed ? "the words in the help" : list.data,
                               near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    oc_buf_clear(&list);
    return status;
}

static oc_status store_word(const oci_option *o, const char *text, int *target, oc_error *err) {
    char what[64];
    (void)snprintf(what, sizeof what, "--%s", o->name);
    return oci_word_find(target, what, text, o->words, err);
}

static oc_status store(const oci_option *o, const char *text, void *flags, oc_error *err) {
    void *target = (char *)flags + o->offset;
    switch (o->kind) {
    case OCI_INT:
    case OCI_U64:
    case OCI_REAL:
        return store_number(o, text, target, err);
    case OCI_WORD:
        return store_word(o, text, target, err);
    case OCI_TEXT:
    case OCI_PATH:
        if (!*text)
            return oc_fail(err, OC_EUSAGE, "--%s: the value is empty; expected %s", o->name,
                           o->value);
        *(const char **)target = text;
        return OC_OK;
    case OCI_FLAG:
        break;
    }
    *(bool *)target = true;
    return OC_OK;
}

/* The value of option `o` at args->argv[*i], found behind '=' (or the letter) or in the next
 * argument. */
static oc_status value_of(const oci_args *args, const oci_option *o, const char *attached, int *i,
                          const char **out, oc_error *err) {
    if (o->kind == OCI_FLAG) {
        if (attached)
            return oc_fail(err, OC_EUSAGE, "--%s takes no value, but was given \"%s\"", o->name,
                           attached);
        *out = "";
        return OC_OK;
    }
    if (attached) {
        *out = attached;
        return OC_OK;
    }
    if (*i + 1 >= args->count || oc_starts_with(args->argv[*i + 1], "--"))
        return oc_fail(err, OC_EUSAGE, "--%s needs a value: --%s %s", o->name, o->name, o->value);
    *out = args->argv[++*i];
    return OC_OK;
}

static oc_status one_option(const oci_args *args, int *i, void *flags, oc_error *err) {
    const char *arg = args->argv[*i];
    const char *attached = NULL;
    const oci_option *o = NULL;
    if (arg[1] == '-') {
        size_t size = strcspn(arg + 2, "=");
        o = by_name(args->options, arg + 2, size);
        if (arg[2 + size] == '=') attached = arg + 3 + size;
    } else {
        o = by_letter(args->options, arg[1]);
        if (arg[2]) attached = arg[2] == '=' ? arg + 3 : arg + 2;
    }
    if (!o) return unknown(args, arg, err);
    const char *value = NULL;
    OC_TRY(value_of(args, o, attached, i, &value, err));
    return store(o, value, flags, err);
}

oc_status oci_options_parse(oci_args *args, void *flags, oc_error *err) {
    int kept = 0;
    bool ended = false;
    for (int i = 0; i < args->count; i++) {
        char *arg = args->argv[i];
        if (ended || arg[0] != '-' || arg[1] == '\0')
            args->argv[kept++] = arg;
        else if (strcmp(arg, "--") == 0)
            ended = true;
        else
            OC_TRY(one_option(args, &i, flags, err));
    }
    args->count = kept;
    return OC_OK;
}

oc_status oci_args_expect(const oci_args *args, int fewest, int most, const char *usage,
                          oc_error *err) {
    if (args->count < fewest)
        return oc_fail(err, OC_EUSAGE, "%s: too little given; usage: ocellus %s %s", args->command,
                       args->command, usage);
    if (most >= 0 && args->count > most)
        return oc_fail(err, OC_EUSAGE, "%s: \"%s\" is one argument too many; usage: ocellus %s %s",
                       args->command, args->argv[most], args->command, usage);
    return OC_OK;
}
