/* Weights files: what is written is read back, and every way to be wrong is told apart.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <unistd.h>

#include "model/model.h"

/* A file in memory: prefix, header, `data` bytes counting up from 0. */
static oc_buf make_file(const char *header, size_t data) {
    oc_buf file = {0};
    uint64_t size = strlen(header);
    for (int i = 0; i < 8; i++) {
        uint8_t byte = size >> (8 * i) & 0xFF;
        oc_buf_append(&file, &byte, 1);
    }
    oc_buf_puts(&file, header);
    for (size_t i = 0; i < data; i++) {
        uint8_t byte = (uint8_t)i;
        oc_buf_append(&file, &byte, 1);
    }
    assert_false(file.failed);
    return file;
}

static void refuse(const char *header, size_t data, oc_status wanted, const char *part) {
    oc_safetensors *st = NULL;
    oc_error err = {0};
    oc_buf file = make_file(header, data);
    oc_status status = oc_safetensors_parse(&st, file.data, file.size, "f", &err);
    oc_buf_clear(&file);
    check_fails(status, err, wanted, part);
    assert_null(st);
}

static void a_file_made_by_hand_is_read(void **state) {
    (void)state;
    oc_error err = {0};
    oc_safetensors *st = NULL;
    oc_buf file = make_file("{\"__metadata__\":{\"format\":\"pt\"},"
                            "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]},"
                            "\"a\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]}}   ",
                            11);
    check_ok(oc_safetensors_parse(&st, file.data, file.size, "f", &err), err);
    const oc_tensors *set = oc_safetensors_tensors(st);
    assert_int_equal(oc_tensors_count(set), 2);
    const oc_tensor *a = oc_tensors_find(set, "a"), *b = oc_tensors_find(set, "b");
    assert_int_equal(a->dtype, OC_F32);
    assert_int_equal(a->shape.rank, 2);
    assert_int_equal(a->shape.dim[1], 2);
    assert_int_equal(((const uint8_t *)a->data)[7], 7);
    assert_int_equal(((const uint8_t *)b->data)[2], 10);
    assert_string_equal(oc_safetensors_metadata(st, "format"), "pt");
    assert_null(oc_safetensors_metadata(st, "author"));
    oc_safetensors_close(st);
    oc_buf_clear(&file);
}

static void scalars_and_empty_tensors_are_read(void **state) {
    (void)state;
    oc_error err = {0};
    oc_safetensors *st = NULL;
    oc_buf file = make_file("{\"none\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[8,8]},"
                            "\"one\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]}}",
                            8);
    check_ok(oc_safetensors_parse(&st, file.data, file.size, "f", &err), err);
    assert_int_equal(oc_tensor_count(oc_tensors_find(oc_safetensors_tensors(st), "none")), 0);
    assert_int_equal(oc_tensor_count(oc_tensors_find(oc_safetensors_tensors(st), "one")), 1);
    oc_safetensors_close(st);
    oc_buf_clear(&file);
}

static void a_header_longer_than_the_file_is_refused(void **state) {
    (void)state;
    static const uint8_t huge[][16] = {{0, 0, 0, 0, 0, 0, 0, 0x80, '{', '}'},
                                       {255, 255, 255, 255, 255, 255, 255, 255, '{', '}'},
                                       {200, 0, 0, 0, 0, 0, 0, 0, '{', '}'}};
    static const char *const parts[] = {"header of 9223372036854775808 bytes",
                                        "header of 18446744073709551615 bytes", "truncated"};
    for (size_t i = 0; i < 3; i++) {
        oc_safetensors *st = NULL;
        oc_error err = {0};
        check_fails(oc_safetensors_parse(&st, huge[i], 16, "f", &err), err, OC_EFORMAT, parts[i]);
    }
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    oc_buf file = make_file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8);
    for (size_t size = 0; size < file.size; size++) {
        oc_safetensors *st = NULL;
        oc_error err = {0};
        uint8_t *part = oc_malloc(size); /* exact, so that a sanitizer sees an over-read */
        memcpy(part, file.data, size);
        assert_int_equal(oc_safetensors_parse(&st, part, size, "f", &err), OC_EFORMAT);
        oc_free(part);
    }
    oc_buf_clear(&file);
}

static void offsets_outside_the_data_are_refused(void **state) {
    (void)state;
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[9],\"data_offsets\":[0,9]}}", 8, OC_EFORMAT,
           "tensor a: data_offsets 0 to 9");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[8,4]}}", 8, OC_EFORMAT,
           "data_offsets 8 to 4");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[-4,0]}}", 8, OC_EFORMAT,
           "data_offsets -4 to 0");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],"
           "\"data_offsets\":[9223372036854775807,9223372036854775807]}}",
           8, OC_EFORMAT, "outside");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,18446744073709551616]}}", 8,
           OC_EFORMAT, "not valid JSON");
}

