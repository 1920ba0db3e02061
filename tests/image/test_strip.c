/* Metadata off photos of every kind that is kept: nothing of it is left, no pixel changes, and what
 * is broken stays harmless.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image_test.h"

#define SEEDS OC_SOURCE_DIR "/fuzz/seeds/fuzz_image"
static const char secret[] = "SECRET: 48.1371 N, 11.5754 E";

/* The first byte of a seed is not the file's. */
static oc_buf read_seed(const char *name) {
    char path[OC_PATH_BYTES];
    oc_error err = {0};
    oc_buf out = {0};
    check_ok(oc_path_join(path, SEEDS, name, &err), err);
    check_ok(oc_file_read(path, 1 << 20, &out.data, &out.size, &err), err);
    out.capacity = out.size--;
    memmove(out.data, out.data + 1, out.size);
    return out;
}

static bool contains(const oc_buf *bytes, const char *word) {
    size_t size = strlen(word);
    for (size_t i = 0; i + size <= bytes->size; i++)
        if (memcmp(bytes->data + i, word, size) == 0) return true;
    return false;
}

static oc_buf strip(const oc_buf *in) {
    oc_buf out = {0};
    oc_error err = {0};
    check_ok(oc_image_strip(in->data, in->size, &out, &err), err);
    return out;
}

static void check_same_picture(const oc_buf *a, const oc_buf *b) {
    oc_image pictures[2] = {{0}};
    oc_image_info info[2];
    oc_decoder *decoder = NULL;
    oc_error err = {0};
    const oc_decode_options options = {.channels = 3};
    check_ok(oc_decoder_new(&decoder, &err), err);
    check_ok(oc_decode(decoder, a->data, a->size, &options, &pictures[0], &info[0], &err), err);
    check_ok(oc_decode(decoder, b->data, b->size, &options, &pictures[1], &info[1], &err), err);
    check_same(&pictures[0], &pictures[1]);
    assert_int_equal(info[0].orientation, info[1].orientation);
    oc_image_clear(&pictures[0]);
    oc_image_clear(&pictures[1]);
    oc_decoder_free(decoder);
}

/* in[0..at) + a piece + the rest. */
static oc_buf with_piece(const oc_buf *in, size_t at, const oc_buf *piece) {
    oc_buf out = {0};
    oc_buf_append(&out, in->data, at);
    oc_buf_append(&out, piece->data, piece->size);
    oc_buf_append(&out, in->data + at, in->size - at);
    return out;
}

static uint32_t crc_of(const uint8_t *p, size_t size) {
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++)
        for (uint32_t bit = 0, byte = p[i]; bit < 8; bit++, byte >>= 1)
            crc = (crc >> 1) ^ (((crc ^ byte) & 1) ? 0xEDB88320u : 0);
    return ~crc;
}

static void put_u32(oc_buf *out, uint32_t value, bool big) {
    for (int i = 0; i < 4; i++) {
        char byte = (char)(value >> (big ? 24 - 8 * i : 8 * i));
        oc_buf_append(out, &byte, 1);
    }
}

/* A JPEG segment, PNG chunk or WebP chunk that tells the secret behind `lead`. */
static oc_buf make_piece(const oc_buf *in, const char *kind, const char *lead, size_t lead_size) {
    oc_buf body = {0}, out = {0};
    oc_buf_append(&body, lead, lead_size);
    oc_buf_append(&body, secret, sizeof secret); /* 29 bytes: odd */
    uint32_t size = (uint32_t)body.size;
    if ((uint8_t)in->data[0] == 0xFF) {
        const char head[4] = {(char)0xFF, kind[0], (char)((size + 2) >> 8), (char)(size + 2)};
        oc_buf_append(&out, head, 4);
        oc_buf_append(&out, body.data, body.size);
    } else if (in->data[0] == 'R') {
        oc_buf_append(&out, kind, 4);
        put_u32(&out, size, false);
        oc_buf_append(&out, body.data, body.size);
        if (size & 1) oc_buf_append(&out, "", 1);
    } else {
        put_u32(&out, size, true);
        oc_buf_append(&out, kind, 4);
        oc_buf_append(&out, body.data, body.size);
        put_u32(&out, crc_of((const uint8_t *)out.data + 4, size + 4), true);
    }
    oc_buf_clear(&body);
    return out;
}

static void check_piece_goes(const char *seed, size_t at, const char *kind, const char *lead,
                             size_t lead_size) {
    oc_buf in = read_seed(seed);
    if (at == SIZE_MAX) at = in.size;
    oc_buf piece = make_piece(&in, kind, lead, lead_size);
    oc_buf told = with_piece(&in, at, &piece);
    if (in.data[0] == 'R') { /* RIFF counts its bytes */
        uint32_t size = (uint32_t)told.size - 8;
        for (int i = 0; i < 4; i++) told.data[4 + i] = (char)(size >> (8 * i));
    }
    assert_true(contains(&told, secret));
    oc_buf out = strip(&told), plain = strip(&in);
    assert_false(contains(&out, secret));
    assert_int_equal(out.size, plain.size);
    assert_memory_equal(out.data, plain.data, plain.size);
    oc_buf_clear(&in);
    oc_buf_clear(&piece);
    oc_buf_clear(&told);
    oc_buf_clear(&out);
    oc_buf_clear(&plain);
}

