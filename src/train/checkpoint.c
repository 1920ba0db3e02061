/* Checkpoints: everything an exact resume needs, on disk so that a kill at any instant leaves the
 * last one or the one before, whole.
 *
 *   checkpoint/current                 the number of the valid generation; replaced atomically
 *   checkpoint/<n>/weights.safetensors state.safetensors state.json
 *   checkpoint/best-<epoch>.safetensors   weights of the best epoch, shared by generations
 *
 * A generation is written and forced to disk whole before `current` names it; only then is the one
 * before removed. Whatever `current` does not lead to is left over from a crash, and is removed by
 * the next write.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "train/train_int.h"

enum { MAX_STATE_BYTES = 64 << 20, MAX_CURRENT_BYTES = 64, NAME_BYTES = 96 };
enum { VIEW_BYTES = 16 << 20 }; /* a tensor of so many is not copied from its file */

/* <out>/checkpoint/<name> */
static oc_status place(char path[OC_PATH_BYTES], const oci_session *s, const char *name,
                       oc_error *err) {
    char folder[OC_PATH_BYTES];
    OC_TRY(oc_path_join(folder, s->options->out, "checkpoint", err));
    return oc_path_join(path, folder, name, err);
}

/* <out>/checkpoint/<generation>/<name> */
static oc_status place_in(char path[OC_PATH_BYTES], const oci_session *s, uint64_t generation,
                          const char *name, oc_error *err) {
    char inner[NAME_BYTES];
    (void)snprintf(inner, sizeof inner, "%" PRIu64 "/%s", generation, name);
    return place(path, s, inner, err);
}

static oc_status place_best(char path[OC_PATH_BYTES], const oci_session *s, int epoch,
                            oc_error *err) {
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof name, "best-%d.safetensors", epoch);
    return place(path, s, name, err);
}

/* ---- writing -----------------------------------------------------------------------------------
 */

/* Both slots as one set that borrows them: "0/<parameter>", "1/<parameter>". */
static oc_status join_slots(const oci_session *s, oc_tensors **out, oc_error *err) {
    char name[OC_NAME_BYTES + 32];
    OC_TRY(oc_tensors_new(out, err));
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; s->slot[k] != NULL && i < oc_tensors_count(s->slot[k]); i++) {
            (void)snprintf(name, sizeof name, "%d/%s", k, oc_tensors_name(s->slot[k], i));
            OC_TRY(oc_tensors_add_view(*out, name, oc_tensors_at(s->slot[k], i), err));
        }
    }
    return OC_OK;
}

static oc_status write_slots(const oci_session *s, const char *path, oc_error *err) {
    oc_tensors *set = NULL;
    oc_status status = join_slots(s, &set, err);
    if (status == OC_OK) status = oc_safetensors_write(path, set, NULL, err);
    oc_tensors_free(set);
    return status;
}

static oc_status write_state(const oci_session *s, uint64_t generation, const char *path,
                             oc_error *err) {
    json_t *state = NULL;
    OC_TRY(oci_state_json(s, generation, &state, err));
    oc_status status = oc_json_write(path, state, err);
    json_decref(state);
    return status;
}

/* The file is the model's weights from now on. */
static oc_status refer_to_best(oci_session *s, const char *path, oc_error *err) {
    oc_free(s->model->weights_path);
    s->model->weights_path = oc_strdup(path);
    if (s->model->weights_path == NULL) return oc_fail_nomem(err, strlen(path) + 1, "a path");
    s->best_on_disk = s->position.best_epoch;
    return OC_OK;
}

oc_status oci_best_keep(oci_session *s, oc_error *err) {
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
    if (oci_tensors_bytes(s->weights) <= s->best_budget)
        return oci_tensors_copy(s->model->weights, s->weights, err);
    OC_TRY(place(folder, s, "", err));
    OC_TRY(oc_path_make_dirs(folder, err));
    OC_TRY(place_best(path, s, s->position.best_epoch, err));
    oc_status status = oc_safetensors_write(path, s->weights, NULL, err);
    if (status == OC_OK) return refer_to_best(s, path, err);
    return oc_error_context(err, status, "best weights not written, the checkpoint is intact");
}

static oc_status write_best(oci_session *s, oc_error *err) {
    char path[OC_PATH_BYTES];
    int epoch = s->position.best_epoch;
    if (epoch == 0 || epoch == s->best_on_disk) return OC_OK;
    OC_TRY(place_best(path, s, epoch, err));
    OC_TRY(oc_safetensors_write(path, s->model->weights, NULL, err));
    s->best_on_disk = epoch;
    return OC_OK;
}