static void overlaps_and_holes_are_refused(void **state) {
    (void)state;
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[5],\"data_offsets\":[0,5]},"
           "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
           8, OC_EFORMAT, "overlap");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},"
           "\"b\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]}}",
           8, OC_EFORMAT, "overlap");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
           "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
           8, OC_EFORMAT, "hole");
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}", 8, OC_EFORMAT,
           "cover 3 of 8 bytes");
}

static void duplicate_keys_are_refused(void **state) {
    (void)state;
    refuse("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
           "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,8]}}",
           8, OC_EFORMAT, "duplicate");
    refuse("{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4,
           OC_EFORMAT, "duplicate");
}

static void shapes_must_give_the_length(void **state) {
    (void)state;
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, OC_EFORMAT,
           "3 of F32 needs 12 bytes");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
           0, OC_EFORMAT, "larger than any memory");
    refuse("{\"a\":{\"dtype\":\"F64\",\"shape\":[2305843009213693952],\"data_offsets\":[0,0]}}", 0,
           OC_EFORMAT, "larger than any memory");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, OC_EFORMAT,
           "dimension 0");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2.0],\"data_offsets\":[0,8]}}", 8, OC_EFORMAT,
           "dimension 0");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,2],\"data_offsets\":[0,8]}}", 8,
           OC_EUNSUPPORTED, "7 dimensions");
}

static void headers_of_another_form_are_refused(void **state) {
    (void)state;
    refuse("", 0, OC_EFORMAT, "does not begin");
    refuse("[]", 0, OC_EFORMAT, "does not begin");
    refuse("{", 0, OC_EFORMAT, "not valid JSON");
    refuse("{} {}", 0, OC_EFORMAT, "not valid JSON");
    refuse("{\"a\":1}", 0, OC_EFORMAT, "tensor a");
    refuse("{\"a\":{}}", 0, OC_EFORMAT, "dtype");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":3,\"data_offsets\":[0,8]}}", 8, OC_EFORMAT,
           "shape");
    refuse("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, OC_EFORMAT, "two");
    refuse("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]}}", 8,
           OC_EUNSUPPORTED, "F8_E4M3");
    refuse("{\"__metadata__\":{\"n\":1}}", 0, OC_EFORMAT, "not a string");
    refuse("{\"__metadata__\":[]}", 0, OC_EFORMAT, "not an object");
}

static void an_empty_set_is_valid(void **state) {
    (void)state;
    oc_safetensors *st = NULL;
    oc_error err = {0};
    oc_buf file = make_file("{}", 0);
    check_ok(oc_safetensors_parse(&st, file.data, file.size, "f", &err), err);
    assert_int_equal(oc_tensors_count(oc_safetensors_tensors(st)), 0);
    oc_safetensors_close(st);
    oc_buf_clear(&file);
}

static oc_tensors *make_set(void) {
    oc_tensors *set = NULL;
    oc_tensor *t = NULL;
    oc_shape four = oc_shape_2d(2, 2), three = oc_shape_1d(3), scalar = {0};
    assert_int_equal(oc_tensors_new(&set, NULL), OC_OK);
    assert_int_equal(oc_tensors_add(set, "bytes \"quoted\" \xC3\xA9", OC_U8, &three, &t, NULL),
                     OC_OK);
    memcpy(t->data, "xyz", 3);
    assert_int_equal(oc_tensors_add(set, "w", OC_F32, &four, &t, NULL), OC_OK);
    memcpy(t->data, (float[]){1.5F, -2, 0, 3e30F}, 16);
    assert_int_equal(oc_tensors_add(set, "count", OC_I64, &scalar, &t, NULL), OC_OK);
    *(int64_t *)t->data = -5;
    return set;
}

static void a_set_survives_a_round_trip(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
    oc_error err = {0};
    oc_safetensors *st = NULL;
    oc_tensors *set = make_set();
    json_t *metadata = json_pack("{s:s}", "seed", "7");
    make_scratch(folder);
    check_ok(oc_path_join(path, folder, "w.safetensors", &err), err);
    check_ok(oc_safetensors_write(path, set, metadata, &err), err);
    check_ok(oc_safetensors_open(&st, path, &err), err);
    const oc_tensors *found = oc_safetensors_tensors(st);
    assert_int_equal(oc_tensors_count(found), oc_tensors_count(set));
    for (size_t i = 0; i < oc_tensors_count(set); i++) {
        const oc_tensor *a = oc_tensors_at(set, i);
        const oc_tensor *b = oc_tensors_find(found, oc_tensors_name(set, i));
        assert_non_null(b);
        assert_int_equal(a->dtype, b->dtype);
        assert_true(oc_shape_equal(&a->shape, &b->shape));
        assert_memory_equal(a->data, b->data, oc_tensor_bytes(a));
    }
    assert_string_equal(oc_safetensors_metadata(st, "seed"), "7");
    oc_safetensors_close(st);
    oc_tensors_free(set);
    json_decref(metadata);
    drop_scratch(folder);
}

/* Byte for byte what the format's own writer gives for this set: keys by falling element size, the
 * header padded with spaces to a multiple of 8. */
