/* The model folder: load with every check that a file from a stranger needs, save so that a crash
 * never leaves half a file.
 *
 * Saving writes config.json last: a folder without it is no model yet (oc_model_is_folder).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "model/model_int.h"

#include <errno.h>
#include <unistd.h>

enum { MAX_JSON_BYTES = 256 << 20 };

oc_status oc_model_new(oc_model **out, oc_error *err) {
    *out = oc_calloc(1, sizeof **out);
    if (*out == NULL) return oc_fail_nomem(err, sizeof **out, "a model");
    (*out)->temperature = 1;
    return OC_OK;
}

void oc_model_free(oc_model *model) {
    if (model == NULL) return;
    oc_graph_free(model->graph);
    oc_tensors_free(model->weights);
    oc_safetensors_close(model->file);
    oc_map_close(&model->map);
    oc_free(model->weights_path);
    oc_classes_clear(&model->classes);
    oc_free(model->arch);
    json_decref(model->origin);
    json_decref(model->metrics);
    oc_free(model->seen);
    oc_free(model);
}

/* Other programs call their files config.json and model.safetensors, too. */
static bool is_our_config(const char *path) {
    json_t *o = NULL;
    if (oc_json_read(path, MAX_JSON_BYTES, &o, NULL) != OC_OK) return false;
    bool ours = oci_config_is_ours(o);
    json_decref(o);
    return ours;
}

bool oc_model_is_folder(const char *path) {
    char file[OC_PATH_BYTES];
    if (oc_path_join(file, path, OCI_WEIGHTS_FILE, NULL) != OC_OK) return false;
    if (!oc_path_is_file(file)) return false;
    if (oc_path_join(file, path, OCI_CONFIG_FILE, NULL) != OC_OK) return false;
    return oc_path_is_file(file) && is_our_config(file);
}

/* ---- loading ---- */

/* What may not be looked at is not missing: services run as other users than those who train. */
static oc_status check_reachable(const char *path, oc_error *err) {
    if (access(path, F_OK) == 0 || errno != EACCES) return OC_OK;
    return oc_fail_errno(err, OC_EIO, EACCES, "%s", path);
}

static oc_status check_folder(const char *folder, oc_error *err) {
    static const char *const needed[] = {OCI_CONFIG_FILE, OCI_GRAPH_FILE, OCI_WEIGHTS_FILE};
    char path[OC_PATH_BYTES];
    OC_TRY(check_reachable(folder, err));
    if (!oc_path_is_dir(folder)) {
        return oc_fail(err, OC_ENOTFOUND,
                       "%s: no such folder; a model is a folder made by `ocellus train`", folder);
    }
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        OC_TRY(oc_path_join(path, folder, needed[i], err));
        if (oc_path_exists(path)) continue;
        OC_TRY(check_reachable(path, err));
        return oc_fail(
            err, OC_ENOTFOUND,
            "%s: %s is missing, so this is no whole model folder: copy or train it again", folder,
            needed[i]);
    }
    return OC_OK;
}

static oc_status load_config(oc_model *model, const char *folder, oc_error *err) {
    char path[OC_PATH_BYTES];
    json_t *o = NULL;
    OC_TRY(oc_path_join(path, folder, OCI_CONFIG_FILE, err));
    OC_TRY(oc_json_read(path, MAX_JSON_BYTES, &o, err));
    oc_status status = oci_config_from_json(o, path, model, err);
    json_decref(o);
    return status;
}

static oc_status load_graph(oc_model *model, const char *folder, oc_error *err) {
    char path[OC_PATH_BYTES];
    json_t *o = NULL;
    OC_TRY(oc_path_join(path, folder, OCI_GRAPH_FILE, err));
    OC_TRY(oc_json_read(path, MAX_JSON_BYTES, &o, err));
    oc_status status = oc_graph_from_json(o, path, &model->graph, err);
    json_decref(o);
    return status;
}

static oc_status load_weights(oc_model *model, const char *folder, oc_error *err) {
    char path[OC_PATH_BYTES];
    OC_TRY(oc_path_join(path, folder, OCI_WEIGHTS_FILE, err));
    OC_TRY(oc_safetensors_open(&model->file, path, err));
    OC_TRY(oc_tensors_new(&model->weights, err));
    const oc_tensors *src = oc_safetensors_tensors(model->file);
    oc_status status = oc_weights_lend(model->graph, src, model->weights, err);
    if (status != OC_OK) return oc_error_context(err, status, "%s", path);
    if (oc_tensors_all_owned(model->weights)) {
        oc_safetensors_close(model->file);
        model->file = NULL;
    }
    return OC_OK;
}

static oc_status load_metrics(oc_model *model, const char *folder, oc_error *err) {
    char path[OC_PATH_BYTES];
    OC_TRY(oc_path_join(path, folder, OCI_METRICS_FILE, err));
    if (!oc_path_exists(path)) return OC_OK;
    OC_TRY(oc_json_read(path, MAX_JSON_BYTES, &model->metrics, err));
    if (json_is_object(model->metrics)) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: not a JSON object", path);
}

