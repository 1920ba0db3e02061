/* The stack machine of a pickle (Python's pickletools documents the opcodes): protocols 2 to 5, as
 * far as plain values go. What constructors mean is pickle_call.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/weights/pickle_int.h"

#include <string.h>

enum { MAX_VALUES = 1 << 22, MAX_LONG_BYTES = 8 };

oc_status oci_py_damaged(const oci_pickle *p, const char *what, oc_error *err) {
    return oc_fail(err, OC_EFORMAT, "%s: byte %zu of its list of tensors: %s: damaged", p->where,
                   (size_t)(p->at - p->start), what);
}

const oci_py_value *oci_py_at(const oci_pickle *p, oci_py value) {
    OC_PROMISE(value > 0 && value < p->value_count);
    return &p->values[value];
}

bool oci_py_is(const oci_py_value *value, const char *text) {
    bool has_text = value->kind == OCI_PY_TEXT || value->kind == OCI_PY_GLOBAL;
    return has_text && value->size == strlen(text) &&
           memcmp(value->as.text, text, value->size) == 0;
}

oc_status oci_py_new(oci_pickle *p, const oci_py_value *value, oci_py *out, oc_error *err) {
    if (p->value_count >= MAX_VALUES)
        return oc_fail(err, OC_ELIMIT, "%s: its list of tensors has more than %d values", p->where,
                       MAX_VALUES);
    OC_TRY(oc_grow(&p->values, &p->value_room, p->value_count + 1, sizeof *p->values, err));
    p->values[p->value_count] = *value;
    *out = (oci_py)p->value_count++;
    return OC_OK;
}

/* ---- the stack ------------------------------------------------------------------------------
 */

static oc_status push(oci_pickle *p, oci_py value, oc_error *err) {
    if (p->depth >= MAX_VALUES) return oci_py_damaged(p, "its stack is too deep", err);
    OC_TRY(oc_grow(&p->stack, &p->stack_room, p->depth + 1, sizeof *p->stack, err));
    p->stack[p->depth++] = value;
    return OC_OK;
}

static oc_status push_mark(oci_pickle *p, int unused, oc_error *err) {
    (void)unused;
    return push(p, 0, err);
}

static oc_status push_new(oci_pickle *p, const oci_py_value *value, oc_error *err) {
    oci_py made = 0;
    OC_TRY(oci_py_new(p, value, &made, err));
    return push(p, made, err);
}

static oc_status push_number(oci_pickle *p, oci_py_kind kind, int64_t number, oc_error *err) {
    return push_new(p, &(oci_py_value){.kind = kind, .as.number = number}, err);
}

static oc_status pop(oci_pickle *p, oci_py *out, oc_error *err) {
    if (p->depth == 0 || p->stack[p->depth - 1] == 0)
        return oci_py_damaged(p, "a value is missing on its stack", err);
    *out = p->stack[--p->depth];
    return OC_OK;
}

/* The container that is now on top. */
static oc_status top(const oci_pickle *p, oci_py_value **out, oc_error *err) {
    if (p->depth == 0 || p->stack[p->depth - 1] == 0)
        return oci_py_damaged(p, "a value is missing on its stack", err);
    *out = &p->values[p->stack[p->depth - 1]];
    return OC_OK;
}

/* The place behind the topmost mark. */
static oc_status find_mark(const oci_pickle *p, size_t *first, oc_error *err) {
    for (size_t i = p->depth; i > 0; i--) {
        if (p->stack[i - 1] != 0) continue;
        *first = i;
        return OC_OK;
    }
    return oci_py_damaged(p, "a mark is missing on its stack", err);
}

/* ---- containers -----------------------------------------------------------------------------
 */

static oc_status append(oci_pickle *p, oci_py_value *to, oci_py value, oc_error *err) {
    OC_TRY(oc_grow(&p->cells, &p->cell_room, p->cell_count + 1, sizeof *p->cells, err));
    uint32_t cell = (uint32_t)p->cell_count++;
    p->cells[cell] = (oci_py_cell){.value = value};
    if (to->as.chain.last != 0)
        p->cells[to->as.chain.last].next = cell;
    else
        to->as.chain.first = cell;
    to->as.chain.last = cell;
    to->size++;
    return OC_OK;
}

