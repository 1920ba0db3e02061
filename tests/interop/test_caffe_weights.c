/* Weights of Caffe models: every form of blob gives the same values, what does not fit is listed,
 * damaged files are refused; and the whole import with its recipe.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "caffe_maker.h"

#include "interop/interop.h"

#include <math.h>

static char folder[OC_PATH_BYTES], net_path[OC_PATH_BYTES], weights_path[OC_PATH_BYTES],
    mean_path[OC_PATH_BYTES];

static int setup(void **state) {
    (void)state;
    make_scratch(folder);
    assert_int_equal(oc_path_join(net_path, folder, "net.prototxt", NULL), OC_OK);
    assert_int_equal(oc_path_join(weights_path, folder, "net.caffemodel", NULL), OC_OK);
    assert_int_equal(oc_path_join(mean_path, folder, "mean.binaryproto", NULL), OC_OK);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    drop_scratch(folder);
    return 0;
}

static void put_file(const char *path, const void *bytes, size_t size) {
    assert_int_equal(oc_file_put(path, bytes, size, NULL), OC_OK);
}

/* conv 2 x 3 x 1 x 1, batch norm of 2 and its scale, dense 2 x 2 behind a global pool. */
#define BODY                                                                                       \
    "layer { name: 'c' type: 'Convolution' bottom: 'data' top: 'c' "                               \
    "convolution_param { num_output: 2 kernel_size: 1 bias_term: false } }\n"                      \
    "layer { name: 'bn' type: 'BatchNorm' bottom: 'c' top: 'c' }\n"                                \
    "layer { name: 'sc' type: 'Scale' bottom: 'c' top: 'c' scale_param { bias_term: true } }\n"    \
    "layer { name: 'g' type: 'Pooling' bottom: 'c' top: 'g' "                                      \
    "pooling_param { pool: AVE global_pooling: true } }\n"                                         \
    "layer { name: 'fc' type: 'InnerProduct' bottom: 'g' top: 'fc' "                               \
    "inner_product_param { num_output: 2 } }\n"                                                    \
    "layer { name: 'prob' type: 'Softmax' bottom: 'fc' top: 'prob' }\n"
static const char net_text[] = CAFFE_INPUT(4) BODY;

typedef struct made {
    const char *name;
    int64_t shapes[3][4];
    size_t ranks[3];
    float bases[3];
    size_t count;
} made;

static const made layers[] = {
    {"c", {{2, 3, 1, 1}}, {4}, {1}, 1},
    {"bn", {{2}, {2}, {1}}, {1, 1, 1}, {10, 20, 2}, 3},
    {"sc", {{2}, {2}}, {1, 1}, {3, 5}, 2},
    {"fc", {{2, 2}, {2}}, {2, 1}, {0.25F, 7}, 2},
};
enum { LAYERS = sizeof layers / sizeof *layers };

static void put_layer(oc_buf *out, const made *l) {
    oc_buf layer = {0};
    oci_wire_put_text(&layer, 1, l->name);
    for (size_t i = 0; i < l->count; i++)
        caffe_put_blob(&layer, 7, l->shapes[i], l->ranks[i], l->bases[i]);
    oci_wire_put_message(out, 100, &layer);
    oc_buf_clear(&layer);
}

static void put_all(oc_buf *out) {
    for (size_t i = 0; i < LAYERS; i++) put_layer(out, &layers[i]);
}

static oc_status import_net(const char *text, const oc_buf *weights, const oc_caffe_files *given,
                            oc_model **out, oc_error *err) {
    oc_caffe_files files = *given;
    put_file(net_path, text, strlen(text));
    put_file(weights_path, weights->data, weights->size);
    files.net = net_path;
    files.weights = weights_path;
    OC_TRY(oc_model_new(out, err));
    return oc_caffe_import(*out, &files, NULL, err);
}

static oc_status import(const oc_buf *weights, const oc_caffe_files *given, oc_model **out,
                        oc_error *err) {
    return import_net(net_text, weights, given, out, err);
}

static const float *values(const oc_model *model, const char *name) {
    const oc_tensor *t = oc_tensors_find(model->weights, name);
    if (t == NULL) fail_msg("no %s", name);
    return t->data;
}

