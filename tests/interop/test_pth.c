/* Hostile files of PyTorch's form: whatever their pickle asks for, nothing is executed.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/interop.h"
#include "zip_maker.h"

static const float six[6] = {0, 1, 2, 3, 4, 5};

/* A pickle in a whole archive beside one storage of six floats, "0". */
static oc_status read_pickle(const void *pickle, size_t size, oc_weights_file **out,
                             oc_error *err) {
    const made_entry entries[] = {{.name = "a/data.pkl", .data = pickle, .size = (uint32_t)size},
                                  {.name = "a/byteorder", .data = "little", .size = 6},
                                  {.name = "a/data/0", .data = six, .size = sizeof six}};
    oc_buf file = make_zip(entries, 3);
    oc_status status = oc_weights_file_parse(out, file.data, file.size, "f.pth", err);
    if (status == OC_OK) { /* views end with the bytes: only whether it is accepted is asked */
        oc_weights_file_close(*out);
        *out = NULL;
    }
    oc_buf_clear(&file);
    return status;
}

#define REFUSE(pickle, wanted, part) refuse(pickle, sizeof(pickle) - 1, wanted, part)

static void refuse(const char *pickle, size_t size, oc_status wanted, const char *part) {
    oc_weights_file *f = NULL;
    oc_error err = {0};
    check_fails(read_pickle(pickle, size, &f, &err), err, wanted, part);
}

/* {"w": tensor} with this storage type, count, offset, shape and stride (tuples as pickle). */
#define STORAGE(type, count)                                                                       \
    "(X\x07\0\0\0storagectorch\n" type "\nX\x01\0\0\0"                                             \
    "0X\x03\0\0\0cpu" count "tQ"
#define TENSOR(type, count, offset, shape, stride)                                                 \
    "\x80\x02}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(" STORAGE(type, count)               \
        offset shape stride "\x89"                                                                 \
                            "ccollections\nOrderedDict\n)RtRs."

static void a_tensor_made_by_hand_is_accepted(void **state) {
    (void)state;
    static const char pickle[] =
        TENSOR("FloatStorage", "K\x06", "K\0", "K\x02K\x03\x86", "K\x03K\x01\x86");
    oc_weights_file *f = NULL;
    oc_error err = {0};
    check_ok(read_pickle(pickle, sizeof pickle - 1, &f, &err), err);
}

static void code_is_refused_by_its_name(void **state) {
    (void)state;
    REFUSE("\x80\x02"
           "cos\nsystem\nX\x10\0\0\0touch /tmp/pwned\x85R.",
           OC_EUNSUPPORTED, "asks to call os.system");
    REFUSE("\x80\x02"
           "cposix\nsystem\nX\x02\0\0\0ls\x85R.",
           OC_EUNSUPPORTED, "posix.system");
    REFUSE("\x80\x02"
           "c__builtin__\neval\nX\x01\0\0\0"
           "1\x85R.",
           OC_EUNSUPPORTED, "__builtin__.eval");
    REFUSE("\x80\x04\x8c\x02os\x8c\x06system\x93X\x02\0\0\0ls\x85R.", OC_EUNSUPPORTED, "os.system");
    REFUSE("\x80\x02"
           "csubprocess\nPopen\n)\x81.",
           OC_EUNSUPPORTED, "subprocess.Popen");
    REFUSE("\x80\x02}cos\nsystem\nb.", OC_EUNSUPPORTED, "no dict of named tensors");
    REFUSE("\x80\x02(S'ls'\nios\nsystem\n.", OC_EUNSUPPORTED, "opcode 0x53");
    REFUSE("\x80\x02(cos\nsystem\nX\x02\0\0\0lso.", OC_EUNSUPPORTED, "opcode 0x6f");
    REFUSE("\x80\x02\x82\x01.", OC_EUNSUPPORTED, "opcode 0x82"); /* extension registry */
    assert_false(oc_path_exists("/tmp/pwned"));
}

