/* Photos in an LMDB as Caffe makes it: encoded ones and raw planes, labels, damage. Records are
 * written by hand here, the file by liblmdb.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data/render_int.h"
#include "data/store_int.h"
#include "data_test.h"
#include "store_maker.h"

enum { SIDE = 20 };

static void put_varint(oc_buf *out, uint64_t value) {
    for (; value >= 0x80; value >>= 7) oc_buf_append(out, &(char){(char)(value | 0x80)}, 1);
    oc_buf_append(out, &(char){(char)value}, 1);
}

static void put_number(oc_buf *out, int number, uint64_t value) {
    put_varint(out, (uint64_t)number << 3);
    put_varint(out, value);
}

static void put_data(oc_buf *out, const void *bytes, size_t size) {
    put_varint(out, 4 << 3 | 2);
    put_varint(out, size);
    oc_buf_append(out, bytes, size);
}

/* A photo as convert_imageset --encoded stores it. */
static void put_encoded(oc_buf *out, int kind, int label) {
    oc_buf jpeg = {0};
    encode_photo(&jpeg, SIDE, SIDE, kind);
    put_number(out, 1, 3);
    put_number(out, 2, SIDE);
    put_number(out, 3, SIDE);
    put_data(out, jpeg.data, jpeg.size);
    put_number(out, 5, (uint64_t)label);
    put_number(out, 7, 1);
    oc_buf_clear(&jpeg);
}

/* Planes of one colour each: blue 10, green 20, red 30. */
static void put_raw(oc_buf *out, int label) {
    uint8_t planes[3 * SIDE * SIDE];
    for (size_t i = 0; i < sizeof planes; i++) planes[i] = (uint8_t)(10 * (1 + i / (SIDE * SIDE)));
    put_number(out, 1, 3);
    put_number(out, 2, SIDE);
    put_number(out, 3, SIDE);
    put_data(out, planes, sizeof planes);
    put_number(out, 5, (uint64_t)label);
}

static void raw_planes_come_out_as_pixels_in_their_order(void **state) {
    (void)state;
    oc_buf record = {0};
    oci_datum d;
    oc_error err = {0};
    put_raw(&record, 7);
    check_ok(oci_datum_parse(record.data, record.size, &d, &err), err);
    assert_true(d.channels == 3 && d.width == SIDE && d.height == SIDE && d.label == 7);
    assert_true(!d.encoded && d.size == 3 * SIDE * SIDE && d.data[0] == 10);
    oc_buf_clear(&record);
}

static void damaged_records_are_errors_wherever_they_end(void **state) {
    (void)state;
    oc_buf record = {0};
    oci_datum d;
    size_t errors = 0;
    put_encoded(&record, 1, 300);
    for (size_t size = 0; size < record.size; size++) {
        char *cut = malloc(size + 1); /* so that a byte too far is noticed */
        memcpy(cut, record.data, size);
        oc_error err = {0};
        errors += oci_datum_parse(cut, size, &d, &err) != OC_OK;
        free(cut);
    }
    assert_true(errors > record.size - 32); /* all but the few ends of a field */
    static const char endless[] = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
                      huge[] = "\x22\xFF\xFF\xFF\x7F", group[] = "\x0B";
    oc_error err = {0};
    check_fails(oci_datum_parse(endless, sizeof endless - 1, &d, &err), err, OC_EFORMAT, "byte 0");
    check_fails(oci_datum_parse(huge, sizeof huge - 1, &d, &err), err, OC_EFORMAT, "byte 0");
    check_fails(oci_datum_parse(group, 1, &d, &err), err, OC_EFORMAT, "byte 0");
    oc_buf_clear(&record);
}

static void pnm_goes_through_the_door_of_photos(void **state) {
    (void)state;
    static const char colour[] = "P6\n2 1\n255\n\x01\x02\x03\x04\x05\x06",
                      grey[] = "P5\n# x\n1 2\n255\n\x07\x08";
    static const char *const bad[] = {"P6\n2 1\n255\n12345", "P6\n2\n", "P6\n0 1\n255\n",
                                      "P5\n1 1\n65535\nab", "P6\n99999999999 9\n255\n"};
    oc_decoder *decoder = NULL;
    oc_image img = {0};
    oc_error err = {0};
    check_ok(oc_decoder_new(&decoder, &err), err);
    oc_decode_options three = {.channels = 3}, one = {.channels = 1};
    check_ok(oc_decode(decoder, colour, sizeof colour - 1, &three, &img, NULL, &err), err);
    assert_memory_equal(img.pixels, "\x01\x02\x03\x04\x05\x06", 6);
    check_ok(oc_decode(decoder, grey, sizeof grey - 1, &three, &img, NULL, &err), err);
    assert_memory_equal(img.pixels, "\x07\x07\x07\x08\x08\x08", 6);
    check_ok(oc_decode(decoder, grey, sizeof grey - 1, &one, &img, NULL, &err), err);
    assert_memory_equal(img.pixels, "\x07\x08", 2);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_not_equal(oc_decode(decoder, bad[i], strlen(bad[i]), &three, &img, NULL, &err),
                             OC_OK);
    oc_image_clear(&img);
    oc_decoder_free(decoder);
}