static void a_net_and_its_weights_are_a_model(void **state) {
    (void)state;
    const oc_caffe_files files = {.mean = {104, 117, 123}, .has_mean = true};
    oc_buf bytes = {0};
    oc_model *model = NULL;
    oc_error err = {0};
    put_all(&bytes);
    check_ok(import(&bytes, &files, &model, &err), err);
    assert_int_equal(oc_tensors_count(model->weights), oc_graph_param_count(model->graph));
    assert_true(values(model, "c.weight")[5] == 6);
    assert_true(values(model, "bn.weight")[1] == 4 && values(model, "bn.bias")[0] == 5);
    assert_true(values(model, "bn.running_mean")[1] == 5.5F); /* sums of two: 11 / 2 */
    assert_true(values(model, "bn.running_var")[0] == 10);
    assert_true(values(model, "fc.weight")[3] == 3.25F && values(model, "fc.bias")[1] == 8);
    const oc_recipe *r = &model->recipe;
    assert_true(r->bgr && r->unit == 1 && r->width == 4 && r->channels == 3);
    assert_true(r->mean[0] == 123 && r->mean[1] == 117 && r->mean[2] == 104 && r->std[0] == 1);
    oc_model_free(model);
    oc_buf_clear(&bytes);
}

static void a_data_layer_says_how_photos_are_prepared(void **state) {
    (void)state;
    static const char text[] =
        "layer { name: 'd' type: 'ImageData' top: 'data' top: 'label' image_data_param { source: "
        "'list' new_width: 9 new_height: 8 crop_size: 4 scale: 0.5 } }\n" BODY;
    const oc_caffe_files files = {.mean = {1, 2, 3}, .has_mean = true};
    oc_buf bytes = {0};
    oc_model *model = NULL;
    oc_error err = {0};
    put_all(&bytes);
    check_ok(import_net(text, &bytes, &files, &model, &err), err);
    const oc_recipe *r = &model->recipe;
    assert_int_equal(r->fit, OC_FIT_SQUASH);
    assert_true(r->resize_width == 9 && r->resize_height == 8 && r->width == 4 && r->height == 4);
    assert_true(r->std[0] == 2 && r->mean[0] == 3);
    oc_model_free(model);
    oc_buf_clear(&bytes);
}

/* fc's weight once more: 2014's layer and shape, doubles, or number by number. */
static void put_dense(oc_buf *out, int form) {
    oc_buf layer = {0}, weight = {0}, bias = {0};
    for (uint32_t i = 1; i <= 4; i++) oci_wire_put_varint(&weight, i, i < 3 ? 1 : 2);
    for (uint32_t i = 1; i <= 4; i++) oci_wire_put_varint(&bias, i, i < 4 ? 1 : 2);
    for (int i = 0; i < 4; i++) {
        if (form == 0)
            oci_wire_put_double(&weight, 8, 0.25 + i);
        else
            oci_wire_put_float(&weight, 5, 0.25F + (float)i);
    }
    for (int i = 0; i < 2; i++) oci_wire_put_float(&bias, 5, 7.0F + (float)i);
    oci_wire_put_text(&layer, 1, "fc");
    oci_wire_put_message(&layer, 7, &weight);
    oci_wire_put_message(&layer, 7, &bias);
    oci_wire_put_message(out, 100, &layer);
    oc_buf_clear(&layer);
    oc_buf_clear(&weight);
    oc_buf_clear(&bias);
}

static void every_form_of_a_blob_has_the_same_values(void **state) {
    (void)state;
    const oc_caffe_files files = {0};
    for (int form = 0; form < 2; form++) {
        oc_buf bytes = {0};
        oc_model *model = NULL;
        oc_error err = {0};
        for (size_t i = 0; i < LAYERS - 1; i++) put_layer(&bytes, &layers[i]);
        put_dense(&bytes, form);
        check_ok(import(&bytes, &files, &model, &err), err);
        for (int i = 0; i < 4; i++) assert_true(values(model, "fc.weight")[i] == 0.25F + (float)i);
        assert_true(values(model, "fc.bias")[1] == 8);
        oc_model_free(model);
        oc_buf_clear(&bytes);
    }
}

static void refuse(const oc_buf *bytes, oc_status wanted, const char *part) {
    const oc_caffe_files files = {0};
    oc_model *model = NULL;
    oc_error err = {0};
    check_fails(import(bytes, &files, &model, &err), err, wanted, part);
    oc_model_free(model);
}

