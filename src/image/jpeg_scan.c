/* Reads the Huffman codes of an ordinary JPEG scan in libjpeg's place: more than half of a decode's
 * time is spent on them, and this takes a quarter less. Pixels stay libjpeg's.
 *
 * It is plugged in where libjpeg keeps its own reader, cinfo->entropy: `face` below has the layout
 * of that object in libjpeg-turbo 2 and 3 (its header is not installed); the build takes
 * jpeg_scan_none.c for any other library.
 *
 * Two ideas. The bytes are freed of what JPEG stuffs behind each 0xFF, a window at a time, so that
 * eight can be loaded without a look at them. And nothing branches on what a code says: the next
 * LOOK bits give run, size and length, and all that follows is shifts. The invariant: at
 * the beginning of an MCU the window holds all that any MCU can take, or the rest of the scan with
 * zeros behind it; so no load is checked, and what was read too far is found behind the MCU.
 * Source: ITU-T T.81, annex F.2.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/jpeg_int.h"

#include <string.h>

#include <jerror.h>

enum { LOOK = 10, LONGEST_CODE = 16, WORD_BITS = 64, WORD_BYTES = 8 };
enum { WINDOW_BYTES = 32 << 10 };
/* An MCU's blocks, coefficients, and the bits of one with its code, in bytes; and two words more */
enum { MCU_BYTES = D_MAX_BLOCKS_IN_MCU * DCTSIZE2 * (LONGEST_CODE + 15) / 8 + 2 * WORD_BYTES };
enum { END_OF_BLOCK = DCTSIZE2 }; /* as a run of zeros: beyond any block */

/* What the next bits say. `bits` 0: no code of at most LOOK of them. */
typedef struct entry {
    uint8_t bits;   /* of code and value */
    uint8_t run;    /* zeros before the value */
    uint8_t length; /* of the code */
    uint8_t size;   /* of the value, 0..15 */
} entry;

typedef struct table {
    int counts[LONGEST_CODE + 1]; /* of codes of each length: what the rest was made of */
    uint8_t symbols[256];
    entry entries[1 << LOOK];
    /* Of codes of each length, left-aligned in 16 bits: the first that is longer; and what is added
     * to a code, right-aligned, to find its symbol. */
    int end[LONGEST_CODE + 1], offset[LONGEST_CODE + 1];
} table;

typedef struct reader {
    uint64_t bits;     /* the next ones, from the top */
    unsigned count;    /* how many of them are valid; those below are zero or the right ones */
    const uint8_t *at; /* the byte that follows the valid bits */
    bool bad;          /* met a code that is none */
} reader;

/* One block of the MCU. */
typedef struct plan {
    const table *dc, *ac;
    unsigned *last; /* DC so far; wraps around in damaged files */
} plan;

struct oci_jpeg_scan {
    struct {
        void (*start_pass)(j_decompress_ptr cinfo);
        boolean (*decode_mcu)(j_decompress_ptr cinfo, JBLOCKROW *blocks);
        boolean insufficient_data;
    } face;
    table dc[NUM_HUFF_TBLS], ac[NUM_HUFF_TBLS];
    plan blocks[D_MAX_BLOCKS_IN_MCU];
    unsigned last_dc[MAX_COMPS_IN_SCAN];
    reader reader;
    uint64_t left;              /* MCUs */
    const uint8_t *from, *stop; /* of the file: what is not in the window yet */
    bool ended;                 /* `from` is at a marker, or the end of the file */
    const uint8_t *end;         /* of the window's bytes */
    JBLOCK spare;               /* takes blocks that nobody wants */
    uint8_t window[WINDOW_BYTES + MCU_BYTES];
};

oc_status oci_jpeg_scan_new(oci_jpeg_scan **out, oc_error *err) {
    *out = oc_calloc(1, sizeof **out);
    return *out ? OC_OK : oc_fail_nomem(err, sizeof **out, "tables of a JPEG decoder");
}

