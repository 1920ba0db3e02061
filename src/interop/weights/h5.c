/* Weights that Keras wrote with HDF5, in the three forms it has had:
 *
 *   LAYER/.../kernel:0            save_weights of Keras 2, and old names like LAYER_W_1:0
 *   model_weights/LAYER/...       a whole model
 *   layers/CLASS_N/vars/0, 1, ..  .weights.h5 of Keras 3, where "vars" says which layer it is of
 * All become "LAYER/kernel" and so on, as F32.
 *
 * The file is hostile: only what lies in it is read (no links to other files, no external or
 * virtual data, no plug-ins), to a bounded depth, count and size. That binds us; libhdf5 below has
 * errors of its own on damaged files, so all of this runs in a process apart (h5_apart.c) and sends
 * each tensor as soon as it is read. Bytes in memory are read through the library's "core" driver,
 * which copies them once.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <ctype.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

#include "interop/weights/h5_int.h"

enum { MAX_DEPTH = 8, MAX_NAME = 256 };

typedef struct reader {
    int fd; /* where tensors go */
    size_t sent;
    const char *where; /* the file's name */
    size_t objects;    /* seen so far */
    uint64_t left;     /* bytes that may still be read */
    char layer[MAX_NAME];
    size_t members; /* of the "vars" that is being read; 0 = none */
} reader;

/* ---- names ----------------------------------------------------------------------------------
 */

/* What a weight is called in one form or another, and what we call it. */
static const struct {
    const char *theirs, *ours;
} WORDS[] = {{"depthwise_kernel", "kernel"},
             {"kernel", "kernel"},
             {"bias", "bias"},
             {"gamma", "gamma"},
             {"beta", "beta"},
             {"moving_mean", "moving_mean"},
             {"moving_variance", "moving_variance"},
             {"running_mean", "moving_mean"},
             {"running_std", "moving_variance"},
             {"W", "kernel"},
             {"b", "bias"}};

/* "block1_conv1_W_1:0" ends in the word "W", "kernel:0" in "kernel". */
static const char *word_of(const char *name) {
    size_t size = strcspn(name, ":");
    size_t digits = size;
    while (digits > 0 && isdigit((unsigned char)name[digits - 1])) digits--;
    if (digits < size && digits > 0 && name[digits - 1] == '_') size = digits - 1;
    for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; i++) {
        size_t length = strlen(WORDS[i].theirs);
        if (length > size || strncmp(name + size - length, WORDS[i].theirs, length) != 0) continue;
        if (length == size || name[size - length - 1] == '_') return WORDS[i].ours;
    }
    return NULL;
}

/* Member "0" of `count` of a layer: a norm has four, others a kernel and perhaps a bias. */
static const char *word_of_number(const char *name, size_t count) {
    static const char *const NORM[] = {"gamma", "beta", "moving_mean", "moving_variance"};
    static const char *const OTHER[] = {"kernel", "bias"};
    int64_t i = 0;
    if (!oc_parse_i64(name, 0, 3, &i)) return NULL;
    if (count == 4) return NORM[i];
    return count <= 2 && i < 2 ? OTHER[i] : NULL;
}

/* ---- tensors --------------------------------------------------------------------------------
 */

static oc_status fail(const reader *r, const char *name, const char *what, oc_error *err) {
    return oc_fail(err, OC_EFORMAT, "%s: %.100s: %.100s: %s", r->where, r->layer, name, what);
}

/* How a dataset's numbers are kept. */
typedef struct storage {
    bool inside;    /* neither in other files nor put together from them */
    uint64_t chunk; /* numbers that are unpacked at once; 0 = they lie as they are */
} storage;

static storage look_at_storage(hid_t dataset) {
    storage s = {0};
    hsize_t dims[H5S_MAX_RANK];
    hid_t list = H5Dget_create_plist(dataset);
    if (list < 0) return s;
    H5D_layout_t layout = H5Pget_layout(list);
    s.inside = layout != H5D_VIRTUAL && H5Pget_external_count(list) == 0;
    int rank = layout == H5D_CHUNKED ? H5Pget_chunk(list, H5S_MAX_RANK, dims) : 0;
    for (int i = 0; i < rank && i < H5S_MAX_RANK; i++) {
        uint64_t before = i > 0 ? s.chunk : 1;
        s.chunk = dims[i] > 0 && before > UINT64_MAX / dims[i] ? UINT64_MAX : before * dims[i];
    }
    (void)H5Pclose(list);
    return s;
}

