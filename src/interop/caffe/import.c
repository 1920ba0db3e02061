/* A Caffe classifier as a model: net, weights, and how its photos were prepared.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/caffe_int.h"
#include "interop/interop.h"

enum { USUAL_SIDE = 256, SMALLEST_CROP = 192, MAX_SIDE = 8192 };

/* ---- the recipe ---------------------------------------------------------------------------- */

/* The layer that gives the photos, where it can say how; NULL for a bare `input:`. */
static const oci_caffe_layer *data_layer(const oci_caffe_network *net) {
    return net->input->m->type == &oci_caffe_net ? NULL : net->input;
}

/* mean_value comes once for all channels or once for each. */
static bool mean_of_net(const oci_caffe_layer *data, int channels, float mean[3]) {
    if (data == NULL) return false;
    const oci_proto *transform = oci_caffe_param_of(data, "transform_param");
    const oci_proto_value *v = NULL;
    size_t count = oci_proto_count(transform, "mean_value");
    if (count != 1 && count != (size_t)channels) return false;
    for (int c = 0; c < channels; c++) {
        if (c < (int)count) v = oci_proto_next(transform, "mean_value", v);
        mean[c] = (float)v->as.real;
    }
    return true;
}

static const char *text_of(const oci_caffe_layer *data, const char *field) {
    return oci_proto_text(oci_caffe_transform_of(data, field), field);
}

static oc_status find_mean(const oci_caffe_network *net, const oc_caffe_files *files, int channels,
                           float mean[3], const oc_log *log, oc_error *err) {
    const oci_caffe_layer *data = data_layer(net);
    float spread = 0;
    if (files->mean_file != NULL) {
        OC_TRY(oci_caffe_mean_read(files->mean_file, channels, mean, &spread, err));
        oc_info(log,
                "%s: the mean of each channel is subtracted; a pixel of it differs by %.1f "
                "at most",
                files->mean_file, (double)spread);
    } else if (files->has_mean) {
        for (int c = 0; c < channels; c++) mean[c] = files->mean[c];
    } else if (!mean_of_net(data, channels, mean)) {
        const char *named = data != NULL ? text_of(data, "mean_file") : "";
        oc_warn(log, "no mean is subtracted: give the one of its training with --mean%s%s",
                *named != '\0' ? ", which is " : " (often 104,117,123)", named);
    }
    return OC_OK;
}

/* What an ImageData layer makes of photos before it crops them; 0 = they are all of one size. */
static void set_squash(oc_recipe *r, const oci_caffe_layer *data) {
    const oci_proto *m = oci_caffe_param_of(data, "image_data_param");
    int64_t width = oci_proto_int(m, "new_width"), height = oci_proto_int(m, "new_height");
    if (width < r->width || height < r->height || width > MAX_SIDE || height > MAX_SIDE) return;
    r->fit = OC_FIT_SQUASH;
    r->resize_side = 0;
    r->resize_width = (int)width;
    r->resize_height = (int)height;
}

static oc_status set_recipe(oc_model *model, const oci_caffe_network *net,
                            const oc_caffe_files *files, const oc_log *log, oc_error *err) {
    const oc_attrs *input = &oc_graph_node(net->graph, 0)->attrs;
    const oci_caffe_layer *data = data_layer(net);
    oc_recipe *r = &model->recipe;
    float mean[3] = {0}, scale = 1;
    if (input->channels != 1 && input->channels != 3) {
        return oc_fail(err, OC_EUNSUPPORTED, "%s: an input of %d channels; photos have 3 or 1",
                       files->net, input->channels);
    }
    OC_TRY(find_mean(net, files, input->channels, mean, log, err));
    if (data != NULL) scale = (float)oci_proto_real(oci_caffe_transform_of(data, "scale"), "scale");
    if (!(scale > 0)) return oc_fail(err, OC_EFORMAT, "%s: scale must be above 0", files->net);
    *r = oc_recipe_default(input->width, input->height);
    int longer = input->width > input->height ? input->width : input->height;
    if (longer >= SMALLEST_CROP && longer <= USUAL_SIDE) r->resize_side = USUAL_SIDE;
    if (data != NULL && oci_caffe_is(data, "ImageData")) set_squash(r, data);
    r->channels = input->channels;
    r->bgr = input->channels == 3 && !files->rgb;
    r->unit = 1;
    for (int c = 0; c < 3; c++) {
        r->mean[c] = mean[input->channels == 1 ? 0 : r->bgr ? 2 - c : c];
        r->std[c] = 1 / scale;
    }
    return OC_OK;
}

