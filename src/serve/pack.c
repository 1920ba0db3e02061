/* Long answers packed for clients that take gzip: the classes of a large model are told in a sixth
 * of their bytes.
 *
 * For what says nothing secret: what a stranger's words are packed together with can be told from
 * their length (BREACH, 2013).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>
#include <zlib.h>

#include "serve/exchange_int.h"

enum { LEAST_BYTES = 4096, LEVEL = 1, GZIP_WINDOW = 15 + 16, MEMORY = 8 };

/* A weight of 0 says that it is not taken. */
bool oci_takes_gzip(const oci_exchange *x) {
    const char *list = oci_header_in(x, "Accept-Encoding");
    const char *word = list != NULL ? strstr(list, "gzip") : NULL;
    if (word == NULL) return false;
    word += strspn(word + 4, " ") + 4;
    if (*word != ';') return true;
    word += strspn(word, "; qQ=");
    return word[strspn(word, "0.")] >= '1' && word[strspn(word, "0.")] <= '9';
}

static bool pack(const oc_buf *in, oc_buf *out) {
    z_stream z = {.next_in = (Bytef *)in->data, .avail_in = (uInt)in->size};
    if (deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    uLong most = deflateBound(&z, (uLong)in->size);
    bool packed = false;
    out->data = oc_malloc(most);
    if (out->data != NULL) {
        z.next_out = (Bytef *)out->data;
        z.avail_out = (uInt)most;
        packed = deflate(&z, Z_FINISH) == Z_STREAM_END;
        out->size = z.total_out;
        out->capacity = most;
    }
    (void)deflateEnd(&z);
    return packed;
}

void oci_answer_pack(oci_exchange *x) {
    oc_buf packed = {0};
    oci_answer_header(x, "Vary", "Accept-Encoding");
    if (x->answer.size < LEAST_BYTES || x->answer.size > UINT32_MAX / 2 || !oci_takes_gzip(x))
        return;
    if (!pack(&x->answer, &packed)) {
        oc_buf_clear(&packed); /* it goes as it is */
        return;
    }
    oc_buf_clear(&x->answer);
    x->answer = packed;
    oci_answer_header(x, "Content-Encoding", "gzip");
}