/* Does the recipe deliver what the network takes? */
static oc_status check_input(const oc_model *model, const char *folder, oc_error *err) {
    int channels = oc_graph_node(model->graph, 0)->attrs.channels;
    if (channels != model->recipe.channels) {
        return oc_fail(err, OC_EMISMATCH, "%s: the recipe gives %d channels, the network takes %d",
                       folder, model->recipe.channels, channels);
    }
    size_t nodes = (size_t)oc_graph_node_count(model->graph);
    oc_shape *shapes = oc_calloc(nodes, sizeof *shapes);
    if (shapes == NULL) return oc_fail_nomem(err, nodes * sizeof *shapes, folder);
    oc_status status =
        oc_graph_shapes(model->graph, 1, model->recipe.height, model->recipe.width, shapes, err);
    const oc_shape *last = &shapes[nodes - 1];
    if (status != OC_OK) {
        status = oc_error_context(err, status, "%s", folder);
    } else if (model->classes.count == 0) {
        status = OC_OK; /* features of any shape */
    } else if (last->dim[2] != 1 || last->dim[3] != 1) {
        char text[OC_SHAPE_TEXT];
        status = oc_fail(err, OC_EMISMATCH, "%s: the network's output is %s, not one row of logits",
                         folder, oc_shape_text(text, last));
    } else if ((uint64_t)last->dim[1] != model->classes.count) {
        status =
            oc_fail(err, OC_EMISMATCH, "%s: %s names %zu classes, the network has %lld outputs",
                    folder, OCI_CONFIG_FILE, model->classes.count, (long long)last->dim[1]);
    }
    oc_free(shapes);
    return status;
}

static oc_status load_into(oc_model *model, const char *folder, oc_error *err) {
    OC_TRY(check_folder(folder, err));
    OC_TRY(load_config(model, folder, err));
    OC_TRY(load_graph(model, folder, err));
    OC_TRY(check_input(model, folder, err));
    OC_TRY(load_weights(model, folder, err));
    return load_metrics(model, folder, err);
}

/* A network without a head names nothing. */
static oc_status check_head(const oc_model *model, const char *folder, oc_error *err) {
    if (model->classes.count > 0) return OC_OK;
    const oc_node *last = oc_graph_node(model->graph, oc_graph_node_count(model->graph) - 1);
    return oc_fail(err, OC_EUNSUPPORTED,
                   "%s: a network without classes, which ends at '%.120s', so it names nothing "
                   "yet: train a head with `ocellus train PHOTOS --from %s -o MODEL`",
                   folder, last->name, folder);
}

oc_status oc_model_load(oc_model **out, const char *folder, oc_error *err) {
    OC_TRY(oc_model_load_body(out, folder, err));
    oc_status status = check_head(*out, folder, err);
    if (status == OC_OK) return OC_OK;
    oc_model_free(*out);
    *out = NULL;
    return status;
}

oc_status oc_model_load_body(oc_model **out, const char *folder, oc_error *err) {
    oc_model *model = NULL;
    *out = NULL;
    OC_TRY(oc_model_new(&model, err));
    oc_status status = load_into(model, folder, err);
    if (status == OC_OK) {
        *out = model;
    } else {
        oc_model_free(model);
    }
    return status;
}

/* ---- saving ---- */

/* Write the JSON of a part and let go of it. */
static oc_status save_json(const char *folder, const char *name, json_t *o, oc_error *err) {
    char path[OC_PATH_BYTES];
    oc_status status = oc_path_join(path, folder, name, err);
    if (status == OC_OK) status = oc_json_write(path, o, err);
    json_decref(o);
    return status;
}

/* *out borrows those of `weights` that are parameters of the graph. */
static oc_status params_of(const oc_graph *graph, const oc_tensors *weights, oc_tensors **out,
                           oc_error *err) {
    OC_TRY(oc_tensors_new(out, err));
    for (int i = 0; i < oc_graph_param_count(graph); i++) {
        const char *name = oc_graph_param(graph, i)->name;
        const oc_tensor *t = oc_tensors_find(weights, name);
        if (t != NULL) OC_TRY(oc_tensors_add_view(*out, name, t, err));
    }
    return OC_OK;
}

static oc_status write_weights(const oc_tensors *weights, const char *folder, oc_error *err) {
    char path[OC_PATH_BYTES];
    OC_TRY(oc_path_join(path, folder, OCI_WEIGHTS_FILE, err));
    return oc_safetensors_write(path, weights, NULL, err);
}

static oc_status write_graph(const oc_graph *graph, const char *folder, oc_error *err) {
    json_t *o = NULL;
    OC_TRY(oc_graph_to_json(graph, &o, err));
    return save_json(folder, OCI_GRAPH_FILE, o, err);
}

/* The model's weights from the file that holds them: another name for it where it has no more than
 * the graph, else a file of its own. */