static void tensors_beyond_their_storage_are_refused(void **state) {
    (void)state;
    REFUSE(TENSOR("FloatStorage", "K\x06", "K\x01", "K\x02K\x03\x86", "K\x03K\x01\x86"), OC_EFORMAT,
           "reaches beyond its storage");
    REFUSE(TENSOR("FloatStorage", "K\x06", "K\0", "K\x02K\x03\x86", "K\x04K\x01\x86"), OC_EFORMAT,
           "reaches beyond its storage");
    REFUSE(TENSOR("FloatStorage", "K\x07", "K\0", "K\x07\x85", "K\x01\x85"), OC_EFORMAT,
           "fewer bytes than it should");
    REFUSE(TENSOR("DoubleStorage", "K\x06", "K\0", "K\x02\x85", "K\x01\x85"), OC_EFORMAT,
           "fewer bytes than it should");
    REFUSE(TENSOR("FloatStorage", "K\x06", "K\x06", "K\x01\x85", "K\x01\x85"), OC_EFORMAT,
           "more elements");
}

#define HUGE "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f" /* 2^63 - 1 */
#define WIDE "\x8a\x05\0\0\0\0\x01"                     /* 2^32 */

static void shapes_and_strides_that_overflow_are_refused(void **state) {
    (void)state;
    REFUSE(TENSOR("FloatStorage", "K\x06", "K\0", WIDE WIDE "\x86", "K\x01K\x01\x86"), OC_EFORMAT,
           "larger than any memory");
    REFUSE(TENSOR("FloatStorage", "K\x06", "K\0", WIDE "\x85", "K\0\x85"), OC_EFORMAT,
           "more elements than its storage");
    REFUSE(TENSOR("FloatStorage", "K\x06", "K\0", "K\x02\x85", HUGE "\x85"), OC_EFORMAT,
           "reaches beyond its storage");
    REFUSE(TENSOR("FloatStorage", "K\x06", HUGE, "K\x02\x85", "K\x01\x85"), OC_EFORMAT,
           "more elements than its storage");
    REFUSE(TENSOR("FloatStorage", HUGE, "K\0", "K\x02\x85", "K\x01\x85"), OC_EFORMAT,
           "fewer bytes than it should");
    REFUSE(TENSOR("FloatStorage", "K\x06", "K\0", "J\xff\xff\xff\xff\x85", "K\x01\x85"), OC_EFORMAT,
           "a tensor of no shape");
    REFUSE(TENSOR("FloatStorage", "K\x06", "J\xff\xff\xff\xff", "K\x02\x85", "K\x01\x85"),
           OC_EFORMAT, "a tensor of no shape");
    REFUSE(TENSOR("FloatStorage", "K\x06", "K\0", "(K\x01K\x01K\x01K\x01K\x01K\x01K\x01t",
                  "(K\x01K\x01K\x01K\x01K\x01K\x01K\x01t"),
           OC_EFORMAT, "up to 6 dimensions");
}

static void storages_of_other_types_are_refused(void **state) {
    (void)state;
    REFUSE(TENSOR("ComplexFloatStorage", "K\x06", "K\0", "K\x02\x85", "K\x01\x85"), OC_EUNSUPPORTED,
           "torch.ComplexFloatStorage");
}

static void broken_machines_are_refused(void **state) {
    (void)state;
    REFUSE("", OC_EFORMAT, "breaks off");
    REFUSE("\x80\x02", OC_EFORMAT, "breaks off");
    REFUSE("\x80\x02.", OC_EFORMAT, "missing on its stack");
    REFUSE("\x80\x02X\xff\xff\xff\xff", OC_EFORMAT, "breaks off");
    REFUSE("\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff", OC_EFORMAT, "longer than the file");
    REFUSE("\x80\x02j\xff\xff\xff\xff", OC_EFORMAT, "its memo");
    REFUSE("\x80\x02Nr\xff\xff\xff\xff.", OC_EFORMAT, "memo beyond all measure");
    REFUSE("\x80\x02t.", OC_EFORMAT, "mark is missing");
    REFUSE("\x80\x02}(Nu.", OC_EFORMAT, "members that fit no list");
    REFUSE("\x80\x02(u.", OC_EFORMAT, "members without a list");
    REFUSE("\x80\x02(s.", OC_EFORMAT, "missing on its stack");
    REFUSE("\x80\x02NNR.", OC_EFORMAT, "call without arguments");
    REFUSE("\x80\x02N)R.", OC_EFORMAT, "call of what is no name");
    REFUSE("\x80\x02Q.", OC_EFORMAT, "missing on its stack");
    REFUSE("\x80\x02NQ.", OC_EFORMAT, "reference to no storage");
    REFUSE("\x80\x02"
           "cno end of the line",
           OC_EFORMAT, "name without end");
    REFUSE("\x80\x02"
           "ctorch._utils\n_rebuild_tensor_v2\n)R.",
           OC_EFORMAT, "tensor of no shape");
    REFUSE("\x80\x02"
           "ctorch._utils\n_rebuild_parameter\n)R.",
           OC_EFORMAT, "without its tensor");
}