static void every_kind_keeps_its_pixels_and_its_orientation(void **state) {
    (void)state;
    oc_path_list names = {0};
    oc_error err = {0};
    check_ok(oc_path_list_dir(SEEDS, false, &names, &err), err);
    assert_true(names.count >= 13);
    for (size_t i = 0; i < names.count; i++) {
        oc_buf in = read_seed(names.names[i]);
        oc_buf out = strip(&in);
        check_same_picture(&in, &out);
        oc_buf again = strip(&out);
        assert_int_equal(again.size, out.size);
        assert_memory_equal(again.data, out.data, out.size);
        oc_buf_clear(&in);
        oc_buf_clear(&out);
        oc_buf_clear(&again);
    }
    oc_path_list_free(&names);
}

static void metadata_of_jpeg_goes(void **state) {
    (void)state;
    check_piece_goes("jpeg-grey", 2, "\xE1", "Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0", 20);
    check_piece_goes("jpeg-exif-6", 2, "\xE1", "http://ns.adobe.com/xap/1.0/", 29);
    check_piece_goes("jpeg-grey", 2, "\xFE", "", 0);
    check_piece_goes("jpeg-grey", 2, "\xED", "Photoshop 3.0", 14);
    check_piece_goes("jpeg-grey", 2, "\xE2", "MPF", 4);
    check_piece_goes("jpeg-grey", 2, "\xE0", "JFXX\0\x13", 6);
    check_piece_goes("jpeg-grey", 2, "\xEF", "", 0);
    check_piece_goes("jpeg-grey", 2, "\xF5", "", 0);
}

static void what_lies_behind_a_jpeg_goes(void **state) {
    (void)state;
    check_piece_goes("jpeg-grey", SIZE_MAX, "\xE1", "", 0);
    check_piece_goes("jpeg-progressive", SIZE_MAX, "\xFE", "", 0);
}

static void a_thumbnail_within_the_jfif_header_goes(void **state) {
    (void)state;
    oc_buf in = read_seed("jpeg-grey"), told = {0};
    assert_memory_equal(in.data + 6, "JFIF", 5);
    oc_buf_append(&told, in.data, 20); /* SOI, and the header whose length changes */
    told.data[5] = 16 + 3 * 12;
    told.data[18] = 4;
    told.data[19] = 3;
    oc_buf_append(&told, "SECRET PIXELS SECRET PIXELS SECRET P", 36);
    oc_buf_append(&told, in.data + 20, in.size - 20);
    oc_buf out = strip(&told);
    assert_false(contains(&out, "SECRET"));
    check_same_picture(&in, &out);
    oc_buf_clear(&in);
    oc_buf_clear(&told);
    oc_buf_clear(&out);
}

static void metadata_of_png_goes(void **state) {
    (void)state;
    static const char *const kinds[] = {"tEXt", "zTXt", "iTXt", "tIME", "eXIf", "prVt", "caBX"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        check_piece_goes("png-rgba", 33, kinds[i], "", 0);
        check_piece_goes("png-rgba", SIZE_MAX, kinds[i], "", 0);
    }
}

static void metadata_of_webp_goes(void **state) {
    (void)state;
    check_piece_goes("webp-lossy", SIZE_MAX, "XMP ", "", 0);
    check_piece_goes("webp-lossy", SIZE_MAX, "EXIF", "", 0);
    check_piece_goes("webp-alpha", SIZE_MAX, "XMP ", "", 0);
    check_piece_goes("webp-exif-8", SIZE_MAX, "what", "", 0);
}

static void other_formats_are_refused(void **state) {
    (void)state;
    oc_buf out = {0};
    oc_error err = {0};
    check_fails(oc_image_strip("P5\n1 1\n255\n.", 12, &out, &err), err, OC_EUNSUPPORTED, "PNM");
    check_fails(oc_image_strip("GIF89a......", 12, &out, &err), err, OC_EUNSUPPORTED, "GIF");
    check_fails(oc_image_strip("", 0, &out, &err), err, OC_EFORMAT, "empty");
    assert_int_equal(out.size, 0);
}

/* Bytes of their own length on the heap, so that the sanitizer sees one byte too far. */
static void any_cut_is_harmless(void **state) {
    (void)state;
    static const char *const seeds[] = {"jpeg-exif-6", "jpeg-progressive", "png-exif-6",
                                        "webp-exif-8"};
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; i++) {
        oc_buf in = read_seed(seeds[i]);
        for (size_t size = 0; size < in.size; size++) {
            oc_buf out = {0};
            char *copy = oc_malloc(size);
            assert_non_null(copy);
            memcpy(copy, in.data, size);
            if (oc_image_strip(copy, size, &out, NULL) == OC_OK) assert_true(out.size <= size + 64);
            oc_buf_clear(&out);
            oc_free(copy);
        }
        oc_buf_clear(&in);
    }
}

static void out_of_memory_is_told(void **state) {
    (void)state;
    oc_buf in = read_seed("png-exif-6");
    oc_status status = OC_ENOMEM;
    uint64_t n = 1;
    for (; status != OC_OK; n++) {
        oc_buf out = {0};
        oc_error err = {0};
        oc_mem_fail_at(n);
        status = oc_image_strip(in.data, in.size, &out, &err);
        oc_mem_fail_at(0);
        if (status != OC_OK) assert_int_equal(status, OC_ENOMEM);
        oc_buf_clear(&out);
    }
    assert_true(n > 2);
    oc_buf_clear(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_keeps_its_pixels_and_its_orientation),
        cmocka_unit_test(metadata_of_jpeg_goes),
        cmocka_unit_test(what_lies_behind_a_jpeg_goes),
        cmocka_unit_test(a_thumbnail_within_the_jfif_header_goes),
        cmocka_unit_test(metadata_of_png_goes),
        cmocka_unit_test(metadata_of_webp_goes),
        cmocka_unit_test(other_formats_are_refused),
        cmocka_unit_test(any_cut_is_harmless),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