static oc_status save_from_file(const oc_model *model, const oc_graph *graph, const char *folder,
                                oc_error *err) {
    char path[OC_PATH_BYTES];
    oc_safetensors *file = NULL;
    oc_tensors *weights = NULL;
    oc_status status = OC_OK;
    OC_TRY(oc_path_join(path, folder, OCI_WEIGHTS_FILE, err));
    if (oc_graph_param_count(graph) == oc_graph_param_count(model->graph))
        return oc_file_link(model->weights_path, path, err);
    OC_GOTO(oc_safetensors_open(&file, model->weights_path, err));
    OC_GOTO(params_of(graph, oc_safetensors_tensors(file), &weights, err));
    status = write_weights(weights, folder, err);
done:
    oc_tensors_free(weights);
    oc_safetensors_close(file);
    return status;
}

static oc_status save_weights(const oc_model *model, const oc_graph *graph, const char *folder,
                              oc_error *err) {
    oc_tensors *weights = NULL;
    if (model->weights_path != NULL) return save_from_file(model, graph, folder, err);
    oc_status status = oc_graph_is_int8(graph) ? oci_int8_pack(graph, model->weights, &weights, err)
                                               : params_of(graph, model->weights, &weights, err);
    if (status == OC_OK) status = write_weights(weights, folder, err);
    oc_tensors_free(weights);
    return status;
}

/* The network that predicts, without what served its training alone. */
static oc_status save_network(const oc_model *model, const char *folder, oc_error *err) {
    oc_graph *graph = NULL;
    oc_status status = OC_OK;
    OC_GOTO(oc_graph_prune(model->graph, &graph, err));
    OC_GOTO(save_weights(model, graph, folder, err));
    status = write_graph(graph, folder, err);
done:
    oc_graph_free(graph);
    return status;
}

static oc_status save_config(const oc_model *model, const char *folder, oc_error *err) {
    json_t *o = NULL;
    OC_TRY(oci_config_to_json(model, &o, err));
    return save_json(folder, OCI_CONFIG_FILE, o, err);
}

static oc_status save_metrics(const oc_model *model, const char *folder, oc_error *err) {
    char path[OC_PATH_BYTES];
    OC_TRY(oc_path_join(path, folder, OCI_METRICS_FILE, err));
    if (model->metrics == NULL) return oc_path_remove_tree(path, err); /* of other weights */
    json_t *o = json_copy(model->metrics);
    if (o == NULL) return oc_fail_nomem(err, 0, OCI_METRICS_FILE);
    if (model->classes.count > OC_MAX_STORED_CONFUSION) (void)json_object_del(o, "confusion");
    if (model->classes.count > OC_MAX_STORED_CLASSES) {
        (void)json_object_del(o, "per_class");
        (void)json_object_del(o, "labels");
    }
    return save_json(folder, OCI_METRICS_FILE, o, err);
}

static oc_status save_card(const oc_model *model, const char *folder, oc_error *err) {
    char path[OC_PATH_BYTES];
    oc_buf card = {0};
    oc_status status = OC_OK;
    OC_GOTO(oc_path_join(path, folder, OCI_CARD_FILE, err));
    oci_card(&card, model, folder);
    OC_GOTO(oc_buf_status(&card, err));
    status = oc_file_write(path, card.data, card.size, err);
done:
    oc_buf_clear(&card);
    return status;
}

oc_status oc_model_save(const oc_model *model, const char *folder, oc_error *err) {
    OC_TRY(oc_path_make_dirs(folder, err));
    OC_TRY(save_network(model, folder, err));
    OC_TRY(save_metrics(model, folder, err));
    OC_TRY(save_card(model, folder, err));
    OC_TRY(oci_seen_save(model, folder, err));
    OC_TRY(oci_examples_remove(folder, err));
    return save_config(model, folder, err);
}

/* ---- running ---- */

static oc_status make_plan(const oc_model *model, const char *engine, int threads, int batch,
                           oc_plan *share, bool in_turns, oc_plan **out, oc_error *err) {
    const oc_plan_options options = {.mode = OC_MODE_INFER,
                                     .batch = batch,
                                     .height = model->recipe.height,
                                     .width = model->recipe.width,
                                     .threads = threads,
                                     .borrow = true,
                                     .share = share,
                                     .in_turns = in_turns};
    oc_plan *plan = NULL;
    *out = NULL;
    OC_TRY(oc_plan_new(&plan, engine, model->graph, &options, err));
    oc_status status = oc_plan_import(plan, OC_SLOT_WEIGHTS, model->weights, err);
    if (status == OC_OK) {
        *out = plan;
    } else {
        oc_plan_free(plan);
    }
    return status;
}

oc_status oc_model_plan(const oc_model *model, const char *engine, int threads, int batch,
                        oc_plan **out, oc_error *err) {
    return make_plan(model, engine, threads, batch, NULL, false, out, err);
}

oc_status oc_model_plan_sharing(const oc_model *model, const char *engine, int threads, int batch,
                                oc_plan *share, oc_plan **out, oc_error *err) {
    return make_plan(model, engine, threads, batch, share, false, out, err);
}

oc_status oc_model_plan_in_turns(const oc_model *model, const char *engine, int threads, int batch,
                                 oc_plan *with, oc_plan **out, oc_error *err) {
    return make_plan(model, engine, threads, batch, with, true, out, err);
}