void oci_jpeg_scan_free(oci_jpeg_scan *scan) {
    oc_free(scan);
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* A symbol is a run of zeros and the size of a value; without a value it ends the block, or is
 * sixteen zeros: fifteen, and one as the value. */
static entry make_entry(int length, int symbol) {
    int run = symbol >> 4, size = symbol & 15;
    if (size == 0 && run != 15) run = END_OF_BLOCK;
    return (entry){.bits = (uint8_t)(length + size),
                   .run = (uint8_t)run,
                   .length = (uint8_t)length,
                   .size = (uint8_t)size};
}

static bool is_made_of(const table *t, const JHUFF_TBL *huff) {
    int count = 0;
    for (int length = 1; length <= LONGEST_CODE; length++) {
        if (t->counts[length] != huff->bits[length]) return false;
        count += huff->bits[length];
    }
    return count > 0 && memcmp(t->symbols, huff->huffval, (size_t)count) == 0;
}

/* libjpeg has checked that there are no more codes of a length than there can be. */
static void make_table(table *t, const JHUFF_TBL *huff) {
    int code = 0, index = 0;
    if (is_made_of(t, huff)) return;
    memset(t->entries, 0, sizeof t->entries);
    memcpy(t->symbols, huff->huffval, sizeof t->symbols);
    for (int length = 1; length <= LONGEST_CODE; length++) {
        t->counts[length] = huff->bits[length];
        t->offset[length] = index - code;
        for (int i = 0; i < t->counts[length]; i++, code++, index++) {
            if (length > LOOK) continue;
            entry *look = t->entries + ((size_t)code << (LOOK - length));
            for (int k = 0; k < 1 << (LOOK - length); k++)
                look[k] = make_entry(length, t->symbols[index]);
        }
        t->end[length] = code << (LONGEST_CODE - length);
        code *= 2;
    }
}

/* ---- the window ------------------------------------------------------------------------------ */

/* At a 0xFF: a stuffed one is a byte of the scan; anything else ends it. More of them may stand in
 * front of either. */
static uint8_t *take_ff(oci_jpeg_scan *s, uint8_t *to) {
    const uint8_t *next = s->from;
    while (next < s->stop && *next == 0xFF) next++;
    s->ended = next == s->stop || *next != 0;
    if (s->ended) return to;
    *to = 0xFF;
    s->from = next + 1;
    return to + 1;
}

static void fill_window(oci_jpeg_scan *s) {
    uint8_t *to = s->window + (s->end - s->window), *room = s->window + WINDOW_BYTES;
    while (!s->ended && to < room) {
        size_t left = (size_t)(s->stop - s->from), most = (size_t)(room - to);
        size_t count = left < most ? left : most;
        const uint8_t *ff = count > 0 ? memchr(s->from, 0xFF, count) : NULL;
        if (ff) count = (size_t)(ff - s->from);
        memcpy(to, s->from, count);
        to += count;
        s->from += count;
        if (ff)
            to = take_ff(s, to);
        else
            s->ended = s->from == s->stop;
    }
    if (s->ended) memset(to, 0, MCU_BYTES);
    s->end = to;
}

static void move_window(oci_jpeg_scan *s) {
    size_t rest = (size_t)(s->end - s->reader.at);
    memmove(s->window, s->reader.at, rest);
    s->reader.at = s->window;
    s->end = s->window + rest;
    fill_window(s);
}

/* ---- codes ----------------------------------------------------------------------------------- */

static inline uint64_t load_word(const uint8_t *p) {
    return (uint64_t)p[0] << 56 | (uint64_t)p[1] << 48 | (uint64_t)p[2] << 40 |
           (uint64_t)p[3] << 32 | (uint64_t)p[4] << 24 | (uint64_t)p[5] << 16 |
           (uint64_t)p[6] << 8 | (uint64_t)p[7];
}

/* At least 56 bits; no branch. */
static inline void refill(reader *r) {
    r->bits |= load_word(r->at) >> r->count;
    r->at += (WORD_BITS - 1 - r->count) / 8;
    r->count |= WORD_BITS - 8;
}

/* A code longer than LOOK; `bits` 0 where there is none. */
static entry find_long(const table *t, uint64_t bits) {
    int next = (int)(bits >> (WORD_BITS - LONGEST_CODE));
    for (int length = LOOK + 1; length <= LONGEST_CODE; length++) {
        if (next >= t->end[length]) continue;
        return make_entry(length,
                          t->symbols[(next >> (LONGEST_CODE - length)) + t->offset[length]]);
    }
    return (entry){.run = END_OF_BLOCK};
}

/* The run of zeros before the next value, and the value: `size` bits, of which the first is 0 for
 * the negative ones (T.81, table F.2). */
static inline int read_next(reader *r, const table *t, int *value) {
    refill(r);
    entry e = t->entries[r->bits >> (WORD_BITS - LOOK)];
    if (!OC_LIKELY(e.bits > 0)) {
        e = find_long(t, r->bits);
        r->bad |= e.bits == 0;
    }
    uint64_t rest = r->bits << e.length;
    int magnitude = (int)(rest >> 1 >> (WORD_BITS - 1 - e.size));
    int negative = (int)(rest >> (WORD_BITS - 1)) - 1; /* all bits, or none */
    *value = magnitude - (negative & ((1 << e.size) - 1));
    r->bits <<= e.bits;
    r->count -= e.bits;
    return e.run;
}

/* Where the k-th coefficient lies, in zigzag order. The end of a block writes a zero behind its
 * coefficients, and a damaged one any number: to the last place, as in libjpeg. */
static const uint8_t natural_order[2 * DCTSIZE2] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63, 63, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
    63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63};

