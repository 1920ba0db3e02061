/* An ONNX file: the model's head, its graph, the values of its initializers.
 *
 * A message stands behind its own length, so the heads of all initializers are made twice: once to
 * be counted, once to be written. Values are never copied.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/onnx/file_int.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "interop/wire_int.h"

enum { EXTERNAL_FROM = 1024, ALIGN = 64, CHUNK = 4096 };
/* The format's limit is 2^31 - 1 for the whole file. */
static const uint64_t EMBEDDED_MOST = (uint64_t)2000 << 20;

static void put_entry(oc_buf *out, oc_buf *scratch, uint32_t field, const char *key,
                      const char *value) {
    oci_wire_put_text(scratch, OCI_ENTRY_KEY, key);
    oci_wire_put_text(scratch, OCI_ENTRY_VALUE, value);
    oci_wire_put_message(out, field, scratch);
}

static void put_number(oc_buf *out, oc_buf *scratch, const char *key, uint64_t value) {
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    put_entry(out, scratch, OCI_TENSOR_EXTERNAL, key, text);
}

static bool goes_outside(const oci_onnx_file *file, const oci_initializer *t) {
    return file->external && t->bytes >= EXTERNAL_FROM;
}

/* The initializer's message up to its values. */
static void tensor_head(const oci_onnx_file *file, const oci_initializer *t, oc_buf *out,
                        oc_buf *scratch) {
    out->size = 0;
    for (int i = 0; i < t->shape.rank; i++)
        oci_wire_put_varint(out, OCI_TENSOR_DIMS, (uint64_t)t->shape.dim[i]);
    oci_wire_put_varint(out, OCI_TENSOR_TYPE, (uint64_t)t->type);
    oci_wire_put_text(out, OCI_TENSOR_NAME, t->name);
    if (!goes_outside(file, t)) {
        oci_wire_put_head(out, OCI_TENSOR_RAW, t->bytes);
        return;
    }
    char location[OC_PATH_BYTES];
    (void)snprintf(location, sizeof location, "%s.data", oc_path_base(file->path));
    put_entry(out, scratch, OCI_TENSOR_EXTERNAL, "location", location);
    put_number(out, scratch, "offset", t->offset);
    put_number(out, scratch, "length", t->bytes);
    oci_wire_put_varint(out, OCI_TENSOR_LOCATION, OCI_LOCATION_EXTERNAL);
}

/* ---- values -------------------------------------------------------------------------------- */

/* Rows of floats as the whole numbers that they are multiples of their step by. */
static oc_status write_int8(oc_writer *w, const oci_initializer *t, oc_error *err) {
    int8_t chunk[CHUNK];
    const float *values = t->data;
    size_t row = t->bytes / (size_t)t->shape.dim[0];
    for (size_t at = 0; at < t->bytes;) {
        size_t count = t->bytes - at < CHUNK ? t->bytes - at : CHUNK;
        for (size_t i = 0; i < count; i++)
            chunk[i] = (int8_t)lrintf(values[at + i] / t->step[(at + i) / row]);
        OC_TRY(oc_writer_write(w, chunk, count, err));
        at += count;
    }
    return OC_OK;
}

static oc_status write_values(oc_writer *w, const oci_initializer *t, oc_error *err) {
    if (t->step != NULL) return write_int8(w, t, err);
    return t->bytes > 0 ? oc_writer_write(w, t->data, t->bytes, err) : OC_OK;
}

static oc_status write_outside(const oci_onnx_file *file, const oci_emit *graph, oc_error *err) {
    static const uint8_t zeros[ALIGN] = {0};
    char path[OC_PATH_BYTES];
    uint64_t at = 0;
    oc_writer *w = NULL;
    oc_status status = OC_OK;
    if (snprintf(path, sizeof path, "%s.data", file->path) >= (int)sizeof path)
        return oc_fail(err, OC_ELIMIT, "%s: too long a path", file->path);
    OC_TRY(oc_writer_new(&w, path, err));
    for (size_t i = 0; i < graph->count; i++) {
        const oci_initializer *t = &graph->initializers[i];
        if (!goes_outside(file, t)) continue;
        OC_GOTO(oc_writer_write(w, zeros, (size_t)(t->offset - at), err));
        OC_GOTO(write_values(w, t, err));
        at = t->offset + t->bytes;
    }
    status = oc_writer_commit(w, err);
done:
    oc_writer_free(w);
    return status;
}

/* ---- the file ------------------------------------------------------------------------------ */

/* Where each value goes; whether all fit into one file. */
static void lay_out(oci_onnx_file *file, oci_emit *graph) {
    uint64_t all = 0, at = 0;
    for (size_t i = 0; i < graph->count; i++) all += graph->initializers[i].bytes;
    if (all > EMBEDDED_MOST) file->external = true;
    for (size_t i = 0; i < graph->count; i++) {
        oci_initializer *t = &graph->initializers[i];
        if (!goes_outside(file, t)) continue;
        t->offset = at;
        at += (t->bytes + ALIGN - 1) / ALIGN * ALIGN;
    }
}

