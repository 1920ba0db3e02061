/* Secrets: made at random, kept as digests, compared in constant time. Through GnuTLS, which
 * libmicrohttpd's TLS stands on anyway. Private to `serve`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_SECRET_INT_H
#define OC_SERVE_SECRET_INT_H

#include "base/base.h"

enum { OCI_DIGEST_BYTES = 32 };

typedef struct oci_digest {
    uint8_t bytes[OCI_DIGEST_BYTES]; /* SHA-256 */
} oci_digest;

/* OC_EENV where the library refuses (a machine that allows approved modules only). */
OC_MUST_CHECK oc_status oci_digest_of(const void *bytes, size_t size, oci_digest *out,
                                      oc_error *err);
/* 64 hexadecimal digits; false for anything else. */
bool oci_digest_parse(const char *hex, oci_digest *out);
/* Takes as long for digests that differ early as for equal ones. */
bool oci_digest_same(const oci_digest *a, const oci_digest *b);

/* 128 bits as 32 hexadecimal digits: random ones, or those that `secret` always gives. */
enum { OCI_TOKEN_BYTES = 33 };
OC_MUST_CHECK oc_status oci_token_make(char token[OCI_TOKEN_BYTES], oc_error *err);
OC_MUST_CHECK oc_status oci_token_of(const char *secret, char token[OCI_TOKEN_BYTES],
                                     oc_error *err);

#endif
