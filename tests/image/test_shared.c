/* The door on real files: the PNG test suite and one photo under all orientations, where
 * ../shared is there.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image_test.h"

/* JPEG was compressed once per orientation; the same photo, not the same bytes. */
static const double MEAN_GREY_LEVELS_OF_RECOMPRESSION = 8;

static oc_status decode_file(const char *path, oc_image *out, oc_error *err) {
    char *bytes = NULL;
    size_t size = 0;
    oc_decoder *decoder = new_decoder();
    check_ok(oc_file_read(path, 16 << 20, &bytes, &size, err), *err);
    oc_status status = oc_decode(decoder, bytes, size, &over_white, out, NULL, err);
    oc_free(bytes);
    oc_decoder_free(decoder);
    return status;
}

static void pngsuite_is_read_and_its_broken_files_are_refused(void **state) {
    (void)state;
    oc_path_list list;
    int good = 0, broken = 0;
    if (oc_path_list_dir(SHARED "formats/pngsuite", false, &list, NULL) != OC_OK) skip();
    for (size_t i = 0; i < list.count; i++) {
        oc_image out = {0};
        oc_error err = {0};
        char path[OC_PATH_BYTES];
        if (!oc_ends_with(list.names[i], ".png")) continue;
        check_ok(oc_path_join(path, SHARED "formats/pngsuite", list.names[i], &err), err);
        oc_status status = decode_file(path, &out, &err);
        bool wrong = list.names[i][0] == 'x';
        if ((status == OC_OK) == wrong) fail_msg("%s: %s", list.names[i], err.message);
        *(wrong ? &broken : &good) += 1;
        oc_image_clear(&out);
    }
    oc_path_list_free(&list);
    assert_int_equal(good, 162);
    assert_int_equal(broken, 14);
}

static void every_orientation_gives_the_same_upright_photo(void **state) {
    (void)state;
    oc_image first = {0};
    oc_error err = {0};
    if (!oc_path_is_dir(SHARED "formats/exif")) skip();
    check_ok(decode_file(SHARED "formats/exif/Landscape_0.jpg", &first, &err), err);
    for (int i = 1; i <= 8; i++) {
        char path[OC_PATH_BYTES];
        oc_image out = {0};
        double sum = 0;
        (void)snprintf(path, sizeof path, SHARED "formats/exif/Landscape_%d.jpg", i);
        check_ok(decode_file(path, &out, &err), err);
        assert_int_equal(image_bytes(&out), image_bytes(&first));
        assert_int_equal(out.width, first.width);
        for (size_t p = 0; p < image_bytes(&out); p++) sum += abs(out.pixels[p] - first.pixels[p]);
        assert_true(sum / (double)image_bytes(&out) < MEAN_GREY_LEVELS_OF_RECOMPRESSION);
        oc_image_clear(&out);
    }
    oc_image_clear(&first);
}

int main(void) {
    enum { SKIPPED = 77 };
    if (!oc_path_is_dir(SHARED)) {
        (void)puts("skipped: the folder ../shared/data is not here");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pngsuite_is_read_and_its_broken_files_are_refused),
        cmocka_unit_test(every_orientation_gives_the_same_upright_photo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
