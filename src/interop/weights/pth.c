/* Weights that torch.save wrote: a zip archive of NAME/data.pkl, a pickle that describes the
 * tensors, and NAME/data/KEY, a file of raw elements each. Tensors whose elements lie in rows are
 * views of the file; others, transposed ones say, are gathered into a copy.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "interop/weights/pickle_int.h"
#include "interop/weights/weights_file_int.h"
#include "interop/weights/zip_int.h"

enum { MAX_PICKLE = 64 << 20, MAX_NAME = 512, MOST_COPIED = 4 /* times the file */ };

typedef struct archive {
    oci_zip zip;
    oci_pickle pickle;
    const char *where;
    const char *root; /* what all names begin with, root_size bytes: "archive/" */
    int root_size;
    size_t copied, copies_allowed; /* bytes */
    oc_tensors *set;
} archive;

/* ---- the archive ----------------------------------------------------------------------------
 */

static const oci_zip_entry *find_file(const archive *a, const char *name, int size) {
    char whole[MAX_NAME];
    int n = snprintf(whole, sizeof whole, "%.*s%.*s", a->root_size, a->root, size, name);
    return n > 0 && (size_t)n < sizeof whole ? oci_zip_find(&a->zip, whole) : NULL;
}

static oc_status find_pickle(archive *a, const oci_zip_entry **out, oc_error *err) {
    for (size_t i = 0; i < a->zip.count; i++) {
        const char *name = a->zip.entries[i].name, *base = oc_path_base(name);
        if (strcmp(base, "data.pkl") != 0) continue;
        a->root = name;
        a->root_size = (int)(base - name);
        *out = &a->zip.entries[i];
        return oci_zip_check_plain(&a->zip, *out, err);
    }
    return oc_fail(err, OC_EUNSUPPORTED,
                   "%s: a zip archive, but not one of torch.save or Keras: neither data.pkl nor "
                   "model.weights.h5 in it",
                   a->where);
}

static oc_status check_order(const archive *a, oc_error *err) {
    const oci_zip_entry *e = find_file(a, "byteorder", 9),
                        *code = find_file(a, "constants.pkl", 13);
    if (code != NULL) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s is a TorchScript program: save its tensors alone, in Python "
                       "torch.save(torch.jit.load(F).state_dict(), FILE)",
                       a->where);
    }
    if (e == NULL || e->data == NULL) return OC_OK;
    if (e->size == 6 && memcmp(e->data, "little", 6) == 0) return OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED,
                   "%s: numbers in the byte order '%.*s', handled is 'little': save it on a "
                   "little-endian machine",
                   a->where, (int)(e->size < 16 ? e->size : 16), (const char *)e->data);
}

/* ---- which dict -----------------------------------------------------------------------------
 */

static bool has_tensor(const oci_pickle *p, const oci_py_value *dict) {
    if (dict->kind != OCI_PY_DICT) return false;
    for (uint32_t c = dict->as.chain.first; c != 0; c = p->cells[c].next)
        if (oci_py_at(p, p->cells[c].value)->kind == OCI_PY_TENSOR) return true;
    return false;
}

/* The value of the last member that is called `key`, or NULL. */
static const oci_py_value *member(const oci_pickle *p, const oci_py_value *dict, const char *key) {
    const oci_py_value *found = NULL;
    for (uint32_t c = dict->as.chain.first; c != 0;) {
        uint32_t value = p->cells[c].next;
        if (value == 0) break;
        if (oci_py_is(oci_py_at(p, p->cells[c].value), key))
            found = oci_py_at(p, p->cells[value].value);
        c = p->cells[value].next;
    }
    return found;
}

/* Checkpoints hold the state of the network beside that of an optimiser, under one of these. */
static const char *const STATES[] = {"state_dict", "model_state_dict", "model_state", "model",
                                     "net",        "network",          "weights",     "params"};

