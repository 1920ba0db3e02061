/* Messages as trees: what text and bytes say is found under its name, and what is wrong in them is
 * told with its place.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../check.h"

#include <math.h>

#include "interop/caffe/caffe_int.h"
#include "interop/wire_int.h"

static oc_pool *pool;

static int setup(void **state) {
    (void)state;
    return oc_pool_new(&pool, NULL) == OC_OK ? 0 : 1;
}

static int teardown(void **state) {
    (void)state;
    oc_pool_free(pool);
    return 0;
}

static oc_status parse_as(const oci_proto_type *type, const char *text, const oci_proto **out,
                          oc_error *err) {
    return oci_proto_parse_text(type, text, strlen(text), "a.prototxt", pool, out, err);
}

static const oci_proto *read_as(const oci_proto_type *type, const char *text) {
    const oci_proto *m = NULL;
    oc_error err = {0};
    check_ok(parse_as(type, text, &m, &err), err);
    return m;
}

static void refuse(const char *text, oc_status wanted, const char *part) {
    const oci_proto *m = NULL;
    oc_error err = {0};
    check_fails(parse_as(&oci_caffe_net, text, &m, &err), err, wanted, part);
    assert_null(m);
}

static const oci_proto *first_layer(const oci_proto *net) {
    const oci_proto_value *v = oci_proto_next(net, "layer", NULL);
    assert_non_null(v);
    return v->as.message;
}

/* ---- text ---------------------------------------------------------------------------------- */

static void a_net_reads_as_people_write_it(void **state) {
    (void)state;
    const oci_proto *net =
        read_as(&oci_caffe_net, "# a comment\nname: \"tiny\"\r\n"
                                "input: 'data' input_dim: [1, 3,8 , 8];\n"
                                "layer {\n  name: \"conv1\", type: \"Con\" 'v'\n"
                                "  bottom: \"data\" top: \"c\" # behind\n"
                                "  convolution_param: { num_output: 0x10 pad: 1\n"
                                "    kernel_size: 3 bias_term: false\n"
                                "    weight_filler < type: \"xavier\" std: -1e-2f >\n"
                                "    engine: CAFFE } }");
    assert_string_equal(oci_proto_text(net, "name"), "tiny");
    assert_int_equal(oci_proto_count(net, "input_dim"), 4);
    const oci_proto *layer = first_layer(net);
    assert_int_equal(layer->line, 4);
    assert_string_equal(oci_proto_text(layer, "type"), "Conv");
    const oci_proto *conv = oci_proto_sub(layer, "convolution_param");
    assert_int_equal(oci_proto_int(conv, "num_output"), 16);
    assert_false(oci_proto_bool(conv, "bias_term"));
    assert_string_equal(oci_proto_word_of(conv, "engine"), "CAFFE");
    const oci_proto *filler = oci_proto_sub(conv, "weight_filler");
    assert_true(oci_proto_real(filler, "std") == (double)-1e-2F);
    char place[OCI_PLACE_BYTES];
    assert_string_equal(oci_proto_place(place, layer), "a.prototxt:4:7");
}

static void what_is_absent_has_its_default(void **state) {
    (void)state;
    const oci_proto *layer = first_layer(read_as(&oci_caffe_net, "layer {}"));
    assert_false(oci_proto_has(layer, "pooling_param"));
    assert_true(oci_proto_real(oci_proto_sub(layer, "lrn_param"), "beta") == 0.75);
    assert_string_equal(oci_proto_text(layer, "name"), "");
    const oci_proto *conv = oci_proto_sub(layer, "convolution_param");
    assert_string_equal(oci_proto_text(oci_proto_sub(conv, "weight_filler"), "type"), "constant");
    const oci_proto *solver = read_as(&oci_caffe_solver, "");
    assert_string_equal(oci_proto_text(solver, "type"), "SGD");
    assert_int_equal(oci_proto_int(solver, "random_seed"), -1);
}