/* A dict that is its own member, and a tuple that holds itself eight times over, forty deep. */
static void cycles_cost_nothing(void **state) {
    (void)state;
    REFUSE("\x80\x02}q\0X\x05\0\0\0modelh\0s.", OC_EUNSUPPORTED, "no dict of named tensors");
    REFUSE("\x80\x02]q\0h\0a.", OC_EUNSUPPORTED, "no dict of named tensors");
    oc_buf deep = {0};
    oc_buf_append(&deep, "\x80\x02)", 3);
    for (int i = 0; i < 40; i++) oc_buf_append(&deep, "q\0(h\0h\0h\0h\0h\0h\0h\0h\0t", 20);
    oc_buf_append(&deep, ".", 1);
    refuse(deep.data, deep.size, OC_EUNSUPPORTED, "no dict of named tensors");
    oc_buf_clear(&deep);
}

static void a_foreign_byte_order_is_refused(void **state) {
    (void)state;
    const made_entry entries[] = {{.name = "a/data.pkl", .data = "\x80\x02}.", .size = 4},
                                  {.name = "a/byteorder", .data = "big", .size = 3}};
    oc_weights_file *f = NULL;
    oc_error err = {0};
    oc_buf file = make_zip(entries, 2);
    check_fails(oc_weights_file_parse(&f, file.data, file.size, "f", &err), err, OC_EUNSUPPORTED,
                "byte order 'big'");
    oc_buf_clear(&file);
}

static void other_archives_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *name, *part;
    } KINDS[] = {{"readme", "not one of torch.save or Keras"}};
    for (size_t i = 0; i < 1; i++) {
        const made_entry entry = {.name = KINDS[i].name, .data = "x", .size = 1};
        oc_weights_file *f = NULL;
        oc_error err = {0};
        oc_buf file = make_zip(&entry, 1);
        check_fails(oc_weights_file_parse(&f, file.data, file.size, "f", &err), err,
                    OC_EUNSUPPORTED, KINDS[i].part);
        oc_buf_clear(&file);
    }
}

static void a_packed_list_or_storage_is_refused(void **state) {
    (void)state;
    static const char pickle[] =
        TENSOR("FloatStorage", "K\x06", "K\0", "K\x02K\x03\x86", "K\x03K\x01\x86");
    for (int i = 0; i < 2; i++) {
        made_entry entries[] = {{.name = "a/data.pkl", .data = pickle, .size = sizeof pickle - 1},
                                {.name = "a/data/0", .data = six, .size = sizeof six}};
        entries[i].method = 8;
        oc_weights_file *f = NULL;
        oc_error err = {0};
        oc_buf file = make_zip(entries, 2);
        check_fails(oc_weights_file_parse(&f, file.data, file.size, "f", &err), err,
                    OC_EUNSUPPORTED, "is compressed");
        oc_buf_clear(&file);
    }
}

static void every_truncation_and_changed_byte_is_read_safely(void **state) {
    (void)state;
    static const char pickle[] =
        TENSOR("FloatStorage", "K\x06", "K\0", "K\x02K\x03\x86", "K\x03K\x01\x86");
    size_t size = sizeof pickle - 1;
    oc_weights_file *f = NULL;
    for (size_t i = 0; i < size; i++) {
        char copy[sizeof pickle];
        assert_int_not_equal(read_pickle(pickle, i, &f, NULL), OC_OK);
        for (int value = 0; value < 256; value += 17) {
            memcpy(copy, pickle, size);
            copy[i] = (char)value;
            (void)!read_pickle(copy, size, &f, NULL);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tensor_made_by_hand_is_accepted),
        cmocka_unit_test(code_is_refused_by_its_name),
        cmocka_unit_test(tensors_beyond_their_storage_are_refused),
        cmocka_unit_test(shapes_and_strides_that_overflow_are_refused),
        cmocka_unit_test(storages_of_other_types_are_refused),
        cmocka_unit_test(broken_machines_are_refused),
        cmocka_unit_test(cycles_cost_nothing),
        cmocka_unit_test(a_foreign_byte_order_is_refused),
        cmocka_unit_test(other_archives_are_told_apart),
        cmocka_unit_test(a_packed_list_or_storage_is_refused),
        cmocka_unit_test(every_truncation_and_changed_byte_is_read_safely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