typedef struct sizes {
    oc_buf head, scratch, out;
} sizes;

/* Bytes of the graph's message. */
static uint64_t count_graph(const oci_onnx_file *file, const oci_emit *graph, sizes *s) {
    uint64_t sum = graph->nodes.size + s->out.size + file->ends->size;
    for (size_t i = 0; i < graph->count; i++) {
        const oci_initializer *t = &graph->initializers[i];
        tensor_head(file, t, &s->head, &s->scratch);
        size_t size = s->head.size + (goes_outside(file, t) ? 0 : t->bytes);
        s->scratch.size = 0;
        oci_wire_put_head(&s->scratch, OCI_GRAPH_INITIALIZER, size);
        sum += s->scratch.size + size;
        s->scratch.size = 0;
    }
    return sum;
}

static oc_status write_initializer(const oci_onnx_file *file, const oci_initializer *t, sizes *s,
                                   oc_writer *w, oc_error *err) {
    bool outside = goes_outside(file, t);
    tensor_head(file, t, &s->head, &s->scratch);
    s->out.size = 0;
    oci_wire_put_head(&s->out, OCI_GRAPH_INITIALIZER, s->head.size + (outside ? 0 : t->bytes));
    OC_TRY(oc_buf_status(&s->head, err));
    OC_TRY(oc_buf_status(&s->out, err));
    OC_TRY(oc_writer_write(w, s->out.data, s->out.size, err));
    OC_TRY(oc_writer_write(w, s->head.data, s->head.size, err));
    return outside ? OC_OK : write_values(w, t, err);
}

/* Fields of the model before the graph, and the graph's head. */
static void model_head(oc_buf *out, oc_buf *scratch, uint64_t graph_bytes) {
    oci_wire_put_varint(out, OCI_MODEL_IR, OCI_ONNX_IR);
    oci_wire_put_text(out, OCI_MODEL_PRODUCER, "ocellus");
    oci_wire_put_text(out, OCI_MODEL_PRODUCER_VERSION, OC_VERSION);
    oci_wire_put_text(scratch, OCI_OPSET_DOMAIN, "");
    oci_wire_put_varint(scratch, OCI_OPSET_VERSION, OCI_ONNX_OPSET);
    oci_wire_put_message(out, OCI_MODEL_OPSET, scratch);
    oci_wire_put_head(out, OCI_MODEL_GRAPH, (size_t)graph_bytes);
}

static oc_status write_model(const oci_onnx_file *file, const oci_emit *graph, sizes *s,
                             oc_writer *w, oc_error *err) {
    oc_buf name = {0};
    oc_status status = OC_OK;
    oci_wire_put_text(&name, OCI_GRAPH_NAME, file->graph_name);
    s->out.size = 0;
    oc_buf_append(&s->out, name.data, name.size);
    uint64_t bytes = count_graph(file, graph, s);
    s->out.size = 0;
    model_head(&s->out, &s->scratch, bytes);
    oc_buf_append(&s->out, name.data, name.size);
    OC_GOTO(oc_buf_status(&name, err));
    OC_GOTO(oc_buf_status(&s->out, err));
    OC_GOTO(oc_buf_status(&s->head, err));
    OC_GOTO(oc_buf_status(&s->scratch, err));
    OC_GOTO(oc_writer_write(w, s->out.data, s->out.size, err));
    OC_GOTO(oc_writer_write(w, graph->nodes.data, graph->nodes.size, err));
    for (size_t i = 0; i < graph->count; i++)
        OC_GOTO(write_initializer(file, &graph->initializers[i], s, w, err));
    OC_GOTO(oc_writer_write(w, file->ends->data, file->ends->size, err));
    status = oc_writer_write(w, file->tail->data, file->tail->size, err);
done:
    oc_buf_clear(&name);
    return status;
}

oc_status oci_onnx_write(const oci_onnx_file *wanted, oci_emit *graph, oc_error *err) {
    oci_onnx_file file = *wanted;
    sizes s = {0};
    oc_writer *w = NULL;
    oc_status status = OC_OK;
    lay_out(&file, graph);
    if (file.external) OC_TRY(write_outside(&file, graph, err));
    OC_GOTO(oc_writer_new(&w, file.path, err));
    OC_GOTO(write_model(&file, graph, &s, w, err));
    status = oc_writer_commit(w, err);
done:
    oc_writer_free(w);
    oc_buf_clear(&s.head);
    oc_buf_clear(&s.scratch);
    oc_buf_clear(&s.out);
    return status;
}