static void a_solver_reads_as_people_write_it(void **state) {
    (void)state;
    const oci_proto *s =
        read_as(&oci_caffe_solver, "net: \"train_val.prototxt\"\nbase_lr: .01\n"
                                   "lr_policy: \"multistep\" stepvalue: 10\n"
                                   "stepvalue: 20 gamma: 1 momentum: 0.9\n"
                                   "solver_mode: CPU random_seed: -5 type: 'Adam'\n"
                                   "test_iter: 3 clip_gradients: inf delta: nan\n"
                                   "debug_info: t snapshot_diff: 1");
    assert_int_equal(oci_proto_count(s, "stepvalue"), 2);
    assert_int_equal(oci_proto_int(s, "stepvalue"), 20);
    assert_int_equal(oci_proto_int(s, "random_seed"), -5);
    assert_true(isinf(oci_proto_real(s, "clip_gradients")));
    assert_true(isnan(oci_proto_real(s, "delta")));
    assert_true(oci_proto_bool(s, "debug_info") && oci_proto_bool(s, "snapshot_diff"));
    assert_string_equal(oci_proto_word_of(s, "solver_mode"), "CPU");
}

static void escapes_mean_bytes(void **state) {
    (void)state;
    const oci_proto *net =
        read_as(&oci_caffe_net, "name: \"a\\n\\x41\\101\\\"\\\\\\'\" \"\xC3\xA9\"");
    assert_string_equal(oci_proto_text(net, "name"), "a\nAA\"\\'\xC3\xA9");
}

static void mistakes_are_told_with_their_place(void **state) {
    (void)state;
    refuse("name: tiny", OC_EFORMAT,
           "a.prototxt:1:7: expected a text in quotes for name, found `tiny`");
    refuse("name \"x\"", OC_EFORMAT, "1:6: expected : behind the name");
    refuse("\n\nname: \"x", OC_EFORMAT, "a.prototxt:3:7: a text in quotes has no end");
    refuse("name: \"x\nname\"", OC_EFORMAT, "no end on its line");
    refuse("name: \"\\q\"", OC_EFORMAT, "1:8: an escape");
    refuse("name: \"\\0\"", OC_EFORMAT, "without zero bytes");
    refuse("name: \"\xFF\"", OC_EFORMAT, "UTF-8");
    refuse("input_dim: 3.5", OC_EFORMAT, "whole number of -2147483648 to 2147483647 for input_dim");
    refuse("input_dim: 4294967296", OC_EFORMAT, "1:12: expected a whole number");
    refuse("layer { convolution_param { pad: -1 } }", OC_EFORMAT,
           "1:35: expected a whole number of 0 to");
    refuse("layer { pooling_param { pool: AVG } }", OC_EFORMAT,
           "expected one of MAX AVE STOCHASTIC for pool");
    refuse("layer { pooling_param { global_pooling: yes } }", OC_EFORMAT,
           "true or false for global_pooling");
    refuse("layer { name: \"a\"", OC_EFORMAT, "1:18: expected a field's name, found the end");
    refuse("layer { name: \"a\" >", OC_EFORMAT, "found `>`");
    refuse("layer: 3", OC_EFORMAT, "expected { behind a message's name");
    refuse("name: [\"a\"]", OC_EFORMAT, "only repeated fields take a list");
    refuse("input: [\"a\",]", OC_EFORMAT, "expected a value");
    refuse("}", OC_EFORMAT, "expected a field's name");
    refuse("\x01", OC_EFORMAT, "the byte 0x01");
    refuse("name: \"a\"\nname: \"b\"", OC_EFORMAT,
           "2:1: name comes a second time; the first is in line 1");
    refuse("layer { blobs { data: 1 } }", OC_EFORMAT, "binary files alone");
}

