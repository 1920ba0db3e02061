/* Bytes that came as text. Private to `serve`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_SERVE_BASE64_INT_H
#define OC_SERVE_BASE64_INT_H

#include <stdbool.h>
#include <stddef.h>

/* Base64 with its padding and nothing else in it. out: room for 3 bytes for every 4 of size. False
 * where the text is no such thing. */
bool oci_base64_decode(const char *text, size_t size, void *out, size_t *bytes);

#endif