static oc_status choose_dict(const archive *a, const oci_py_value **out, oc_error *err) {
    const oci_pickle *p = &a->pickle;
    const oci_py_value *top = oci_py_at(p, p->result);
    for (size_t i = 0; top->kind == OCI_PY_DICT && i < sizeof STATES / sizeof *STATES; i++) {
        const oci_py_value *state = member(p, top, STATES[i]);
        if (state == NULL || !has_tensor(p, state)) continue;
        *out = state;
        return OC_OK;
    }
    *out = top; /* behind the others, since a checkpoint may hold tensors beside the state */
    if (has_tensor(p, top)) return OC_OK;
    return oc_fail(err, OC_EUNSUPPORTED,
                   "%s: no dict of named tensors, neither itself nor under \"state_dict\", "
                   "\"model\" and the like: in Python, torch.save(model.state_dict(), FILE)",
                   a->where);
}

/* ---- tensors --------------------------------------------------------------------------------
 */

/* One that is being read. */
typedef struct reading {
    char name[MAX_NAME];
    const oci_py_tensor *t;
    oc_dtype dtype;
    const uint8_t *data;   /* of its first element */
    size_t count, element; /* elements, bytes of one */
    bool rows;             /* they lie one behind the other in row-major order */
} reading;

static oc_status refuse(const archive *a, const reading *r, const char *what, oc_error *err) {
    char shape[OC_SHAPE_TEXT];
    return oc_fail(err, OC_EFORMAT, "%s: tensor %.200s (%s): %s", a->where, r->name,
                   oc_shape_text(shape, &r->t->shape), what);
}

static oc_status find_data(const archive *a, const reading *r, const oci_py_storage *s,
                           const oci_zip_entry **out, oc_error *err) {
    char file[64];
    if (s->key_size > 32) return refuse(a, r, "its storage has no name", err);
    int n = snprintf(file, sizeof file, "data/%.*s", (int)s->key_size, s->key);
    *out = find_file(a, file, n);
    if (*out == NULL) return refuse(a, r, "its storage is not in the archive", err);
    return oci_zip_check_plain(&a->zip, *out, err);
}

/* The last element's number must be below `count`; sets r->rows on the way. */
static bool is_within(reading *r, int64_t count) {
    const oci_py_tensor *t = r->t;
    int64_t last = t->offset, step = 1;
    r->rows = true;
    if (r->count == 0) return true;
    for (int i = t->shape.rank - 1; i >= 0; i--) {
        int64_t beyond = t->shape.dim[i] - 1;
        if (beyond == 0) continue;
        if (t->stride[i] > (count - 1 - last) / beyond) return false;
        last += beyond * t->stride[i];
        r->rows = r->rows && t->stride[i] == step;
        step *= t->shape.dim[i];
    }
    return last < count;
}

static oc_status locate(const archive *a, reading *r, oc_error *err) {
    const oci_py_storage *s = &a->pickle.storages[r->t->storage];
    const oci_zip_entry *e = NULL;
    size_t bytes = 0;
    OC_TRY(find_data(a, r, s, &e, err));
    r->dtype = s->dtype;
    r->element = oc_dtype_bytes(s->dtype);
    if (!oc_shape_count(&r->t->shape, &r->count) || !oc_mul_size(r->count, r->element, &bytes))
        return refuse(a, r, "larger than any memory", err);
    if (s->count < 0 || (uint64_t)s->count > e->size / r->element)
        return refuse(a, r, "its storage has fewer bytes than it should: truncated", err);
    if (r->count > 0 && (r->t->offset >= s->count || r->count > (uint64_t)s->count))
        return refuse(a, r, "more elements than its storage has", err);
    if (!is_within(r, s->count)) return refuse(a, r, "reaches beyond its storage", err);
    r->data = e->data + (r->count > 0 ? (size_t)r->t->offset * r->element : 0);
    return OC_OK;
}