static void all_weights_that_do_not_fit_are_listed(void **state) {
    (void)state;
    static const made odd[] = {
        {"c", {{2, 3, 3, 3}}, {4}, {1}, 1},
        {"sc", {{2}}, {1}, {1}, 1},
        {"bn", {{2}, {2}, {1}}, {1, 1, 1}, {0, -20, 2}, 3},
    };
    oc_buf bytes = {0};
    for (size_t i = 0; i < 3; i++) put_layer(&bytes, &odd[i]);
    refuse(&bytes, OC_EMISMATCH,
           "5 weights do not fit the net: c.weight is 2x3x3x3 in the file, 2x3x1x1 in the net; "
           "bn.bias is missing: the file's layer has fewer blobs; bn.running_var is below 0 or not "
           "finite; fc.weight is not in the file; fc.bias is not in the file");
    oc_buf_clear(&bytes);
}

static void files_that_lie_are_refused(void **state) {
    (void)state;
    static const int64_t huge[] = {INT64_MAX, INT64_MAX}, deep[] = {1, 1, 1, 1, 1, 1, 6},
                         negative[] = {2, -3, 1, 1};
    static const struct {
        const int64_t *dims;
        size_t rank;
        const char *part;
    } shapes[] = {{huge, 2, "which cannot be"},
                  {deep, 7, "7 dimensions"},
                  {negative, 4, "2x-3x1x1, which cannot be"}};
    for (size_t i = 0; i < 3; i++) {
        oc_buf bytes = {0}, layer = {0}, blob = {0}, dims = {0};
        oci_wire_put_packed(&dims, 1, shapes[i].dims, shapes[i].rank);
        oci_wire_put_message(&blob, 7, &dims);
        oci_wire_put_text(&layer, 1, "c");
        oci_wire_put_message(&layer, 7, &blob);
        oci_wire_put_message(&bytes, 100, &layer);
        refuse(&bytes, OC_EFORMAT, shapes[i].part);
        oc_buf_clear(&bytes);
        oc_buf_clear(&layer);
        oc_buf_clear(&blob);
        oc_buf_clear(&dims);
    }
    oc_buf bytes = {0}, layer = {0}, blob = {0}, dims = {0};
    const int64_t right[] = {2, 3, 1, 1};
    const float few[] = {1, 2};
    oci_wire_put_packed(&dims, 1, right, 4);
    oci_wire_put_message(&blob, 7, &dims);
    oci_wire_put_bytes(&blob, 5, few, sizeof few);
    oci_wire_put_text(&layer, 1, "c");
    oci_wire_put_message(&layer, 7, &blob);
    oci_wire_put_message(&bytes, 100, &layer);
    refuse(&bytes, OC_EFORMAT, "c.weight holds 2 values, its shape asks for 6");
    oc_buf_clear(&dims);
    oc_buf_clear(&blob);
    oc_buf_clear(&layer);
    bytes.size = 0;
    refuse(&bytes, OC_EFORMAT, "no layers with weights");
    oc_buf_clear(&bytes);
}

static void every_cut_of_a_file_is_refused(void **state) {
    (void)state;
    oc_buf bytes = {0};
    put_all(&bytes);
    for (size_t size = 1; size < bytes.size; size++) {
        const oc_caffe_files files = {0};
        const oc_buf part = {.data = bytes.data, .size = size};
        oc_model *model = NULL;
        oc_error err = {0};
        oc_status status = import(&part, &files, &model, &err);
        assert_true(status == OC_EFORMAT || status == OC_EMISMATCH);
        oc_model_free(model);
    }
    oc_buf_clear(&bytes);
}

static void a_mean_image_becomes_the_mean_of_each_channel(void **state) {
    (void)state;
    static const int64_t shape[] = {1, 3, 2, 2};
    oc_buf mean = {0}, layer = {0}, bytes = {0};
    oc_model *model = NULL;
    oc_error err = {0};
    caffe_put_blob(&layer, 7, shape, 4, 0); /* 0..3, 4..7, 8..11 */
    oci_wire w = oci_wire_open(layer.data, layer.size, "blob");
    oci_wire_field f;
    bool more;
    check_ok(oci_wire_next(&w, &f, &more, &err), err);
    put_file(mean_path, f.bytes, f.size);
    put_all(&bytes);
    const oc_caffe_files files = {.mean_file = mean_path};
    check_ok(import(&bytes, &files, &model, &err), err);
    assert_true(model->recipe.mean[2] == 1.5F && model->recipe.mean[0] == 9.5F);
    oc_model_free(model);
    model = NULL;
    put_file(mean_path, "\x08\x01\x10\x01\x18\x01\x20\x01", 8);
    check_fails(import(&bytes, &files, &model, &err), err, OC_EMISMATCH,
                "a mean image of 1x1x1x1, the network takes 3 channels");
    oc_model_free(model);
    oc_buf_clear(&mean);
    oc_buf_clear(&layer);
    oc_buf_clear(&bytes);
}

