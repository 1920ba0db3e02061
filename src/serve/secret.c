/* Digests and tokens.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "serve/secret_int.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

oc_status oci_digest_of(const void *bytes, size_t size, oci_digest *out, oc_error *err) {
    int failed = gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, size, out->bytes);
    if (failed == 0) return OC_OK;
    return oc_fail(err, OC_EENV, "no SHA-256: %s", gnutls_strerror(failed));
}

static int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool oci_digest_parse(const char *hex, oci_digest *out) {
    for (int i = 0; i < OCI_DIGEST_BYTES; i++, hex += 2) {
        int high = nibble(hex[0]);
        int low = high < 0 ? -1 : nibble(hex[1]);
        if (low < 0) return false;
        out->bytes[i] = (uint8_t)(high << 4 | low);
    }
    return *hex == '\0';
}

bool oci_digest_same(const oci_digest *a, const oci_digest *b) {
    return gnutls_memcmp(a->bytes, b->bytes, OCI_DIGEST_BYTES) == 0;
}

enum { RAW_BYTES = (OCI_TOKEN_BYTES - 1) / 2 };

static void write_token(const uint8_t *bytes, char token[OCI_TOKEN_BYTES]) {
    for (size_t i = 0; i < RAW_BYTES; i++) (void)snprintf(token + 2 * i, 3, "%02x", bytes[i]);
}

oc_status oci_token_make(char token[OCI_TOKEN_BYTES], oc_error *err) {
    uint8_t bytes[RAW_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return oc_fail_errno(err, OC_EENV, errno, "no random numbers for a token");
    write_token(bytes, token);
    return OC_OK;
}

/* Not the secret's own digest, which may lie in a database: an HMAC under it. */
oc_status oci_token_of(const char *secret, char token[OCI_TOKEN_BYTES], oc_error *err) {
    static const char purpose[] = "token";
    oci_digest digest;
    int failed = gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret, strlen(secret), purpose,
                                  sizeof purpose - 1, digest.bytes);
    if (failed != 0) return oc_fail(err, OC_EENV, "no HMAC: %s", gnutls_strerror(failed));
    write_token(digest.bytes, token);
    return OC_OK;
}