static void unknown_fields_are_all_named_with_what_was_meant(void **state) {
    (void)state;
    refuse("nme: 'x' layer { convolution_param {\n kernel_sise: 3 num_outputs: -2\n zzz { a: [1, "
           "<b {}>] } } }",
           OC_EFORMAT,
           "a.prototxt: unknown fields, at 1:1: nme in NetParameter (did you mean name?); 2:2: "
           "kernel_sise in ConvolutionParameter (did you mean kernel_size?); 2:17: num_outputs in "
           "ConvolutionParameter (did you mean num_output?); 3:2: zzz in ConvolutionParameter");
    refuse("a:1 b:1 c:1 d:1 e:1 f:1 g:1 h:1 i:1 j:1 k:1 l:1", OC_EFORMAT, "; and 2 more");
    refuse("a {", OC_EFORMAT, "expected a bracket, found the end");
}

/* A message that may hold another of its kind. */
static const oci_proto_type nest;
static const oci_proto_field nest_fields[] = {
    {.number = 1, .name = "a", .kind = OCI_PROTO_MESSAGE, .type = &nest}};
static const oci_proto_type nest = {
    .name = "Nest", .fields = nest_fields, .count = 1, .none = {.type = &nest}};

static void text_is_followed_only_so_deep(void **state) {
    (void)state;
    oc_buf deep = {0};
    for (int i = 0; i < 100000; i++) oc_buf_puts(&deep, "x {");
    refuse(deep.data, OC_EFORMAT, "found the end"); /* unknown: passed over without a stack */
    deep.size = 0;
    for (int i = 0; i < OCI_PROTO_DEPTH; i++) oc_buf_puts(&deep, "a { ");
    const oci_proto *m = NULL;
    oc_error err = {0};
    check_fails(parse_as(&nest, deep.data, &m, &err), err, OC_EFORMAT, "found the end");
    oc_buf_puts(&deep, "a { ");
    check_fails(parse_as(&nest, deep.data, &m, &err), err, OC_ELIMIT, "1:131: messages within");
    oc_buf_clear(&deep);
}

static void a_long_net_is_read_at_once(void **state) {
    (void)state;
    oc_buf text = {0};
    for (int i = 0; i < 700; i++) {
        oc_buf_printf(&text,
                      "layer {\n  name: \"conv%d\"\n  type: \"Convolution\"\n  bottom: \"c%d\"\n"
                      "  top: \"c%d\"\n  convolution_param {\n    num_output: 64\n"
                      "    kernel_size: 3\n  }\n}\n",
                      i, i, i + 1);
    }
    const oci_proto *net = read_as(&oci_caffe_net, text.data);
    assert_int_equal(oci_proto_count(net, "layer"), 700);
    oc_buf_clear(&text);
}

/* ---- bytes --------------------------------------------------------------------------------- */

static const oci_proto *read_bytes(const oci_proto_type *type, const oc_buf *bytes) {
    const oci_proto *m = NULL;
    oc_error err = {0};
    check_ok(oci_proto_parse_bytes(type, bytes->data, bytes->size, "b", pool, &m, &err), err);
    return m;
}

static void put_floats(oc_buf *out, uint32_t number, const float *values, size_t count) {
    oci_wire_put_bytes(out, number, values, count * sizeof *values);
}

static void bytes_and_text_are_the_same_tree(void **state) {
    (void)state;
    oc_buf conv = {0}, layer = {0}, net = {0};
    oci_wire_put_varint(&conv, 1, 16);
    const int64_t kernel[] = {3, 5};
    oci_wire_put_packed(&conv, 4, kernel, 2);
    oci_wire_put_varint(&conv, 2, 0);
    oci_wire_put_text(&layer, 1, "conv1");
    oci_wire_put_message(&layer, 106, &conv);
    oci_wire_put_varint(&layer, 4000, 1); /* unknown: passed over */
    oci_wire_put_text(&net, 1, "tiny");
    oci_wire_put_varint(&net, 4, (uint64_t)-7);
    oci_wire_put_message(&net, 100, &layer);
    const oci_proto *m = read_bytes(&oci_caffe_net, &net);
    assert_string_equal(oci_proto_text(m, "name"), "tiny");
    assert_int_equal(oci_proto_int(m, "input_dim"), -7);
    const oci_proto *c = oci_proto_sub(first_layer(m), "convolution_param");
    assert_int_equal(oci_proto_int(c, "num_output"), 16);
    assert_int_equal(oci_proto_count(c, "kernel_size"), 2);
    assert_int_equal(oci_proto_int(c, "kernel_size"), 5);
    assert_false(oci_proto_bool(c, "bias_term"));
    oc_buf_clear(&conv);
    oc_buf_clear(&layer);
    oc_buf_clear(&net);
}