/* Right behind the best epoch the current weights are the best ones: one file with two names. */
static oc_status write_weights(const oci_session *s, const char *path, oc_error *err) {
    const oci_position *p = &s->position;
    char best[OC_PATH_BYTES];
    if (p->step > 0 || p->best_epoch == 0 || p->best_epoch != p->epoch)
        return oc_safetensors_write(path, s->weights, NULL, err);
    OC_TRY(place_best(best, s, p->best_epoch, err));
    return oc_file_link(best, path, err);
}

static oc_status write_generation(oci_session *s, uint64_t generation, oc_error *err) {
    char path[OC_PATH_BYTES];
    OC_TRY(place_in(path, s, generation, "", err));
    OC_TRY(oc_path_remove_tree(path, err));
    OC_TRY(oc_path_make_dirs(path, err));
    OC_TRY(place_in(path, s, generation, "weights.safetensors", err));
    OC_TRY(write_weights(s, path, err));
    OC_TRY(place_in(path, s, generation, "state.safetensors", err));
    OC_TRY(write_slots(s, path, err));
    OC_TRY(place_in(path, s, generation, "state.json", err));
    return write_state(s, generation, path, err);
}

/* From here on the new generation is the one. */
static oc_status write_current(oci_session *s, uint64_t generation, oc_error *err) {
    char path[OC_PATH_BYTES], text[MAX_CURRENT_BYTES];
    int size = snprintf(text, sizeof text, "%" PRIu64 "\n", generation);
    OC_TRY(place(path, s, "current", err));
    OC_TRY(oc_file_write(path, text, (size_t)size, err));
    s->generation = generation;
    return OC_OK;
}

/* A name of ours that the current generation does not need. */
static bool is_left_over(const oci_session *s, const char *name) {
    char needed[NAME_BYTES];
    int64_t number = 0;
    if (oc_parse_i64(name, 0, INT64_MAX, &number)) return (uint64_t)number != s->generation;
    if (!oc_starts_with(name, "best-")) return false;
    (void)snprintf(needed, sizeof needed, "best-%d.safetensors", s->position.best_epoch);
    return strcmp(name, needed) != 0;
}

static oc_status sweep(const oci_session *s, oc_error *err) {
    char folder[OC_PATH_BYTES], path[OC_PATH_BYTES];
    oc_path_list list = {0};
    oc_status status = OC_OK;
    OC_GOTO(place(folder, s, "", err));
    OC_GOTO(oc_path_list_dir(folder, false, &list, err));
    for (size_t i = 0; i < list.count; i++) {
        if (!is_left_over(s, list.names[i])) continue;
        OC_GOTO(oc_path_join(path, folder, list.names[i], err));
        OC_GOTO(oc_path_remove_tree(path, err));
    }
done:
    oc_path_list_free(&list);
    return status;
}

/* After a failure: what was written of a generation that never became the one. */
static void discard(const oci_session *s, uint64_t generation) {
    char path[OC_PATH_BYTES];
    oc_error ignored;
    if (place_in(path, s, generation, "", &ignored) != OC_OK) return;
    if (oc_path_remove_tree(path, &ignored) != OC_OK) return;
}

oc_status oci_checkpoint_write(oci_session *s, oc_error *err) {
    char path[OC_PATH_BYTES];
    uint64_t generation = s->generation + 1;
    OC_TRY(oci_journal_size(&s->journal, &s->position.log_bytes, err));
    OC_TRY(place(path, s, "", err));
    OC_TRY(oc_path_make_dirs(path, err));
    oc_status status = OC_OK;
    OC_GOTO(write_best(s, err));
    OC_GOTO(write_generation(s, generation, err));
    OC_GOTO(write_current(s, generation, err));
done:
    if (status == OC_OK)
        status = sweep(s, err);
    else
        discard(s, generation);
    s->last_checkpoint = oc_clock_seconds();
    if (status == OC_OK) return OC_OK;
    return oc_error_context(err, status, "checkpoint not written, the one before is intact");
}

/* ---- reading ------------------------------------------------------------------------------------
 */

/* Does the file hold every tensor of the set? */
static oc_status check_file(const oc_tensors *set, const oc_safetensors *file, const char *path,
                            oc_error *err) {
    for (size_t i = 0; i < oc_tensors_count(set); i++) {
        const char *name = oc_tensors_name(set, i);
        const oc_tensor *want = oc_tensors_at(set, i);
        const oc_tensor *src = oc_tensors_find(oc_safetensors_tensors(file), name);
        if (src != NULL && src->dtype == OC_F32 && oc_shape_equal(&src->shape, &want->shape))
            continue;
        return oc_fail(err, OC_EMISMATCH, "%s: tensor %s is missing or of another shape", path,
                       name);
    }
    return OC_OK;
}

static bool can_view(const oc_tensor *t) {
    return oc_tensor_bytes(t) >= VIEW_BYTES && (uintptr_t)t->data % sizeof(float) == 0;
}