/* Members stack[first..depth) leave the stack for `to`. */
static oc_status gather(oci_pickle *p, size_t first, oci_py_value *to, oc_error *err) {
    if (p->cell_count + (p->depth - first) > MAX_VALUES)
        return oc_fail(err, OC_ELIMIT, "%s: its list of tensors has more than %d members", p->where,
                       MAX_VALUES);
    for (size_t i = first; i < p->depth; i++) OC_TRY(append(p, to, p->stack[i], err));
    p->depth = first;
    return OC_OK;
}

static oc_status push_gathered(oci_pickle *p, size_t first, oci_py_kind kind, oc_error *err) {
    oci_py_value value = {.kind = kind};
    OC_TRY(gather(p, first, &value, err));
    if (kind == OCI_PY_DICT && value.size % 2 != 0)
        return oci_py_damaged(p, "a key without a value", err);
    return push_new(p, &value, err);
}

/* The topmost `count` values. */
static oc_status push_tuple(oci_pickle *p, int count, oc_error *err) {
    for (size_t i = 0; i < (size_t)count; i++)
        if (p->depth <= i || p->stack[p->depth - 1 - i] == 0)
            return oci_py_damaged(p, "a value is missing on its stack", err);
    return push_gathered(p, p->depth - (size_t)count, OCI_PY_TUPLE, err);
}

/* What is behind the topmost mark, as a value of its own; the mark goes. */
static oc_status push_marked(oci_pickle *p, int kind, oc_error *err) {
    size_t first = 0;
    oci_py made = 0;
    OC_TRY(find_mark(p, &first, err));
    OC_TRY(push_gathered(p, first, (oci_py_kind)kind, err));
    OC_TRY(pop(p, &made, err));
    p->depth--;
    return push(p, made, err);
}

/* stack[first..depth) go into the container before them, `below` places down. */
static oc_status add_members(oci_pickle *p, size_t first, size_t below, oci_py_kind kind,
                             oc_error *err) {
    if (first < below || p->stack[first - below] == 0)
        return oci_py_damaged(p, "members without a list", err);
    for (size_t i = first; i < p->depth; i++)
        if (p->stack[i] == 0) return oci_py_damaged(p, "a mark among members", err);
    oci_py_value *to = &p->values[p->stack[first - below]];
    bool pairs = kind == OCI_PY_DICT && (p->depth - first) % 2 != 0;
    if (to->kind != kind || pairs) return oci_py_damaged(p, "members that fit no list", err);
    OC_TRY(gather(p, first, to, err));
    p->depth = first - below + 1;
    return OC_OK;
}

static oc_status add_marked(oci_pickle *p, int kind, oc_error *err) {
    size_t first = 0;
    OC_TRY(find_mark(p, &first, err));
    return add_members(p, first, 2, (oci_py_kind)kind, err);
}

static oc_status add_last(oci_pickle *p, int kind, oc_error *err) {
    size_t count = kind == OCI_PY_DICT ? 2 : 1;
    if (p->depth <= count) return oci_py_damaged(p, "a value is missing on its stack", err);
    return add_members(p, p->depth - count, 1, (oci_py_kind)kind, err);
}

/* ---- arguments behind an opcode -------------------------------------------------------------
 */

static oc_status take(oci_pickle *p, size_t size, const uint8_t **out, oc_error *err) {
    if (size > (size_t)(p->end - p->at)) return oci_py_damaged(p, "it breaks off", err);
    *out = p->at;
    p->at += size;
    return OC_OK;
}

/* A little-endian number of `size` bytes. */
static oc_status take_number(oci_pickle *p, int size, uint64_t *out, oc_error *err) {
    const uint8_t *bytes = NULL;
    OC_TRY(take(p, (size_t)size, &bytes, err));
    *out = 0;
    for (int i = size - 1; i >= 0; i--) *out = *out << 8 | bytes[i];
    return OC_OK;
}

