/* Reading what a user says beside the photos: a place, a day, a language, words.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "serve/keep_int.h"
#include "serve/server_int.h"

enum { LANG_BYTES = 35, SUBTAG_BYTES = 8, ORGAN_LETTERS = 50, KEY_LEAST = 16, KEY_MOST = 255 };

/* ---- single values ----------------------------------------------------------------------------
 */

static size_t letters_of(const char *text) {
    size_t letters = 0;
    for (; *text != '\0'; text++) letters += ((unsigned char)*text & 0xC0) != 0x80;
    return letters;
}

oc_status oci_check_text(const char *name, const char *text, size_t most, bool lines,
                         oc_error *err) {
    if (!oc_is_utf8(text, strlen(text))) return oc_fail(err, OC_EUSAGE, "%s: not UTF-8", name);
    if (letters_of(text) > most)
        return oc_fail(err, OC_EUSAGE, "%s: %zu characters, at most %zu", name, letters_of(text),
                       most);
    for (const char *c = text; *c != '\0'; c++) {
        bool line = lines && (*c == '\n' || *c == '\r' || *c == '\t');
        if (((unsigned char)*c < ' ' && !line) || *c == 0x7F)
            return oc_fail(err, OC_EUSAGE, "%s: a control character (0x%02X) in it", name,
                           (unsigned)*c);
    }
    return OC_OK;
}

double oci_blur(double value, double degrees) {
    double grid = degrees > 0 ? round(value / degrees) * degrees : value;
    return round(grid * 1e7) / 1e7; /* a centimetre: no digits that rounding made up */
}

bool oci_is_date(const char *text) {
    static const int days[12] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int digit[10] = {0};
    for (int i = 0; i < 10; i++) {
        bool dash = i == 4 || i == 7;
        if (dash ? text[i] != '-' : !isdigit((unsigned char)text[i])) return false;
        digit[i] = text[i] - '0';
    }
    int year = digit[0] * 1000 + digit[1] * 100 + digit[2] * 10 + digit[3];
    int month = digit[5] * 10 + digit[6], day = digit[8] * 10 + digit[9];
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (text[10] != '\0' || month < 1 || month > 12 || day < 1) return false;
    return day <= days[month - 1] - (month == 2 && !leap);
}

/* The shape of a BCP 47 tag: letters, then parts of letters and digits behind dashes. */
static bool is_lang(const char *text) {
    size_t size = strlen(text), run = 0;
    bool first = true;
    for (size_t i = 0; i <= size; i++) {
        if (text[i] == '-' || text[i] == '\0') {
            if (run == 0 || run > SUBTAG_BYTES || (first && run < 2)) return false;
            run = 0;
            first = false;
        } else {
            unsigned char c = (unsigned char)text[i];
            if (c > 0x7F || !(first ? isalpha(c) : isalnum(c))) return false;
            run++;
        }
    }
    return size <= LANG_BYTES;
}

/* ---- fields -----------------------------------------------------------------------------------
 */

/* NULL where it is not given or empty, as a form sends what was left blank. */
static oc_status read_text(const oci_exchange *x, const char *name, size_t most, bool lines,
                           const char **out, oc_error *err) {
    const char *text = oci_field(x, name);
    *out = text != NULL && *text != '\0' ? text : NULL;
    return *out != NULL ? oci_check_text(name, *out, most, lines, err) : OC_OK;
}

/* A text ends at its first NUL for us: whoever sends one means something else. */
static oc_status refuse_nul(const oci_exchange *x, oc_error *err) {
    for (size_t i = 0; i < x->part_count; i++) {
        const oci_part *part = &x->parts[i];
        bool text = part->filename == NULL && part->bytes.size > 0;
        if (text && memchr(part->bytes.data, '\0', part->bytes.size) != NULL)
            return oc_fail(err, OC_EUSAGE, "%.100s: a NUL byte in it", part->name);
    }
    return OC_OK;
}

static oc_status read_degrees(const oci_exchange *x, const char *name, double most, double *out,
                              bool *given, oc_error *err) {
    const char *text = oci_field(x, name);
    *given = text != NULL && *text != '\0';
    if (!*given || oc_parse_f64(text, -most, most, out)) return OC_OK;
    return oc_fail(err, OC_EUSAGE, "%s \"%.50s\": degrees from -%g to %g", name, text, most, most);
}

static oc_status read_place(const oci_exchange *x, oci_wish *w, oc_error *err) {
    bool lat = false, lon = false;
    OC_TRY(read_degrees(x, "lat", 90, &w->lat, &lat, err));
    OC_TRY(read_degrees(x, "lon", 180, &w->lon, &lon, err));
    w->placed = lat && lon;
    if (lat == lon) return OC_OK;
    return oc_fail(err, OC_EUSAGE, "lat and lon: both or none");
}

static oc_status read_keep(const oci_exchange *x, bool *out, oc_error *err) {
    const char *text = oci_field(x, "keep");
    *out = text != NULL && (strcmp(text, "1") == 0 || strcmp(text, "on") == 0);
    if (*out && x->server->db == NULL)
        return oc_fail(err, OC_EMISMATCH,
                       "keep: this server keeps no observations; start it with --db FILE");
    if (*out || text == NULL || *text == '\0' || strcmp(text, "0") == 0) return OC_OK;
    return oc_fail(err, OC_EUSAGE, "keep \"%.50s\": 1 or 0", text);
}

/* It lets whoever sends it again have the token: nobody is to hit upon another's by chance. */
static oc_status read_key(const oci_exchange *x, bool keep, const char **out, oc_error *err) {
    const char *key = oci_header_in(x, "Idempotency-Key");
    *out = NULL;
    if (key == NULL || !keep) return OC_OK;
    *out = key;
    if (strlen(key) < KEY_LEAST || strlen(key) > KEY_MOST)
        return oc_fail(err, OC_EUSAGE,
                       "Idempotency-Key of %zu characters: %d to %d random ones, such as a UUID",
                       strlen(key), KEY_LEAST, KEY_MOST);
    return oci_check_text("Idempotency-Key", key, KEY_MOST, false, err);
}

static oc_status check_organs(const oci_exchange *x, oc_error *err) {
    for (size_t i = 0; i < x->part_count; i++)
        if (strcmp(x->parts[i].name, "organs") == 0 && x->parts[i].bytes.data != NULL)
            OC_TRY(oci_check_text("organs", x->parts[i].bytes.data, ORGAN_LETTERS, false, err));
    return OC_OK;
}

oc_status oci_wish_read(const oci_exchange *x, oci_wish *out, oc_error *err) {
    *out = (oci_wish){0};
    OC_TRY(refuse_nul(x, err));
    OC_TRY(read_keep(x, &out->keep, err));
    OC_TRY(read_key(x, out->keep, &out->key, err));
    OC_TRY(read_place(x, out, err));
    OC_TRY(check_organs(x, err));
    OC_TRY(read_text(x, "date", 10, false, &out->date, err));
    OC_TRY(read_text(x, "lang", LANG_BYTES, false, &out->lang, err));
    OC_TRY(read_text(x, "note", OCI_NOTE_LETTERS, true, &out->note, err));
    OC_TRY(read_text(x, "label", OCI_LABEL_LETTERS, false, &out->suggested, err));
    if (out->date != NULL && !oci_is_date(out->date))
        return oc_fail(err, OC_EUSAGE, "date \"%.50s\": a day as 2026-05-31", out->date);
    if (out->lang != NULL && !is_lang(out->lang))
        return oc_fail(err, OC_EUSAGE, "lang \"%.50s\": a language as en, pt-BR or zh-Hant",
                       out->lang);
    return OC_OK;
}
