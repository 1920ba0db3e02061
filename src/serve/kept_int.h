/* Observations as the database has them: what was seen, with its photos; lists; verdicts. Knows
 * nothing of HTTP. Private to `serve`.
 *
 * Threads: all functions may be called from any thread.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_KEPT_INT_H
#define OC_SERVE_KEPT_INT_H

#include "serve/db_int.h"
#include "serve/secret_int.h"

/* X(name, word): what has become of an observation */
#define OCI_STANDING_MAP(X)                                                                        \
    X(OCI_PENDING, "pending")                                                                      \
    X(OCI_CONFIRMED, "confirmed")                                                                  \
    X(OCI_CORRECTED, "corrected")                                                                  \
    X(OCI_REJECTED, "rejected")
typedef enum oci_standing {
#define OCI_STANDING_ENUM(name, word) name,
    OCI_STANDING_MAP(OCI_STANDING_ENUM)
#undef OCI_STANDING_ENUM
        OCI_STANDINGS
} oci_standing;
const char *oci_standing_name(oci_standing standing);
bool oci_standing_parse(const char *word, oci_standing *out);

typedef struct oci_photo_bytes {
    const char *type; /* "image/jpeg" */
    const void *bytes;
    size_t size;
} oci_photo_bytes;

/* What is put in. Texts are UTF-8; those that may be NULL say so. */
typedef struct oci_observation {
    const char *id, *model;
    const char *results;            /* JSON: the first five */
    const char *top;                /* label of the first */
    double p;                       /* of the first */
    const char *suggested;          /* NULL: the user said nothing */
    const char *date, *note, *lang; /* NULL */
    const char *organs;             /* JSON: one text a photo, or none */
    double lat, lon;                /* where `placed` */
    bool placed, unknown;
    oci_digest token;      /* who knows it may delete */
    const oci_digest *key; /* of a wish to keep, however often it is sent; NULL */
    oci_digest content;    /* of photos and words: what is sent again has the same */
    const oci_photo_bytes *photos;
    size_t photo_count;
} oci_observation;

/* On disk when it returns OC_OK. id: its own, or that of the one which is there under its key, and
 * nothing is written then; OC_EMISMATCH where that one has other photos or words, or was removed.
 */
OC_MUST_CHECK oc_status oci_kept_put(oci_db *db, const oci_observation *o, char id[OCI_TOKEN_BYTES],
                                     oc_error *err);

/* One as JSON (a new reference). OC_ENOTFOUND. */
OC_MUST_CHECK oc_status oci_kept_get(oci_db *db, const char *id, json_t **out, oc_error *err);

typedef struct oci_listing {
    bool queue;         /* those that wait for a verdict, least certain first; else newest first */
    const char *status; /* NULL = any; not for the queue */
    const char *label;  /* the expert's, or the first result; NULL = any; not for the queue */
    int limit;
    const char *after; /* a cursor that a list ended with; NULL = from the start */
} oci_listing;

/* {"observations": [...], "next": cursor or null} (a new reference). OC_EUSAGE for a bad cursor. */
OC_MUST_CHECK oc_status oci_kept_list(oci_db *db, const oci_listing *listing, json_t **out,
                                      oc_error *err);

/* Photo n of one; *type is static. OC_ENOTFOUND. */
OC_MUST_CHECK oc_status oci_kept_photo(oci_db *db, const char *id, int64_t n, oc_buf *out,
                                       const char **type, oc_error *err);

/* Remove one and its photos; `token` NULL: whoever asks may. *allowed is false, and nothing is
 * removed, where the token is another's. OC_ENOTFOUND. */
OC_MUST_CHECK oc_status oci_kept_remove(oci_db *db, const char *id, const oci_digest *token,
                                        bool *allowed, oc_error *err);

typedef struct oci_verdict {
    oci_standing standing; /* confirmed: with the first result; corrected, rejected */
    const char *label;     /* with corrected */
    const char *note;      /* NULL */
    const char *reviewer;
    const char *seen; /* the standing that the reviewer had before the eyes; NULL = any */
} oci_verdict;

/* OC_EMISMATCH where its standing is not the one seen; OC_ENOTFOUND. */
OC_MUST_CHECK oc_status oci_kept_judge(oci_db *db, const char *id, const oci_verdict *verdict,
                                       oc_error *err);

enum { OCI_PURGE_MOST = 64 };
/* Remove up to `most` (at most OCI_PURGE_MOST) pending and rejected ones that are older than so
 * many days. */
OC_MUST_CHECK oc_status oci_kept_purge(oci_db *db, int days, int most, int64_t *removed,
                                       oc_error *err);

#endif