static void weights_are_views_packed_or_not(void **state) {
    (void)state;
    const float values[] = {1, -2, 3.5F};
    oc_buf blob = {0};
    put_floats(&blob, 5, values, 3);
    const oci_proto_value *v = oci_proto_next(read_bytes(&oci_caffe_blob, &blob), "data", NULL);
    assert_int_equal(v->as.run.count, 3);
    assert_int_equal(v->as.run.stride, 4);
    assert_ptr_equal(v->as.run.bytes + 12, blob.data + blob.size);
    blob.size = 0;
    for (int i = 0; i < 3; i++) oci_wire_put_float(&blob, 5, values[i]);
    const oci_proto *m = read_bytes(&oci_caffe_blob, &blob);
    assert_int_equal(oci_proto_count(m, "data"), 1);
    v = oci_proto_next(m, "data", NULL);
    assert_int_equal(v->as.run.count, 3);
    assert_int_equal(v->as.run.stride, 5);
    assert_true(oci_wire_float_at(v->as.run.bytes + 10) == 3.5F);
    blob.size = 0;
    for (int i = 0; i < 4; i++) oci_wire_put_double(&blob, 8, (double)i);
    v = oci_proto_next(read_bytes(&oci_caffe_blob, &blob), "double_data", NULL);
    assert_true(v->as.run.count == 4 && v->as.run.stride == 9);
    oc_buf_clear(&blob);
}

static void damaged_bytes_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *part;
    } files[] = {
        {"\x2A\x05\0\0\0\0\0", 7, "data at byte 2 has 5 bytes"},
        {"\x2A\x09\0\0", 4, "says 9 bytes"},
        {"\x08\x80\x80\x80\x80\x10", 6, "num before byte 6 is 4294967296"},
        {"\x3A\x01\x0A", 3, "cut off"},
        {"\x3D\0\0\0\0", 5, "shape (field 7)"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const oci_proto *m = NULL;
        oc_error err = {0};
        check_fails(oci_proto_parse_bytes(&oci_caffe_blob, files[i].bytes, files[i].size, "b", pool,
                                          &m, &err),
                    err, OC_EFORMAT, files[i].part);
        assert_null(m);
    }
}

static void running_out_of_memory_leaks_nothing(void **state) {
    (void)state;
    static const char text[] = "nam: 'a' layer { name: 'b' 'c' top: 'x' }";
    for (uint64_t n = 1; n < 50; n++) {
        const oci_proto *m = NULL;
        oc_pool *own = NULL;
        oc_error err = {0};
        oc_mem_fail_at(n);
        oc_status status = oc_pool_new(&own, &err);
        if (status == OC_OK)
            status =
                oci_proto_parse_text(&oci_caffe_net, text, sizeof text - 1, "a", own, &m, &err);
        oc_mem_fail_at(0);
        oc_pool_free(own);
        if (status == OC_EFORMAT) {
            assert_true(n > 2);
            return;
        }
        assert_int_equal(status, OC_ENOMEM);
    }
    fail_msg("never got through");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_net_reads_as_people_write_it),
        cmocka_unit_test(what_is_absent_has_its_default),
        cmocka_unit_test(a_solver_reads_as_people_write_it),
        cmocka_unit_test(escapes_mean_bytes),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(unknown_fields_are_all_named_with_what_was_meant),
        cmocka_unit_test(text_is_followed_only_so_deep),
        cmocka_unit_test(a_long_net_is_read_at_once),
        cmocka_unit_test(bytes_and_text_are_the_same_tree),
        cmocka_unit_test(weights_are_views_packed_or_not),
        cmocka_unit_test(damaged_bytes_are_refused),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