static bool read_shape(hid_t space, oc_shape *shape) {
    hsize_t dims[OC_MAX_RANK];
    int rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || rank > OC_MAX_RANK) return false;
    if (H5Sget_simple_extent_dims(space, dims, NULL) != rank) return false;
    shape->rank = rank;
    for (int i = 0; i < rank; i++) {
        if (dims[i] > INT64_MAX) return false;
        shape->dim[i] = (int64_t)dims[i];
    }
    return true;
}

static bool is_float(hid_t dataset) {
    hid_t type = H5Dget_type(dataset);
    bool fine = type >= 0 && H5Tget_class(type) == H5T_FLOAT;
    if (type >= 0) (void)H5Tclose(type);
    return fine;
}

static oc_status read_floats(reader *r, hid_t dataset, const char *name, const oc_shape *shape,
                             oc_error *err) {
    char whole[2 * MAX_NAME];
    oc_status status = OC_OK;
    size_t count = 0, bytes = 0;
    if (!oc_shape_count(shape, &count) || !oc_mul_size(count, sizeof(float), &bytes) ||
        bytes > r->left)
        return fail(r, name, "more numbers than the file can hold", err);
    r->left -= bytes;
    (void)snprintf(whole, sizeof whole, "%s/%s", r->layer, name);
    float *values = oc_calloc(count, sizeof *values);
    if (values == NULL) return oc_fail_nomem(err, bytes, whole);
    if (H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        OC_GOTO(
            fail(r, name, "cannot be read: damaged, or packed in a way that is not built in", err));
    OC_GOTO(oci_h5_send_tensor(r->fd, whole, shape, values, bytes, err));
    r->sent++;
done:
    oc_free(values);
    return status;
}

static oc_status read_dataset(reader *r, hid_t dataset, const char *name, oc_error *err) {
    const char *word = r->members > 0 ? word_of_number(name, r->members) : word_of(name);
    oc_shape shape = {0};
    if (word == NULL || r->layer[0] == '\0' || !is_float(dataset)) return OC_OK; /* no weight */
    storage kept = look_at_storage(dataset);
    if (!kept.inside) return fail(r, name, "its numbers are not in this file", err);
    if (kept.chunk > r->left / sizeof(float))
        return fail(r, name, "packed in pieces larger than the file can hold", err);
    hid_t space = H5Dget_space(dataset);
    bool shaped = space >= 0 && read_shape(space, &shape);
    if (space >= 0) (void)H5Sclose(space);
    if (!shaped) return fail(r, name, "no shape of up to 6 dimensions", err);
    return read_floats(r, dataset, word, &shape, err);
}

/* ---- groups ---------------------------------------------------------------------------------
 */

/* Text attribute "name" of a group into out; false where it has none. */
static bool read_name(hid_t group, char out[MAX_NAME]) {
    bool fine = false;
    char *text = NULL;
    if (H5Aexists(group, "name") <= 0) return false;
    hid_t attr = H5Aopen(group, "name", H5P_DEFAULT);
    hid_t type = attr >= 0 ? H5Aget_type(attr) : -1, space = attr >= 0 ? H5Aget_space(attr) : -1;
    bool text_type = type >= 0 && H5Tget_class(type) == H5T_STRING && space >= 0 &&
                     H5Sget_simple_extent_npoints(space) == 1;
    if (text_type && H5Tis_variable_str(type) > 0 && H5Aread(attr, type, &text) >= 0) {
        int n = text != NULL ? snprintf(out, MAX_NAME, "%s", text) : 0;
        fine = n > 0 && n < MAX_NAME;
        (void)H5Dvlen_reclaim(type, space, H5P_DEFAULT, &text);
    } else if (text_type && H5Tis_variable_str(type) == 0 && H5Tget_size(type) < MAX_NAME) {
        memset(out, 0, MAX_NAME);
        fine = H5Aread(attr, type, out) >= 0 && out[0] != '\0';
    }
    if (space >= 0) (void)H5Sclose(space);
    if (type >= 0) (void)H5Tclose(type);
    if (attr >= 0) (void)H5Aclose(attr);
    return fine;
}

static oc_status read_group(reader *r, hid_t group, int depth, oc_error *err);

/* A group below: of "vars" the layer's name is an attribute, elsewhere the outermost name. */
static oc_status enter(reader *r, hid_t group, const char *name, int depth, oc_error *err) {
    char outer[MAX_NAME];
    size_t members = r->members;
    memcpy(outer, r->layer, sizeof outer);
    bool vars = strcmp(name, "vars") == 0;
    bool wraps = depth <= 2 && (strcmp(name, "layers") == 0 || strcmp(name, "model_weights") == 0);
    r->members = 0;
    if (vars) {
        H5G_info_t info = {0};
        if (H5Gget_info(group, &info) < 0) return fail(r, name, "damaged", err);
        r->members = (size_t)info.nlinks;
        if (!read_name(group, r->layer)) (void)snprintf(r->layer, MAX_NAME, "%s", outer);
    } else if (!wraps && r->layer[0] == '\0') {
        (void)snprintf(r->layer, MAX_NAME, "%s", name);
    }
    oc_status status = read_group(r, group, depth, err);
    memcpy(r->layer, outer, sizeof outer);
    r->members = members;
    return status;
}

/* Keras leaves an optimiser's state beside the weights. */
static bool is_foreign(const char *name) {
    return strcmp(name, "optimizer") == 0 || strcmp(name, "optimizer_weights") == 0;
}

static oc_status read_object(reader *r, hid_t group, const char *name, int depth, oc_error *err) {
    oc_status status = OC_OK;
    if (depth == 1 && is_foreign(name)) return OC_OK;
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0) return fail(r, name, "cannot be opened: damaged", err);
    H5I_type_t type = H5Iget_type(object);
    if (type == H5I_DATASET) status = read_dataset(r, object, name, err);
    if (type == H5I_GROUP) status = enter(r, object, name, depth + 1, err);
    (void)H5Oclose(object);
    return status;
}

