/* Folders as a source: a folder per class, nested or not, or train/ val/ test/ of those.
 *
 * A folder that holds images is a class, called by its path below the root. Links are followed;
 * within one part a folder is entered once, whatever name leads to it, so that loops end. Names
 * with an image's extension are taken as files unseen: the scan looks at them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "data/data_int.h"

enum { MAX_DEPTH = 64 };

typedef struct walk {
    oci_builder *b;
    oc_part part;
    size_t source; /* length of the source's path with its slash: relative paths begin there */
    size_t root;   /* the same of the folder below which class names begin */
    int depth;
    oci_intern visited;       /* "device:inode" */
    char path[OC_PATH_BYTES]; /* the folder that is being read */
    size_t empty;             /* folders with neither images nor folders in them */
    char example[256];
} walk;

static oc_status walk_folder(walk *w, oc_error *err);

/* Whether the folder at w->path is seen for the first time. */
static oc_status enter(walk *w, bool *fresh, oc_error *err) {
    struct stat st;
    char key[64];
    uint32_t number = 0;
    *fresh = false;
    if (stat(w->path, &st) != 0) return OC_OK;
    (void)snprintf(key, sizeof key, "%" PRIxMAX ":%" PRIxMAX, (uintmax_t)st.st_dev,
                   (uintmax_t)st.st_ino);
    OC_TRY(oci_intern_add(&w->visited, key, &number, fresh, err));
    if (!*fresh) {
        oc_warn(&w->b->ds->log, "%s leads to a folder that was already read: left out", w->path);
    }
    return OC_OK;
}

static bool skipped_below(const walk *w) {
    return w->depth >= MAX_DEPTH;
}

/* Make w->path the entry `name` of it; returns the length to cut back to. */
static oc_status descend(walk *w, const char *name, size_t *back, oc_error *err) {
    char longer[OC_PATH_BYTES];
    *back = strlen(w->path);
    OC_TRY(oc_path_join(longer, w->path, name, err));
    memcpy(w->path, longer, strlen(longer) + 1);
    return OC_OK;
}

/* The image at w->path; `length` is that of its folder. */
static oc_status add_image(walk *w, size_t length, oc_error *err) {
    if (length < w->root) {
        w->b->unlabelled++;
        return OC_OK;
    }
    uint32_t label = 0;
    char kept = w->path[length];
    w->path[length] = '\0';
    oc_status status = oci_builder_label(w->b, w->path + w->root, &label, err);
    if (status != OC_OK) status = oc_error_context(err, status, "folder %s", w->path);
    w->path[length] = kept;
    if (status != OC_OK) return status;
    return oci_builder_add(w->b, w->path, w->source, label, OCI_NO_GROUP, w->part, err);
}

/* The entry at w->path, which is no image by its name. */
static oc_status visit_other(walk *w, bool *is_folder, oc_error *err) {
    *is_folder = oc_path_is_dir(w->path);
    if (!*is_folder) {
        oci_builder *b = w->b;
        if (b->other++ == 0) (void)snprintf(b->example, sizeof b->example, "%.255s", w->path);
        return OC_OK;
    }
    if (skipped_below(w)) {
        oci_dataset_note_reject(w->b->ds, w->path, "nested deeper than 64 folders");
        return OC_OK;
    }
    w->depth++;
    oc_status status = walk_folder(w, err);
    w->depth--;
    return status;
}

static oc_status visit(walk *w, const char *name, bool *useful, oc_error *err) {
    size_t length = 0;
    bool is_folder = false;
    OC_TRY(descend(w, name, &length, err));
    bool image = oc_image_is_name(name);
    oc_status status = image ? add_image(w, length, err) : visit_other(w, &is_folder, err);
    w->path[length] = '\0';
    *useful = *useful || image || is_folder;
    return status;
}