static void a_written_file_is_the_known_bytes(void **state) {
    (void)state;
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},"
        "\"count\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
        "\"w\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[8,24]},"
        "\"bytes \\\"quoted\\\" \xC3\xA9\":{\"dtype\":\"U8\",\"shape\":[3],"
        "\"data_offsets\":[24,27]}}";
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES], *bytes = NULL;
    size_t size = 0, padded = (sizeof header - 1 + 7) / 8 * 8;
    oc_error err = {0};
    oc_tensors *set = make_set();
    make_scratch(folder);
    check_ok(oc_path_join(path, folder, "w.safetensors", &err), err);
    check_ok(oc_safetensors_write(path, set, NULL, &err), err);
    check_ok(oc_file_read(path, 1 << 20, &bytes, &size, &err), err);
    assert_int_equal(size, 8 + padded + 27);
    assert_int_equal((uint8_t)bytes[0], padded & 255);
    assert_int_equal((uint8_t)bytes[1], padded >> 8);
    assert_memory_equal(bytes + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < padded; i++) assert_int_equal(bytes[8 + i], ' ');
    assert_memory_equal(bytes + 8 + padded + 24, "xyz", 3);
    oc_free(bytes);
    oc_tensors_free(set);
    drop_scratch(folder);
}

static void metadata_that_is_no_text_is_refused(void **state) {
    (void)state;
    oc_error err = {0};
    oc_tensors *set = make_set();
    json_t *metadata = json_pack("{s:i}", "seed", 7);
    check_fails(oc_safetensors_write("/tmp/never-written", set, metadata, &err), err, OC_EUSAGE,
                "seed");
    assert_false(oc_path_exists("/tmp/never-written"));
    json_decref(metadata);
    oc_tensors_free(set);
}

static void a_missing_file_is_named(void **state) {
    (void)state;
    oc_safetensors *st = NULL;
    oc_error err = {0};
    check_fails(oc_safetensors_open(&st, "/no/such/w.safetensors", &err), err, OC_ENOTFOUND,
                "/no/such/w.safetensors");
}

static void reading_and_writing_survive_any_allocation_failing(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
    oc_tensors *set = make_set();
    make_scratch(folder);
    assert_int_equal(oc_path_join(path, folder, "w.safetensors", NULL), OC_OK);
    oc_status status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n++) {
        assert_true(n < 500);
        oc_mem_fail_at(n);
        status = oc_safetensors_write(path, set, NULL, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || status == OC_ENOMEM);
    }
    status = OC_ENOMEM;
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_safetensors *st = NULL;
        assert_true(n < 500);
        oc_mem_fail_at(n);
        status = oc_safetensors_open(&st, path, NULL);
        oc_mem_fail_at(0);
        assert_true(status == OC_OK || (status == OC_ENOMEM && st == NULL));
        oc_safetensors_close(st);
    }
    oc_tensors_free(set);
    drop_scratch(folder);
}

static void pretrained_files_are_read(void **state) {
    (void)state;
    static const struct {
        const char *file;
        size_t numbers;
    } known[] = {{"squeezenet1_1.safetensors", 1235496},
                 {"mobilenet_v2-features.safetensors", 2257984}};
    for (size_t i = 0; i < 2; i++) {
        char path[OC_PATH_BYTES];
        oc_safetensors *st = NULL;
        oc_error err = {0};
        size_t numbers = 0;
        (void)snprintf(path, sizeof path, OC_SOURCE_DIR "/../shared/models/%s", known[i].file);
        if (!oc_path_exists(path)) {
            print_message("skipped: %s is absent\n", path);
            skip();
        }
        check_ok(oc_safetensors_open(&st, path, &err), err);
        const oc_tensors *set = oc_safetensors_tensors(st);
        for (size_t t = 0; t < oc_tensors_count(set); t++) {
            numbers += oc_tensor_count(oc_tensors_at(set, t));
        }
        assert_true(numbers >= known[i].numbers);
        assert_true(numbers < known[i].numbers + 60000); /* running statistics */
        oc_safetensors_close(st);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_made_by_hand_is_read),
        cmocka_unit_test(scalars_and_empty_tensors_are_read),
        cmocka_unit_test(a_header_longer_than_the_file_is_refused),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(offsets_outside_the_data_are_refused),
        cmocka_unit_test(overlaps_and_holes_are_refused),
        cmocka_unit_test(duplicate_keys_are_refused),
        cmocka_unit_test(shapes_must_give_the_length),
        cmocka_unit_test(headers_of_another_form_are_refused),
        cmocka_unit_test(an_empty_set_is_valid),
        cmocka_unit_test(a_set_survives_a_round_trip),
        cmocka_unit_test(a_written_file_is_the_known_bytes),
        cmocka_unit_test(metadata_that_is_no_text_is_refused),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(reading_and_writing_survive_any_allocation_failing),
        cmocka_unit_test(pretrained_files_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
