/* What the constructors in a file of weights mean, as data: an ordered dict, a storage, a tensor on
 * it, a parameter; and what training scripts leave beside these, as a value of no use. Everything
 * else that a pickle calls is refused by its name.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/weights/pickle_int.h"

enum { MOST_ARGS = 8 };

/* The arguments as values; *count of them, at most MOST_ARGS are taken. */
static size_t spread(const oci_pickle *p, const oci_py_value *tuple,
                     const oci_py_value *out[MOST_ARGS]) {
    size_t count = 0;
    for (uint32_t c = tuple->as.chain.first; c != 0 && count < MOST_ARGS; c = p->cells[c].next)
        out[count++] = oci_py_at(p, p->cells[c].value);
    return count;
}

/* Members of a tuple or list of whole numbers from 0 up, at most OC_MAX_RANK. */
static bool read_numbers(const oci_pickle *p, const oci_py_value *v, int64_t out[OC_MAX_RANK],
                         int *count) {
    *count = 0;
    if ((v->kind != OCI_PY_TUPLE && v->kind != OCI_PY_LIST) || v->size > OC_MAX_RANK) return false;
    for (uint32_t c = v->as.chain.first; c != 0; c = p->cells[c].next) {
        const oci_py_value *number = oci_py_at(p, p->cells[c].value);
        if (number->kind != OCI_PY_INT || number->as.number < 0) return false;
        out[(*count)++] = number->as.number;
    }
    return true;
}

/* ---- storages -------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    oc_dtype dtype;
} STORAGES[] = {{"torch\nFloatStorage", OC_F32}, {"torch\nDoubleStorage", OC_F64},
                {"torch\nHalfStorage", OC_F16},  {"torch\nBFloat16Storage", OC_BF16},
                {"torch\nLongStorage", OC_I64},  {"torch\nIntStorage", OC_I32},
                {"torch\nShortStorage", OC_I16}, {"torch\nCharStorage", OC_I8},
                {"torch\nByteStorage", OC_U8},   {"torch\nBoolStorage", OC_BOOL}};

static bool find_dtype(const oci_py_value *type, oc_dtype *out) {
    for (size_t i = 0; i < sizeof STORAGES / sizeof *STORAGES; i++) {
        if (!oci_py_is(type, STORAGES[i].name)) continue;
        *out = STORAGES[i].dtype;
        return true;
    }
    return false;
}

/* "torch\nFloatStorage" for people. */
static char *readable(char storage[160], const oci_py_value *global) {
    size_t size = global->size < 159 ? global->size : 159;
    for (size_t i = 0; i < size; i++)
        storage[i] = (char)(global->as.text[i] == '\n' ? '.' : global->as.text[i]);
    storage[size] = '\0';
    return storage;
}

oc_status oci_py_persistent(oci_pickle *p, const oci_py_value *id, oci_py *out, oc_error *err) {
    const oci_py_value *part[MOST_ARGS] = {0};
    char name[160];
    oci_py_storage s = {0};
    bool fine = id->kind == OCI_PY_TUPLE && spread(p, id, part) >= 5 &&
                oci_py_is(part[0], "storage") && part[1]->kind == OCI_PY_GLOBAL &&
                part[2]->kind == OCI_PY_TEXT && part[4]->kind == OCI_PY_INT &&
                part[4]->as.number >= 0;
    if (!fine) return oci_py_damaged(p, "a reference to no storage of tensors", err);
    if (!find_dtype(part[1], &s.dtype)) {
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s: elements of type %s are not handled; save it as float32 or float16",
                       p->where, readable(name, part[1]));
    }
    s.key = part[2]->as.text;
    s.key_size = part[2]->size;
    s.count = part[4]->as.number;
    OC_TRY(oc_grow(&p->storages, &p->storage_room, p->storage_count + 1, sizeof s, err));
    p->storages[p->storage_count] = s;
    return oci_py_new(
        p, &(oci_py_value){.kind = OCI_PY_STORAGE, .as.index = (uint32_t)p->storage_count++}, out,
        err);
}

/* ---- tensors --------------------------------------------------------------------------------
 */