static oc_status push_text(oci_pickle *p, int length_bytes, oc_error *err) {
    uint64_t size = 0;
    const uint8_t *bytes = NULL;
    OC_TRY(take_number(p, length_bytes, &size, err));
    if (size > UINT32_MAX) return oci_py_damaged(p, "a text longer than the file", err);
    OC_TRY(take(p, (size_t)size, &bytes, err));
    return push_new(p,
                    &(oci_py_value){.kind = OCI_PY_TEXT,
                                    .size = (uint32_t)size,
                                    .as.text = (const char *)bytes},
                    err);
}

/* A two's complement number of any length; one beyond 64 bits is of no use to us. */
static oc_status push_long(oci_pickle *p, int length_bytes, oc_error *err) {
    uint64_t size = 0, value = 0;
    const uint8_t *bytes = NULL;
    OC_TRY(take_number(p, length_bytes, &size, err));
    if (size > (size_t)(p->end - p->at)) return oci_py_damaged(p, "it breaks off", err);
    OC_TRY(take(p, (size_t)size, &bytes, err));
    if (size > MAX_LONG_BYTES) return push_number(p, OCI_PY_OTHER, 0, err);
    if (size > 0 && bytes[size - 1] & 0x80) value = UINT64_MAX;
    for (size_t i = (size_t)size; i-- > 0;) value = value << 8 | bytes[i];
    return push_number(p, OCI_PY_INT, (int64_t)value, err);
}

static oc_status push_unsigned(oci_pickle *p, int size, oc_error *err) {
    uint64_t value = 0;
    OC_TRY(take_number(p, size, &value, err));
    return push_number(p, OCI_PY_INT, (int64_t)value, err);
}

static oc_status push_int32(oci_pickle *p, int size, oc_error *err) {
    uint64_t value = 0;
    OC_TRY(take_number(p, size, &value, err));
    return push_number(p, OCI_PY_INT, (int32_t)(uint32_t)value, err);
}

static oc_status push_float(oci_pickle *p, int size, oc_error *err) {
    const uint8_t *bytes = NULL;
    OC_TRY(take(p, (size_t)size, &bytes, err));
    return push_number(p, OCI_PY_FLOAT, 0, err);
}

/* ---- memo -----------------------------------------------------------------------------------
 */

static oc_status remember(oci_pickle *p, uint64_t place, oc_error *err) {
    oci_py_value *value = NULL;
    OC_TRY(top(p, &value, err));
    if (place >= MAX_VALUES) return oci_py_damaged(p, "a memo beyond all measure", err);
    OC_TRY(oc_grow(&p->memo, &p->memo_room, (size_t)place + 1, sizeof *p->memo, err));
    while (p->memo_count <= place) p->memo[p->memo_count++] = 0;
    p->memo[place] = p->stack[p->depth - 1];
    return OC_OK;
}

static oc_status remember_at(oci_pickle *p, int bytes, oc_error *err) {
    uint64_t place = 0;
    OC_TRY(take_number(p, bytes, &place, err));
    return remember(p, place, err);
}

static oc_status remember_next(oci_pickle *p, int unused, oc_error *err) {
    (void)unused;
    return remember(p, p->memo_count, err);
}

static oc_status recall(oci_pickle *p, int bytes, oc_error *err) {
    uint64_t place = 0;
    OC_TRY(take_number(p, bytes, &place, err));
    if (place >= p->memo_count || p->memo[place] == 0)
        return oci_py_damaged(p, "nothing at this place of its memo", err);
    return push(p, p->memo[place], err);
}

/* ---- globals and calls ----------------------------------------------------------------------
 */

/* Two lines, module and name: kept as they lie, "module\nname". */
static oc_status push_global(oci_pickle *p, int unused, oc_error *err) {
    (void)unused;
    const uint8_t *start = p->at;
    for (int line = 0; line < 2; line++) {
        const uint8_t *stop = memchr(p->at, '\n', (size_t)(p->end - p->at));
        if (stop == NULL || stop - p->at > 255) return oci_py_damaged(p, "a name without end", err);
        p->at = stop + 1;
    }
    return push_new(p,
                    &(oci_py_value){.kind = OCI_PY_GLOBAL,
                                    .size = (uint32_t)(p->at - 1 - start),
                                    .as.text = (const char *)start},
                    err);
}