/* dst := the elements in row-major order, walking like an odometer. */
static void gather(const reading *r, uint8_t *dst) {
    int64_t at[OC_MAX_RANK] = {0}, from = 0;
    const oci_py_tensor *t = r->t;
    for (size_t i = 0; i < r->count; i++) {
        memcpy(dst + i * r->element, r->data + (size_t)from * r->element, r->element);
        for (int k = t->shape.rank - 1; k >= 0; k--) {
            from += t->stride[k];
            if (++at[k] < t->shape.dim[k]) break;
            from -= at[k] * t->stride[k];
            at[k] = 0;
        }
    }
}

static oc_status add_copy(archive *a, const reading *r, oc_error *err) {
    oc_tensor *made = NULL;
    a->copied += r->count * r->element;
    if (a->copied > a->copies_allowed) {
        return oc_fail(err, OC_ELIMIT,
                       "%s: more than %zu bytes of tensors that do not lie in rows: in Python, "
                       "save each as t.contiguous()",
                       a->where, a->copies_allowed);
    }
    OC_TRY(oc_tensors_add(a->set, r->name, r->dtype, &r->t->shape, &made, err));
    gather(r, made->data);
    return OC_OK;
}

static oc_status add_tensor(archive *a, const oci_py_value *key, const oci_py_value *value,
                            oc_error *err) {
    reading r = {.t = &a->pickle.tensors[value->as.index]};
    bool fine = key->kind == OCI_PY_TEXT && key->size > 0 && key->size < MAX_NAME &&
                oc_is_utf8(key->as.text, key->size) && memchr(key->as.text, 0, key->size) == NULL;
    if (!fine) return oci_py_damaged(&a->pickle, "a tensor without a name", err);
    memcpy(r.name, key->as.text, key->size);
    OC_TRY(locate(a, &r, err));
    if (!r.rows) return add_copy(a, &r, err);
    const oc_tensor view = {
        .dtype = r.dtype, .shape = r.t->shape, .data = (void *)r.data}; /* only ever read */
    return oc_tensors_add_view(a->set, r.name, &view, err);
}

static oc_status add_tensors(archive *a, const oci_py_value *dict, oc_error *err) {
    const oci_pickle *p = &a->pickle;
    for (uint32_t c = dict->as.chain.first; c != 0;) {
        uint32_t second = p->cells[c].next;
        if (second == 0) return oci_py_damaged(p, "a key without a value", err);
        const oci_py_value *value = oci_py_at(p, p->cells[second].value);
        if (value->kind == OCI_PY_TENSOR)
            OC_TRY(add_tensor(a, oci_py_at(p, p->cells[c].value), value, err));
        c = p->cells[second].next;
    }
    return OC_OK;
}

static oc_status read(archive *a, const uint8_t *bytes, size_t size, oc_error *err) {
    const oci_zip_entry *list = NULL;
    const oci_py_value *dict = NULL;
    OC_TRY(oci_zip_open(&a->zip, bytes, size, a->where, err));
    OC_TRY(find_pickle(a, &list, err));
    OC_TRY(check_order(a, err));
    if (list->size > MAX_PICKLE) {
        return oc_fail(err, OC_ELIMIT, "%s: a list of tensors of %zu bytes, at most %d", a->where,
                       list->size, MAX_PICKLE);
    }
    OC_TRY(oci_pickle_read(&a->pickle, list->data, list->size, a->where, err));
    OC_TRY(choose_dict(a, &dict, err));
    return add_tensors(a, dict, err);
}

oc_status oci_pth_read(oc_tensors *set, const uint8_t *bytes, size_t size, const char *where,
                       oc_error *err) {
    archive a = {.where = where, .set = set};
    a.copies_allowed = size > SIZE_MAX / MOST_COPIED ? SIZE_MAX : size * MOST_COPIED;
    oc_status status = read(&a, bytes, size, err);
    oci_pickle_clear(&a.pickle);
    oci_zip_clear(&a.zip);
    return status;
}