/* (storage, offset, size, stride, ...) */
static oc_status make_tensor(oci_pickle *p, const oci_py_value *args, oci_py *out, oc_error *err) {
    const oci_py_value *part[MOST_ARGS] = {0};
    oci_py_tensor t = {0};
    int strides = 0;
    bool fine = spread(p, args, part) >= 4 && part[0]->kind == OCI_PY_STORAGE &&
                part[1]->kind == OCI_PY_INT && part[1]->as.number >= 0 &&
                read_numbers(p, part[2], t.shape.dim, &t.shape.rank) &&
                read_numbers(p, part[3], t.stride, &strides) && strides == t.shape.rank;
    if (!fine) {
        return oci_py_damaged(p, "a tensor of no shape (up to 6 dimensions, whole numbers from 0)",
                              err);
    }
    t.storage = part[0]->as.index;
    t.offset = part[1]->as.number;
    OC_TRY(oc_grow(&p->tensors, &p->tensor_room, p->tensor_count + 1, sizeof t, err));
    p->tensors[p->tensor_count] = t;
    return oci_py_new(
        p, &(oci_py_value){.kind = OCI_PY_TENSOR, .as.index = (uint32_t)p->tensor_count++}, out,
        err);
}

/* (tensor, ...) */
static oc_status make_parameter(oci_pickle *p, const oci_py_value *args, oci_py *out,
                                oc_error *err) {
    if (args->size < 1) return oci_py_damaged(p, "a parameter without its tensor", err);
    *out = p->cells[args->as.chain.first].value;
    if (oci_py_at(p, *out)->kind == OCI_PY_TENSOR) return OC_OK;
    return oci_py_damaged(p, "a parameter that is no tensor", err);
}

/* OrderedDict(): its members follow. */
static oc_status make_dict(oci_pickle *p, const oci_py_value *args, oci_py *out, oc_error *err) {
    if (args->size > 0) return oci_py_damaged(p, "a dict made of something", err);
    return oci_py_new(p, &(oci_py_value){.kind = OCI_PY_DICT}, out, err);
}

/* Dicts and lists of other kinds, whose members follow: what they are made of is of no use. */
static oc_status make_other_dict(oci_pickle *p, const oci_py_value *args, oci_py *out,
                                 oc_error *err) {
    (void)args;
    return oci_py_new(p, &(oci_py_value){.kind = OCI_PY_DICT}, out, err);
}

static oc_status make_other_list(oci_pickle *p, const oci_py_value *args, oci_py *out,
                                 oc_error *err) {
    (void)args;
    return oci_py_new(p, &(oci_py_value){.kind = OCI_PY_LIST}, out, err);
}

/* torch.Size, options of a command line, numbers of numpy: of no use to us. */
static oc_status make_other(oci_pickle *p, const oci_py_value *args, oci_py *out, oc_error *err) {
    (void)args;
    return oci_py_new(p, &(oci_py_value){.kind = OCI_PY_OTHER}, out, err);
}

static const struct {
    const char *name;
    oc_status (*make)(oci_pickle *p, const oci_py_value *args, oci_py *out, oc_error *err);
} CONSTRUCTORS[] = {{"collections\nOrderedDict", make_dict},
                    {"torch._utils\n_rebuild_tensor_v2", make_tensor},
                    {"torch._utils\n_rebuild_tensor", make_tensor},
                    {"torch._utils\n_rebuild_parameter", make_parameter},
                    {"torch._utils\n_rebuild_parameter_with_state", make_parameter},
                    {"torch\nSize", make_other},
                    {"torch\ndevice", make_other},
                    /* beside the state, in what training scripts save */
                    {"argparse\nNamespace", make_other},
                    {"types\nSimpleNamespace", make_other},
                    {"collections\ndefaultdict", make_other_dict},
                    {"collections\nCounter", make_other_dict},
                    {"collections\ndeque", make_other_list},
                    {"pathlib\nPosixPath", make_other},
                    {"pathlib\nWindowsPath", make_other},
                    {"datetime\ndatetime", make_other},
                    {"datetime\ntimedelta", make_other},
                    {"_codecs\nencode", make_other},
                    {"numpy\ndtype", make_other},
                    {"numpy.core.multiarray\nscalar", make_other},
                    {"numpy.core.multiarray\n_reconstruct", make_other},
                    {"numpy._core.multiarray\nscalar", make_other},
                    {"numpy._core.multiarray\n_reconstruct", make_other}};

oc_status oci_py_call(oci_pickle *p, const oci_py_value *callable, const oci_py_value *args,
                      oci_py *out, oc_error *err) {
    char name[160];
    if (callable->kind != OCI_PY_GLOBAL) return oci_py_damaged(p, "a call of what is no name", err);
    for (size_t i = 0; i < sizeof CONSTRUCTORS / sizeof *CONSTRUCTORS; i++) {
        if (oci_py_is(callable, CONSTRUCTORS[i].name))
            return CONSTRUCTORS[i].make(p, args, out, err);
    }
    return oc_fail(err, OC_EUNSUPPORTED,
                   "%s: asks to call %s, which is not done: nothing in a file is executed. In "
                   "Python, save tensors alone: torch.save(model.state_dict(), FILE)",
                   p->where, readable(name, callable));
}