/* Protocol 4 has module and name as two texts: the same name, when one may be made of them. */
static oc_status join_global(oci_pickle *p, int unused, oc_error *err) {
    (void)unused;
    oci_py name = 0, module = 0;
    OC_TRY(pop(p, &name, err));
    OC_TRY(pop(p, &module, err));
    const oci_py_value *m = oci_py_at(p, module), *n = oci_py_at(p, name);
    if (m->kind != OCI_PY_TEXT || n->kind != OCI_PY_TEXT || m->size > 255 || n->size > 255)
        return oci_py_damaged(p, "a global that is no name", err);
    size_t size = (size_t)m->size + 1 + n->size;
    char *text = oc_pool_alloc(p->names, size);
    if (text == NULL) return oc_fail_nomem(err, size, "a name");
    memcpy(text, m->as.text, m->size);
    text[m->size] = '\n';
    memcpy(text + m->size + 1, n->as.text, n->size);
    const oci_py_value made = {.kind = OCI_PY_GLOBAL, .size = (uint32_t)size, .as.text = text};
    return push_new(p, &made, err);
}

static oc_status reduce(oci_pickle *p, int unused, oc_error *err) {
    (void)unused;
    oci_py args = 0, callable = 0, made = 0;
    OC_TRY(pop(p, &args, err));
    OC_TRY(pop(p, &callable, err));
    if (oci_py_at(p, args)->kind != OCI_PY_TUPLE)
        return oci_py_damaged(p, "a call without arguments", err);
    const oci_py_value c = *oci_py_at(p, callable), a = *oci_py_at(p, args);
    OC_TRY(oci_py_call(p, &c, &a, &made, err));
    return push(p, made, err);
}

/* Attributes of what is below: torch hangs "_metadata" onto an OrderedDict. Of plain data, so they
 * are dropped. */
static oc_status build(oci_pickle *p, int unused, oc_error *err) {
    (void)unused;
    oci_py state = 0;
    oci_py_value *to = NULL;
    OC_TRY(pop(p, &state, err));
    OC_TRY(top(p, &to, err));
    bool plain = to->kind == OCI_PY_DICT || to->kind == OCI_PY_OTHER || to->kind == OCI_PY_TENSOR;
    return plain ? OC_OK : oci_py_damaged(p, "attributes of what has none", err);
}

static oc_status persist(oci_pickle *p, int unused, oc_error *err) {
    (void)unused;
    oci_py id = 0, made = 0;
    OC_TRY(pop(p, &id, err));
    const oci_py_value value = *oci_py_at(p, id);
    OC_TRY(oci_py_persistent(p, &value, &made, err));
    return push(p, made, err);
}

static oc_status drop(oci_pickle *p, int unused, oc_error *err) {
    (void)unused;
    if (p->depth == 0) return oci_py_damaged(p, "a value is missing on its stack", err);
    p->depth--;
    return OC_OK;
}

static oc_status drop_marked(oci_pickle *p, int unused, oc_error *err) {
    (void)unused;
    size_t first = 0;
    OC_TRY(find_mark(p, &first, err));
    p->depth = first - 1;
    return OC_OK;
}

static oc_status skip(oci_pickle *p, int size, oc_error *err) {
    const uint8_t *bytes = NULL;
    return take(p, (size_t)size, &bytes, err);
}

/* ---- the machine ----------------------------------------------------------------------------
 */

static oc_status push_plain(oci_pickle *p, int kind, oc_error *err) {
    return push_new(p, &(oci_py_value){.kind = (oci_py_kind)kind}, err);
}

static oc_status push_truth(oci_pickle *p, int truth, oc_error *err) {
    return push_number(p, OCI_PY_BOOL, truth, err);
}

/* An opcode and what it has to do, with an argument of the handler's own. */
typedef struct opcode {
    oc_status (*run)(oci_pickle *p, int arg, oc_error *err);
    int arg; /* bytes behind the opcode, a kind, a count */
} opcode;

