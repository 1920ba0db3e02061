/* One door for files of weights: what a file is, its bytes say, never its name.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/weights/weights_file_int.h"
#include "interop/weights/zip_int.h"

struct oc_weights_file {
    oc_map map; /* empty when parsed from memory */
    const char *kind;
    oc_safetensors *safetensors; /* whose tensors these are, or NULL */
    oc_tensors *own;             /* tensors of the other kinds */
};

/* What a reading works on. `path` is NULL where the bytes lie in memory alone. */
typedef struct source {
    const uint8_t *bytes;
    size_t size;
    const char *path, *where;
} source;

/* ---- the kinds ------------------------------------------------------------------------------
 */

static bool is_safetensors(const uint8_t *bytes, size_t size) {
    return size > 8 && bytes[8] == '{';
}

static oc_status read_safetensors(oc_weights_file *file, const source *s, oc_error *err) {
    return oc_safetensors_parse(&file->safetensors, s->bytes, s->size, s->where, err);
}

/* Keras' own archive (.keras): what it is built of is beside. */
static oc_status read_keras(oc_weights_file *file, const source *s, const oci_zip *zip,
                            const oci_zip_entry *h5, oc_error *err) {
    file->kind = "Keras";
    OC_TRY(oci_zip_check_plain(zip, h5, err));
    return oci_h5_read(file->own, NULL, h5->data, h5->size, s->where, err);
}

static oc_status read_zip(oc_weights_file *file, const source *s, oc_error *err) {
    oci_zip zip = {0};
    OC_TRY(oci_zip_open(&zip, s->bytes, s->size, s->where, err));
    const oci_zip_entry *h5 = oci_zip_find(&zip, "model.weights.h5");
    oc_status status = h5 != NULL ? read_keras(file, s, &zip, h5, err)
                                  : oci_pth_read(file->own, s->bytes, s->size, s->where, err);
    oci_zip_clear(&zip);
    return status;
}

/* A pickle outside of an archive: what torch.save wrote before version 1.6. */
static bool is_old_pth(const uint8_t *bytes, size_t size) {
    return size > 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5;
}

static oc_status refuse_old_pth(oc_weights_file *file, const source *s, oc_error *err) {
    (void)file;
    return oc_fail(err, OC_EUNSUPPORTED,
                   "%s: PyTorch's form from before version 1.6, which is a program: with a file "
                   "that you trust, in Python, torch.save(torch.load(FILE), NEW)",
                   s->where);
}

static bool is_h5(const uint8_t *bytes, size_t size) {
    static const uint8_t mark[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n'};
    return size >= sizeof mark && memcmp(bytes, mark, sizeof mark) == 0;
}

/* A protobuf whose first field is a small version, and then what ONNX has next. */
static bool is_onnx(const uint8_t *bytes, size_t size) {
    static const char next[] = {0x12, 0x1A, 0x3A, 0x42}; /* producer, its version, graph, opset */
    return size > 2 && bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 64 &&
           memchr(next, bytes[2], sizeof next) != NULL;
}

static oc_status refuse_onnx(oc_weights_file *file, const source *s, oc_error *err) {
    (void)file;
    return oc_fail(err, OC_EUNSUPPORTED,
                   "%s: an ONNX file, which holds its network, too: `ocellus import onnx` reads it",
                   s->where);
}

static oc_status read_h5(oc_weights_file *file, const source *s, oc_error *err) {
    return oci_h5_read(file->own, s->path, s->bytes, s->size, s->where, err);
}

static const struct {
    const char *kind;
    bool (*is)(const uint8_t *bytes, size_t size);
    oc_status (*read)(oc_weights_file *file, const source *s, oc_error *err);
} KINDS[] = {{"safetensors", is_safetensors, read_safetensors},
             {"PyTorch", oci_is_zip, read_zip},
             {"Keras", is_h5, read_h5},
             {"old PyTorch", is_old_pth, refuse_old_pth},
             {"ONNX", is_onnx, refuse_onnx}};
enum { KIND_COUNT = sizeof KINDS / sizeof *KINDS };

const char *oci_weights_kind(const uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < KIND_COUNT; i++)
        if (KINDS[i].read != refuse_onnx && KINDS[i].is(bytes, size)) return KINDS[i].kind;
    return NULL;
}

/* ---- opening --------------------------------------------------------------------------------
 */

static oc_status read_kind(oc_weights_file *file, const source *s, oc_error *err) {
    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (!KINDS[i].is(s->bytes, s->size)) continue;
        file->kind = KINDS[i].kind;
        return KINDS[i].read(file, s, err);
    }
    return oc_fail(err, OC_EFORMAT,
                   "%s: no file of weights that is known: expected .safetensors, PyTorch's .pth, "
                   "or Keras' .h5; a .caffemodel comes in with its net, `ocellus import caffe`",
                   s->where);
}

static oc_status open_source(oc_weights_file **out, source s, oc_error *err) {
    oc_status status = OC_OK;
    *out = NULL;
    oc_weights_file *file = oc_calloc(1, sizeof *file);
    if (file == NULL) return oc_fail_nomem(err, sizeof *file, "a weights file");
    OC_GOTO(oc_tensors_new(&file->own, err));
    if (s.path != NULL) {
        OC_GOTO(oc_map_open(&file->map, s.path, err));
        s.bytes = file->map.data;
        s.size = file->map.size;
    }
    OC_GOTO(read_kind(file, &s, err));
    *out = file;
    file = NULL;
done:
    oc_weights_file_close(file);
    return status;
}

oc_status oc_weights_file_open(oc_weights_file **out, const char *path, oc_error *err) {
    return open_source(out, (source){.path = path, .where = path}, err);
}

oc_status oc_weights_file_parse(oc_weights_file **out, const void *bytes, size_t size,
                                const char *where, oc_error *err) {
    return open_source(out, (source){.bytes = bytes, .size = size, .where = where}, err);
}

void oc_weights_file_close(oc_weights_file *file) {
    if (file == NULL) return;
    oc_tensors_free(file->own);
    oc_safetensors_close(file->safetensors);
    oc_map_close(&file->map);
    oc_free(file);
}

const oc_tensors *oc_weights_file_tensors(const oc_weights_file *file) {
    return file->safetensors != NULL ? oc_safetensors_tensors(file->safetensors) : file->own;
}

const char *oc_weights_file_kind(const oc_weights_file *file) {
    return file->kind;
}