static oc_status read_link(reader *r, hid_t group, hsize_t i, int depth, oc_error *err) {
    char name[MAX_NAME];
    H5L_info_t info = {0};
    ssize_t size = H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name,
                                      H5P_DEFAULT);
    if (size <= 0 || size >= (ssize_t)sizeof name)
        return fail(r, "a member", "its name is too long or damaged", err);
    if (++r->objects > OCI_H5_OBJECTS) return fail(r, name, "more than 100000 members", err);
    if (H5Lget_info(group, name, &info, H5P_DEFAULT) < 0 || info.type != H5L_TYPE_HARD)
        return fail(r, name, "a link to elsewhere, which is not followed", err);
    return read_object(r, group, name, depth, err);
}

static oc_status read_group(reader *r, hid_t group, int depth, oc_error *err) {
    H5G_info_t info = {0};
    if (depth > MAX_DEPTH) return fail(r, "a group", "nested more than 8 deep", err);
    if (H5Gget_info(group, &info) < 0) return fail(r, "a group", "damaged", err);
    for (hsize_t i = 0; i < info.nlinks; i++) OC_TRY(read_link(r, group, i, depth, err));
    return OC_OK;
}

static oc_status read_file(reader *r, hid_t file, oc_error *err) {
    hsize_t size = 0;
    hid_t root = H5Gopen2(file, "/", H5P_DEFAULT);
    if (root < 0 || H5Fget_filesize(file, &size) < 0) {
        if (root >= 0) (void)H5Gclose(root);
        return oc_fail(err, OC_EFORMAT, "%s: HDF5 without a root: damaged", r->where);
    }
    r->left = (uint64_t)size * OCI_H5_TIMES;
    oc_status status = read_group(r, root, 1, err);
    (void)H5Gclose(root);
    if (status != OC_OK || r->sent > 0) return status;
    return oc_fail(err, OC_EFORMAT, "%s: HDF5, but no layer of Keras with weights in it", r->where);
}

/* The bytes as a file, under a name that no other one has while they are there. */
static hid_t open_image(const uint8_t *bytes, size_t size) {
    enum { GROWTH = 1 << 16 };
    char name[64];
    (void)snprintf(name, sizeof name, "memory at %p", (const void *)bytes);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file = -1;
    bool set = access >= 0 && H5Pset_fapl_core(access, GROWTH, false) >= 0 &&
               H5Pset_file_image(access, (void *)(uintptr_t)bytes, size) >= 0;
    if (set) file = H5Fopen(name, H5F_ACC_RDONLY, access);
    if (access >= 0) (void)H5Pclose(access);
    return file;
}

oc_status oci_h5_send(int fd, const char *path, const uint8_t *bytes, size_t size,
                      const char *where, oc_error *err) {
    reader r = {.fd = fd, .where = where};
    (void)H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* its own words go to stderr else */
    (void)H5PLset_loading_state(0);
    hid_t file =
        path != NULL ? H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT) : open_image(bytes, size);
    if (file < 0)
        return oc_fail(err, OC_EFORMAT, "%s: damaged or truncated HDF5: copy it again", where);
    oc_status status = read_file(&r, file, err);
    (void)H5Fclose(file);
    return status;
}