/* ---- large weights ------------------------------------------------------------------------- */

enum { LARGE = 1400 * 48 };

static const char large_net[] =
    CAFFE_INPUT(4) "layer { name: 'large' type: 'InnerProduct' bottom: 'data' top: 'large' "
                   "inner_product_param { num_output: 1400 } }\n";

/* One large dense layer; `bad`, where it is no NULL, in the place of its last value but `behind`.
 */
static oc_status import_large(const float *bad, size_t behind, oc_model **out, oc_error *err) {
    const made large = {"large", {{1400, 48}, {1400}}, {2, 1}, {0.5F, 1}, 2};
    const oc_caffe_files files = {.net = net_path, .weights = weights_path};
    oc_buf bytes = {0};
    put_layer(&bytes, &large);
    if (bad != NULL) {
        size_t at = bytes.size - sizeof *bad + 1;
        const float last = 0.5F + LARGE - 1;
        while (memcmp(bytes.data + --at, &last, sizeof last) != 0) assert_true(at > 0);
        memcpy(bytes.data + at - behind * sizeof *bad, bad, sizeof *bad);
    }
    put_file(net_path, large_net, sizeof large_net - 1);
    put_file(weights_path, bytes.data, bytes.size);
    oc_buf_clear(&bytes);
    OC_TRY(oc_model_new(out, err));
    return oc_caffe_import(*out, &files, NULL, err);
}

static void large_weights_are_lent_and_saved_from_the_file(void **state) {
    (void)state;
    char path[OC_PATH_BYTES];
    oc_model *model = NULL, *again = NULL;
    oc_error err = {0};
    check_ok(import_large(NULL, 0, &model, &err), err);
    assert_false(oc_tensors_all_owned(model->weights));
    check_ok(oc_labels_numbered(&model->classes, 1400, &err), err);
    check_ok(oc_path_join(path, folder, "model", &err), err);
    check_ok(oc_model_save(model, path, &err), err);
    check_ok(oc_tensors_own(model->weights, &err), err);
    for (size_t i = 0; i < LARGE; i++)
        assert_true(values(model, "large.weight")[i] == 0.5F + (float)i);
    check_ok(oc_model_load(&again, path, &err), err);
    assert_memory_equal(values(again, "large.weight"), values(model, "large.weight"),
                        LARGE * sizeof(float));
    oc_model_free(model);
    oc_model_free(again);
}

static void large_weights_that_are_not_finite_are_refused(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        oc_model *model = NULL;
        oc_error err = {0};
        check_fails(import_large(&bad[i], i * (LARGE / 3), &model, &err), err, OC_EMISMATCH,
                    "large.weight is not finite");
        oc_model_free(model);
    }
}

static void running_out_of_memory_leaks_nothing(void **state) {
    (void)state;
    const oc_caffe_files files = {0};
    oc_buf bytes = {0};
    put_all(&bytes);
    for (uint64_t n = 1; n < 500; n++) {
        oc_model *model = NULL;
        oc_error err = {0};
        put_file(net_path, net_text, sizeof net_text - 1);
        oc_mem_fail_at(n);
        oc_status status = import(&bytes, &files, &model, &err);
        oc_mem_fail_at(0);
        oc_model_free(model);
        if (status == OC_OK) {
            assert_true(n > 10);
            oc_buf_clear(&bytes);
            return;
        }
        assert_int_equal(status, OC_ENOMEM);
    }
    fail_msg("never got through");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_net_and_its_weights_are_a_model),
        cmocka_unit_test(a_data_layer_says_how_photos_are_prepared),
        cmocka_unit_test(every_form_of_a_blob_has_the_same_values),
        cmocka_unit_test(all_weights_that_do_not_fit_are_listed),
        cmocka_unit_test(files_that_lie_are_refused),
        cmocka_unit_test(every_cut_of_a_file_is_refused),
        cmocka_unit_test(a_mean_image_becomes_the_mean_of_each_channel),
        cmocka_unit_test(large_weights_are_lent_and_saved_from_the_file),
        cmocka_unit_test(large_weights_that_are_not_finite_are_refused),
        cmocka_unit_test(running_out_of_memory_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