/* ---- net and weights ----------------------------------------------------------------------- */

static oc_status check_output(const oci_caffe_network *net, const char *path, oc_error *err) {
    const oc_graph *graph = net->graph;
    const oc_attrs *input = &oc_graph_node(graph, 0)->attrs;
    size_t nodes = (size_t)oc_graph_node_count(graph);
    oc_shape *shapes = oc_calloc(nodes, sizeof *shapes);
    char text[OC_SHAPE_TEXT];
    if (shapes == NULL) return oc_fail_nomem(err, nodes * sizeof *shapes, "shapes");
    oc_status status = oc_graph_shapes(graph, 1, input->height, input->width, shapes, err);
    const oc_shape *last = &shapes[nodes - 1];
    if (status != OC_OK) {
        status = oc_error_context(err, status, "%s", path);
    } else if (last->dim[2] != 1 || last->dim[3] != 1) {
        status = oc_fail(err, OC_EUNSUPPORTED,
                         "%s: the output %s is %s: a classifier gives one row a photo", path,
                         oc_graph_node(graph, (int)nodes - 1)->name, oc_shape_text(text, last));
    }
    oc_free(shapes);
    return status;
}

/* Tensors that are views need the map as long as the model lives. */
static void keep_map(oc_model *model, oci_caffe_weights *weights) {
    if (model->weights == NULL || oc_tensors_all_owned(model->weights)) return;
    model->map = weights->map;
    weights->map = (oc_map){0};
}

static oc_status take_weights(oc_model *model, const oci_caffe_network *net, const char *path,
                              const oc_log *log, oc_error *err) {
    oci_caffe_weights weights = {0};
    oci_caffe_left left = {0};
    oc_status status = OC_OK;
    OC_GOTO(oci_caffe_weights_open(&weights, path, err));
    OC_GOTO(oc_tensors_new(&model->weights, err));
    OC_GOTO(oci_caffe_weights_take(&weights, net, OCI_CAFFE_LEND, model->weights, &left, err));
    if (left.unused > 0)
        oc_info(log, "%s: %zu layers with weights that the net does not have", path, left.unused);
done:
    keep_map(model, &weights);
    oci_caffe_weights_close(&weights);
    return status;
}

static oc_status import(oc_model *model, const oc_caffe_files *files, oc_pool *pool,
                        const oc_log *log, oc_error *err) {
    const oci_proto *tree = NULL;
    oci_caffe_network net;
    OC_TRY(oci_caffe_read_text(&oci_caffe_net, files->net, pool, &tree, err));
    OC_TRY(oci_caffe_net_build(&net, tree, OCI_CAFFE_TEST, files->width, files->height, pool, err));
    model->graph = net.graph;
    OC_TRY(check_output(&net, files->net, err));
    OC_TRY(set_recipe(model, &net, files, log, err));
    return take_weights(model, &net, files->weights, log, err);
}

oc_status oc_caffe_import(oc_model *model, const oc_caffe_files *files, const oc_log *log,
                          oc_error *err) {
    oc_pool *pool = NULL;
    OC_TRY(oc_pool_new(&pool, err));
    oc_status status = import(model, files, pool, log, err);
    oc_pool_free(pool);
    return status;
}