/* A folder below the root that cannot be listed costs itself. */
static oc_status list_folder(walk *w, oc_path_list *names, oc_error *err) {
    oc_error told = {0};
    char reason[OCI_REASON_BYTES];
    oc_status status = oc_path_list_dir(w->path, w->b->options->follow_hidden, names, &told);
    if (status == OC_OK) return OC_OK;
    if (w->depth == 0 || oci_is_fatal(status)) return oc_fail(err, status, "%s", told.message);
    oci_reason(reason, told.message, w->path);
    oci_dataset_note_reject(w->b->ds, w->path, reason);
    oc_warn(&w->b->ds->log, "%s", told.message);
    return OC_OK;
}

static oc_status walk_folder(walk *w, oc_error *err) {
    oc_path_list names = {0};
    bool fresh = false, useful = false;
    oc_status status = OC_OK;
    OC_GOTO(enter(w, &fresh, err));
    if (!fresh) goto done;
    OC_GOTO(list_folder(w, &names, err));
    for (size_t i = 0; i < names.count; i++) OC_GOTO(visit(w, names.names[i], &useful, err));
    if (!useful && w->empty++ == 0)
        (void)snprintf(w->example, sizeof w->example, "%.255s", w->path);
done:
    oc_path_list_free(&names);
    return status;
}

/* ---- train/ val/ test/ ----------------------------------------------------------------------- */

static bool is_part_folder(const char *folder, const char *name, oc_part *part) {
    char path[OC_PATH_BYTES];
    return oci_part_parse(name, part) && oc_path_join(path, folder, name, NULL) == OC_OK &&
           oc_path_is_dir(path);
}

static bool is_class_folder(const char *folder, const char *name) {
    char path[OC_PATH_BYTES];
    oc_part part;
    return !oci_part_parse(name, &part) && oc_path_join(path, folder, name, NULL) == OC_OK &&
           oc_path_is_dir(path);
}

/* train/ with val/ or test/ beside it; or nothing but such folders. A class may be called "train"
 * among others. */
static bool has_parts(const char *folder, const oc_path_list *names) {
    bool train = false, held_out = false, classes = false;
    for (size_t i = 0; i < names->count; i++) {
        oc_part part = OC_PART_NONE;
        if (is_part_folder(folder, names->names[i], &part)) {
            train = train || part == OC_PART_TRAIN;
            held_out = held_out || part != OC_PART_TRAIN;
        } else {
            classes = classes || is_class_folder(folder, names->names[i]);
        }
    }
    return (train && held_out) || ((train || held_out) && !classes);
}

static size_t length_with_slash(const char *path) {
    size_t n = strlen(path);
    return n > 0 && path[n - 1] == '/' ? n : n + 1;
}

/* Read the classes below `root`, which is `source` or a part of it. */
static oc_status read_root(oci_builder *b, const char *source, const char *root, oc_part part,
                           oc_error *err) {
    walk *w = oc_calloc(1, sizeof *w);
    if (w == NULL) return oc_fail_nomem(err, sizeof *w, "reading a folder");
    oc_status status = OC_OK;
    w->b = b;
    w->part = part;
    w->source = length_with_slash(source);
    w->root = length_with_slash(root);
    OC_GOTO(oc_path_join(w->path, "", root, err));
    OC_GOTO(walk_folder(w, err));
    if (w->empty > 0) {
        oc_warn(&b->ds->log, "%zu folders hold no images (first: %s)", w->empty, w->example);
    }
done:
    oci_intern_clear(&w->visited);
    oc_free(w);
    return status;
}

oc_status oci_read_folder(oci_builder *b, const char *folder, oc_error *err) {
    oc_path_list names = {0};
    oc_status status = OC_OK;
    OC_GOTO(oc_path_list_dir(folder, false, &names, err));
    if (!has_parts(folder, &names)) {
        status = read_root(b, folder, folder, OC_PART_NONE, err);
        goto done;
    }
    for (size_t i = 0; i < names.count; i++) {
        char path[OC_PATH_BYTES];
        oc_part part = OC_PART_NONE;
        if (!is_part_folder(folder, names.names[i], &part)) continue;
        OC_GOTO(oc_path_join(path, folder, names.names[i], err));
        OC_GOTO(read_root(b, folder, path, part, err));
    }
done:
    oc_path_list_free(&names);
    return status;
}