/* Every tensor of `set` from the file: large ones as views of it, others as copies. */
static oc_status take_all(oc_tensors *set, const oc_safetensors *file, oc_error *err) {
    for (size_t i = 0; i < oc_tensors_count(set); i++) {
        const char *name = oc_tensors_name(set, i);
        const oc_tensor *src = oc_tensors_find(oc_safetensors_tensors(file), name);
        size_t count = oc_tensor_count(src);
        if (can_view(src))
            OC_TRY(oc_tensors_point(set, name, src->data, err));
        else
            OC_TRY(oc_tensor_to_f32(oc_tensors_at(set, i)->data, src->data, OC_F32, count, err));
    }
    return OC_OK;
}

/* The stage that imports them closes the file. */
static oc_status read_weights(oci_session *s, const char *path, oc_error *err) {
    OC_TRY(oc_safetensors_open(&s->read[0], path, err));
    OC_TRY(check_file(s->weights, s->read[0], path, err));
    return take_all(s->weights, s->read[0], err);
}

/* "<k>/<parameter>" of the file into slot[k]. */
static oc_status read_slot(oci_session *s, const char *name, const oc_tensor *src, const char *path,
                           oc_error *err) {
    int k = name[0] - '0';
    if (k < 0 || k > 1 || name[1] != '/' || src->dtype != OC_F32) {
        return oc_fail(err, OC_EFORMAT, "%s: tensor %s is no state of an optimiser", path, name);
    }
    if (can_view(src)) return oc_tensors_add_view(s->slot[k], name + 2, src, err);
    oc_tensor *dst = NULL;
    OC_TRY(oc_tensors_add(s->slot[k], name + 2, OC_F32, &src->shape, &dst, err));
    return oc_tensor_to_f32(dst->data, src->data, OC_F32, oc_tensor_count(src), err);
}

static oc_status read_slots(oci_session *s, const char *path, oc_error *err) {
    for (int k = 0; k < 2; k++) {
        oc_tensors_free(s->slot[k]);
        OC_TRY(oc_tensors_new(&s->slot[k], err));
    }
    OC_TRY(oc_safetensors_open(&s->read[1], path, err));
    const oc_tensors *set = oc_safetensors_tensors(s->read[1]);
    for (size_t i = 0; i < oc_tensors_count(set); i++) {
        OC_TRY(read_slot(s, oc_tensors_name(set, i), oc_tensors_at(set, i), path, err));
    }
    s->slots_read = true;
    return OC_OK;
}

static oc_status read_state(oci_session *s, uint64_t generation, oc_error *err) {
    char path[OC_PATH_BYTES];
    json_t *state = NULL;
    OC_TRY(place_in(path, s, generation, "state.json", err));
    OC_TRY(oc_json_read(path, MAX_STATE_BYTES, &state, err));
    oc_status status = oci_state_apply(s, state, path, err);
    json_decref(state);
    return status;
}

static oc_status read_best(oci_session *s, oc_error *err) {
    char path[OC_PATH_BYTES];
    oc_safetensors *file = NULL;
    oc_status status = OC_OK;
    if (s->position.best_epoch == 0) return OC_OK;
    OC_TRY(place_best(path, s, s->position.best_epoch, err));
    OC_TRY(oc_safetensors_open(&file, path, err));
    OC_GOTO(check_file(s->weights, file, path, err));
    if (oci_tensors_bytes(s->weights) > s->best_budget)
        OC_GOTO(refer_to_best(s, path, err));
    else
        OC_GOTO(oci_tensors_copy(s->model->weights, oc_safetensors_tensors(file), err));
    s->best_on_disk = s->position.best_epoch;
done:
    oc_safetensors_close(file);
    return status;
}

static oc_status read_generation(oci_session *s, uint64_t generation, oc_error *err) {
    char path[OC_PATH_BYTES];
    OC_TRY(read_state(s, generation, err));
    OC_TRY(place_in(path, s, generation, "weights.safetensors", err));
    OC_TRY(read_weights(s, path, err));
    OC_TRY(place_in(path, s, generation, "state.safetensors", err));
    OC_TRY(read_slots(s, path, err));
    OC_TRY(read_best(s, err));
    s->generation = generation;
    return OC_OK;
}

oc_status oci_checkpoint_read(oci_session *s, bool *found, oc_error *err) {
    char path[OC_PATH_BYTES];
    char *text = NULL;
    size_t size = 0;
    int64_t generation = 0;
    *found = false;
    OC_TRY(place(path, s, "current", err));
    if (!oc_path_exists(path)) return OC_OK;
    OC_TRY(oc_file_read(path, MAX_CURRENT_BYTES, &text, &size, err));
    bool good = oc_parse_i64(oc_trim(text), 1, INT64_MAX, &generation);
    oc_free(text);
    if (!good) {
        return oc_fail(err, OC_EFORMAT,
                       "%s: holds no generation number; train afresh without --resume", path);
    }
    *found = true;
    return read_generation(s, (uint64_t)generation, err);
}
