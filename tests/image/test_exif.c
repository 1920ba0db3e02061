/* The orientation parser on blocks made by hand: both byte orders, other tags around, nonsense, and
 * every truncation.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"
#include "image/image_int.h"

/* Big-endian or little-endian TIFF with one directory of `entries` entries at offset 8; the last
 * one is the orientation. */
static size_t make_block(uint8_t *out, bool big, int entries, int tag, int type, uint32_t value) {
    size_t n = 0;
#define PUT16(v)                                                                                   \
    (out[n] = (uint8_t)(big ? (v) >> 8 : (v)), out[n + 1] = (uint8_t)(big ? (v) : (v) >> 8), n += 2)
#define PUT32(v) (big ? (PUT16((v) >> 16), PUT16(v)) : (PUT16(v), PUT16((v) >> 16)))
    memcpy(out, big ? "MM" : "II", 2), n = 2;
    PUT16(42u);
    PUT32(8u);
    PUT16((unsigned)entries);
    for (int i = 0; i < entries; i++) {
        bool last = i == entries - 1;
        PUT16(last ? (unsigned)tag : 0x0100u + (unsigned)i);
        PUT16(last ? (unsigned)type : 3u);
        PUT32(1u);
        if (type == 4)
            PUT32(value);
        else {
            PUT16(value);
            PUT16(0u);
        }
    }
#undef PUT16
#undef PUT32
    return n;
}

static int orientation(const uint8_t *block, size_t size) {
    /* a copy of its own length, so that the sanitizer sees one byte too far */
    uint8_t *copy = oc_malloc(size);
    assert_non_null(copy);
    memcpy(copy, block, size);
    int found = oci_exif_orientation((oci_bytes){copy, size});
    oc_free(copy);
    return found;
}

static void all_eight_are_read_in_both_byte_orders(void **state) {
    (void)state;
    uint8_t block[256];
    for (uint32_t value = 1; value <= 8; value++)
        for (int big = 0; big < 2; big++)
            for (int type = 3; type <= 4; type++)
                for (int entries = 1; entries < 6; entries++) {
                    size_t size = make_block(block, big, entries, 0x0112, type, value);
                    assert_int_equal(orientation(block, size), value);
                }
}

static void jpeg_prefix_is_allowed(void **state) {
    (void)state;
    uint8_t block[256] = "Exif\0";
    size_t size = make_block(block + 6, true, 2, 0x0112, 3, 6);
    assert_int_equal(orientation(block, size + 6), 6);
}

static void nonsense_is_upright(void **state) {
    (void)state;
    uint8_t block[256];
    size_t size = make_block(block, false, 2, 0x0112, 3, 0);
    assert_int_equal(orientation(block, size), 1);
    size = make_block(block, false, 2, 0x0112, 3, 9);
    assert_int_equal(orientation(block, size), 1);
    size = make_block(block, true, 2, 0x0112, 4, 0x60006);
    assert_int_equal(orientation(block, size), 1);
    size = make_block(block, false, 2, 0x0112, 2, 6); /* ASCII */
    assert_int_equal(orientation(block, size), 1);
    size = make_block(block, false, 2, 0x0113, 3, 6); /* another tag */
    assert_int_equal(orientation(block, size), 1);
    size = make_block(block, false, 1, 0x0112, 3, 6);
    block[2] = 43; /* not TIFF */
    assert_int_equal(orientation(block, size), 1);
    size = make_block(block, false, 1, 0x0112, 3, 6);
    block[0] = 'M'; /* half an order mark */
    assert_int_equal(orientation(block, size), 1);
}

static void offsets_and_counts_that_lie_are_upright(void **state) {
    (void)state;
    uint8_t block[256];
    static const uint32_t offsets[] = {9, 21, 22, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFFE, 0x80000000};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        size_t size = make_block(block, true, 1, 0x0112, 3, 6);
        for (int b = 0; b < 4; b++) block[4 + b] = (uint8_t)(offsets[i] >> (24 - 8 * b));
        assert_int_equal(orientation(block, size), 1);
    }
    size_t size = make_block(block, true, 1, 0x0113, 3, 6);
    block[8] = 0xFF, block[9] = 0xFF; /* 65535 entries */
    assert_int_equal(orientation(block, size), 1);
}

static void no_truncation_reads_too_far(void **state) {
    (void)state;
    uint8_t block[256] = "Exif\0";
    size_t whole = make_block(block + 6, false, 3, 0x0112, 3, 8) + 6;
    for (size_t size = 0; size < whole; size++) assert_int_equal(orientation(block, size), 1);
    assert_int_equal(orientation(block, whole), 8);
}

static void random_bytes_are_harmless(void **state) {
    (void)state;
    oc_rng rng;
    oc_rng_init(&rng, 1, OC_RNG_TEST, 0, 0);
    for (int trial = 0; trial < 20000; trial++) {
        uint8_t block[256];
        size_t size = make_block(block, trial & 1, 3, 0x0112, 3, 5);
        for (int n = 0; n < 4; n++)
            block[oc_rng_below(&rng, (uint32_t)size)] = (uint8_t)oc_rng_u32(&rng);
        int found = orientation(block, oc_rng_below(&rng, (uint32_t)size + 1));
        assert_true(found >= 1 && found <= 8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_eight_are_read_in_both_byte_orders),
        cmocka_unit_test(jpeg_prefix_is_allowed),
        cmocka_unit_test(nonsense_is_upright),
        cmocka_unit_test(offsets_and_counts_that_lie_are_upright),
        cmocka_unit_test(no_truncation_reads_too_far),
        cmocka_unit_test(random_bytes_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