static inline void read_block(reader *r, const plan *p, JCOEF *block) {
    int value = 0;
    (void)read_next(r, p->dc, &value);
    *p->last += (unsigned)value;
    block[0] = (JCOEF)*p->last;
    for (int k = 1; k < DCTSIZE2; k++) {
        k += read_next(r, p->ac, &value);
        block[natural_order[k]] = (JCOEF)value;
    }
}

/* ---- MCUs ------------------------------------------------------------------------------------ */

static void fail(j_decompress_ptr cinfo, int code) {
    cinfo->err->msg_code = code;
    cinfo->err->error_exit((j_common_ptr)cinfo);
}

/* Whole bytes that were not read; negative where bits were that are not there. */
static ptrdiff_t unread(const oci_jpeg_scan *s) {
    ptrdiff_t bits = (s->end - s->reader.at) * 8 + (ptrdiff_t)s->reader.count;
    return bits < 0 ? -1 : bits / 8;
}

/* Where the scan ends, libjpeg goes on: at the marker, or before it where more is left than its own
 * reader would have had in its hands. It then tells of them. */
static void hand_back(const oci_jpeg_scan *s, j_decompress_ptr cinfo) {
    ptrdiff_t left = unread(s);
    const uint8_t *next = s->from - (left < WORD_BYTES ? 0 : left);
    cinfo->src->next_input_byte = next;
    cinfo->src->bytes_in_buffer = (size_t)(s->stop - next);
}

/* `blocks` are zero, or NULL where they are to be passed over. */
OC_SIMD static void read_blocks(oci_jpeg_scan *s, int count, JBLOCKROW *blocks) {
    reader r = s->reader;
    for (int i = 0; i < count; i++) read_block(&r, &s->blocks[i], blocks ? *blocks[i] : s->spare);
    s->reader = r;
}

/* As libjpeg's own. */
static boolean decode_mcu(j_decompress_ptr cinfo, JBLOCKROW *blocks) {
    oci_jpeg_scan *s = (oci_jpeg_scan *)(void *)cinfo->entropy;
    if (!s->ended && s->end - s->reader.at < MCU_BYTES) move_window(s);
    read_blocks(s, cinfo->blocks_in_MCU, blocks);
    if (s->reader.bad) fail(cinfo, JWRN_HUFF_BAD_CODE);
    if (unread(s) < 0) fail(cinfo, JWRN_HIT_MARKER);
    if (--s->left == 0) hand_back(s, cinfo);
    return TRUE;
}

/* ---- beginning ------------------------------------------------------------------------------- */

static bool is_ordinary(j_decompress_ptr cinfo) {
    bool huffman = !cinfo->progressive_mode && !cinfo->arith_code;
    bool sequential =
        cinfo->Ss == 0 && cinfo->Se == DCTSIZE2 - 1 && cinfo->Ah == 0 && cinfo->Al == 0;
    return huffman && sequential && cinfo->restart_interval == 0 && !jpeg_has_multiple_scans(cinfo);
}

static void make_plan(oci_jpeg_scan *s, j_decompress_ptr cinfo) {
    for (int i = 0; i < cinfo->blocks_in_MCU; i++) {
        int of = cinfo->MCU_membership[i];
        const jpeg_component_info *c = cinfo->cur_comp_info[of];
        make_table(&s->dc[c->dc_tbl_no], cinfo->dc_huff_tbl_ptrs[c->dc_tbl_no]);
        make_table(&s->ac[c->ac_tbl_no], cinfo->ac_huff_tbl_ptrs[c->ac_tbl_no]);
        s->blocks[i] = (plan){&s->dc[c->dc_tbl_no], &s->ac[c->ac_tbl_no], &s->last_dc[of]};
    }
}

void oci_jpeg_scan_take(oci_jpeg_scan *scan, j_decompress_ptr cinfo) {
    oci_jpeg_scan *s = scan;
    if (!is_ordinary(cinfo)) return;
    make_plan(s, cinfo);
    memset(s->last_dc, 0, sizeof s->last_dc);
    s->left = (uint64_t)cinfo->MCUs_per_row * cinfo->MCU_rows_in_scan;
    s->from = cinfo->src->next_input_byte;
    s->stop = s->from + cinfo->src->bytes_in_buffer;
    s->ended = false;
    s->end = s->window;
    s->reader = (reader){.at = s->window};
    fill_window(s);
    s->face.decode_mcu = decode_mcu;
    cinfo->entropy = (struct jpeg_entropy_decoder *)(void *)&s->face;
}