static const opcode OPCODES[256] = {
    [0x80] = {skip, 1}, /* PROTO */
    [0x95] = {skip, 8}, /* FRAME */
    ['('] = {push_mark, 0},
    ['0'] = {drop, 0},
    ['1'] = {drop_marked, 0},
    ['N'] = {push_plain, OCI_PY_NONE},
    [0x88] = {push_truth, 1},
    [0x89] = {push_truth, 0},
    ['K'] = {push_unsigned, 1},
    ['M'] = {push_unsigned, 2},
    ['J'] = {push_int32, 4},
    [0x8A] = {push_long, 1},
    [0x8B] = {push_long, 4},
    ['G'] = {push_float, 8},
    ['U'] = {push_text, 1}, /* text of Python 2 */
    ['T'] = {push_text, 4},
    ['C'] = {push_text, 1}, /* bytes */
    ['B'] = {push_text, 4},
    [0x8E] = {push_text, 8},
    [0x8C] = {push_text, 1}, /* UTF-8 */
    ['X'] = {push_text, 4},
    [0x8D] = {push_text, 8},
    [')'] = {push_plain, OCI_PY_TUPLE},
    ['t'] = {push_marked, OCI_PY_TUPLE},
    [0x85] = {push_tuple, 1},
    [0x86] = {push_tuple, 2},
    [0x87] = {push_tuple, 3},
    [']'] = {push_plain, OCI_PY_LIST},
    [0x8F] = {push_plain, OCI_PY_LIST}, /* a set */
    ['l'] = {push_marked, OCI_PY_LIST},
    ['a'] = {add_last, OCI_PY_LIST},
    ['e'] = {add_marked, OCI_PY_LIST},
    [0x90] = {add_marked, OCI_PY_LIST},
    ['}'] = {push_plain, OCI_PY_DICT},
    ['d'] = {push_marked, OCI_PY_DICT},
    ['s'] = {add_last, OCI_PY_DICT},
    ['u'] = {add_marked, OCI_PY_DICT},
    ['q'] = {remember_at, 1},
    ['r'] = {remember_at, 4},
    [0x94] = {remember_next, 0},
    ['h'] = {recall, 1},
    ['j'] = {recall, 4},
    ['c'] = {push_global, 0},
    [0x93] = {join_global, 0},
    ['R'] = {reduce, 0},
    [0x81] = {reduce, 0}, /* NEWOBJ calls a class likewise */
    ['b'] = {build, 0},
    ['Q'] = {persist, 0},
};

static oc_status step(oci_pickle *p, uint8_t op, oc_error *err) {
    if (OPCODES[op].run != NULL) return OPCODES[op].run(p, OPCODES[op].arg, err);
    return oc_fail(err, OC_EUNSUPPORTED,
                   "%s: byte %zu of its list of tensors: opcode 0x%02x is none that torch.save "
                   "uses: no file of weights alone, or damaged",
                   p->where, (size_t)(p->at - p->start) - 1, op);
}

static oc_status run(oci_pickle *p, oc_error *err) {
    OC_TRY(oc_pool_new(&p->names, err));
    OC_TRY(oci_py_new(p, &(oci_py_value){0}, &p->result, err)); /* number 0 */
    OC_TRY(oc_grow(&p->cells, &p->cell_room, 1, sizeof *p->cells, err));
    p->cells[p->cell_count++] = (oci_py_cell){0};
    while (p->at < p->end) {
        uint8_t op = *p->at++;
        if (op == '.') return pop(p, &p->result, err);
        OC_TRY(step(p, op, err));
    }
    return oci_py_damaged(p, "it breaks off", err);
}

oc_status oci_pickle_read(oci_pickle *p, const uint8_t *bytes, size_t size, const char *where,
                          oc_error *err) {
    *p = (oci_pickle){.where = where, .start = bytes, .at = bytes, .end = bytes + size};
    oc_status status = run(p, err);
    if (status != OC_OK) oci_pickle_clear(p);
    return status;
}

void oci_pickle_clear(oci_pickle *p) {
    oc_free(p->values);
    oc_free(p->cells);
    oc_free(p->storages);
    oc_free(p->tensors);
    oc_free(p->stack);
    oc_free(p->memo);
    oc_pool_free(p->names);
    *p = (oci_pickle){0};
}