/* ---- with liblmdb ---------------------------------------------------------------------------- */

/* Six photos of two labels, one of them raw; a record that is no Datum, one that is no photo. */
static void make_store(const scratch *s, char path[OC_PATH_BYTES]) {
    char key[32];
    path_in(s, "photos_lmdb/data.mdb", path);
    *strrchr(path, '/') = '\0';
    maker_begin(path);
    for (int i = 0; i < 6; i++) {
        oc_buf record = {0};
        if (i == 4)
            put_raw(&record, 1);
        else
            put_encoded(&record, i, i % 2);
        (void)snprintf(key, sizeof key, "%08d_photo %d.jpg", i, i);
        maker_put(key, record.data, record.size);
        oc_buf_clear(&record);
    }
    maker_put("00000006_bad", "\x22\xFF", 2);
    maker_put("00000007_short", "\x08\x03\x10\x14\x18\x14\x22\x01x\x28\x01", 11);
    maker_end();
}

static void an_lmdb_is_a_source_like_others(void **state) {
    scratch *s = *state;
    char path[OC_PATH_BYTES];
    oc_error err = {0};
    if (!maker_is_there()) skip();
    make_store(s, path);
    oc_dataset *ds = open_plain(s, "photos_lmdb");
    assert_int_equal(oc_dataset_count(ds), 7);
    assert_int_equal(oc_dataset_classes(ds)->count, 2);
    assert_int_equal(oc_dataset_reject_count(ds), 1);
    for (size_t full = 1; full < 20; full += 18) {
        const oc_scan_options scan = {.full_up_to = full};
        check_ok(oc_dataset_scan(ds, &scan, &err), err);
    }
    assert_int_equal(oc_dataset_reject_count(ds), 2);
    assert_non_null(strstr(oc_dataset_rejected(ds, 1)->reason, "planes of bytes"));
    const oc_item *raw = oc_dataset_item(ds, 4);
    assert_true(raw->width == SIDE && raw->height == SIDE && raw->label == 1);
    int width = 0, height = 0;
    check_ok(oc_lmdb_peek(path, &width, &height, &err), err);
    assert_true(width == SIDE && height == SIDE);
    oc_dataset_free(ds);
}

static void its_photos_are_rendered_and_kept_like_files(void **state) {
    scratch *s = *state;
    char path[OC_PATH_BYTES];
    oc_error err = {0};
    if (!maker_is_there()) skip();
    make_store(s, path);
    oc_dataset *ds = open_plain(s, "photos_lmdb");
    oc_recipe recipe = oc_recipe_default(SIDE, SIDE);
    recipe.fit = OC_FIT_SQUASH;
    recipe.unit = 1;
    for (int c = 0; c < 3; c++) recipe.mean[c] = 0, recipe.std[c] = 1;
    oc_loader *l = NULL;
    const oc_batch *b = NULL;
    static const uint32_t items[] = {4, 0};
    const oc_loader_options o = {
        .dataset = ds, .items = items, .count = 2, .recipe = &recipe, .batch = 2, .workers = 2};
    check_ok(oc_loader_new(&l, &o, &err), err);
    check_ok(oc_loader_start(l, 0, 0, &err), err);
    check_ok(oc_loader_next(l, &b, &err), err);
    assert_false(b->failed[0] || b->failed[1]);
    for (int c = 0; c < 3; c++) assert_true(b->pixels[c * SIDE * SIDE + 5] == 30 - 10 * (float)c);
    oc_loader_free(l);
    oc_dataset_free(ds);
}

static void a_file_that_is_cut_short_is_refused(void **state) {
    scratch *s = *state;
    char path[OC_PATH_BYTES], file[OC_PATH_BYTES];
    oc_dataset *ds = NULL;
    oc_error err = {0};
    if (!maker_is_there()) skip();
    make_store(s, path);
    path_in(s, "photos_lmdb/data.mdb", file);
    assert_int_equal(truncate(file, 8192), 0);
    check_fails(oc_dataset_open(&ds, path, NULL, &err), err, OC_EFORMAT, "cut short");
    put_text(s, "photos_lmdb/data.mdb", "this is not an LMDB, whatever its name says");
    err = (oc_error){0};
    assert_int_not_equal(oc_dataset_open(&ds, path, NULL, &err), OC_OK);
    assert_non_null(strstr(err.message, "LMDB"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_planes_come_out_as_pixels_in_their_order),
        cmocka_unit_test(damaged_records_are_errors_wherever_they_end),
        cmocka_unit_test(pnm_goes_through_the_door_of_photos),
        scratch_test(an_lmdb_is_a_source_like_others),
        scratch_test(its_photos_are_rendered_and_kept_like_files),
        scratch_test(a_file_that_is_cut_short_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
