/* Which node of one network belongs to which of another: by name; and what names leave over, by
 * order and shape, as the longest run of nodes that both have in common.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/verify/verify_int.h"

enum { MOST_PAIRS = 16 << 20 }; /* that are compared by order */

static int without_ones(const oc_shape *s, int64_t dim[OC_MAX_RANK]) {
    int rank = 0;
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] != 1) dim[rank++] = s->dim[i];
    }
    return rank;
}

bool oci_same_shape(const oc_shape *a, const oc_shape *b) {
    int64_t x[OC_MAX_RANK], y[OC_MAX_RANK];
    int rank = without_ones(a, x);
    return rank == without_ones(b, y) && memcmp(x, y, (size_t)rank * sizeof *x) == 0;
}

static int find(const oci_side *side, const char *name) {
    for (size_t i = 0; i < side->count; i++) {
        if (strcmp(side->nodes[i].name, name) == 0) return (int)i;
    }
    return -1;
}

typedef struct matching {
    const oci_side *ours, *theirs;
    int *counterpart;
    oc_found *kind;
    int *a, *b; /* what names left over */
    size_t a_count, b_count;
    uint16_t *common; /* (a_count + 1, b_count + 1) length of the longest common run from here on */
} matching;

static void pair(matching *m, size_t i, int k, oc_found kind) {
    bool same = oci_same_shape(&m->ours->nodes[i].shape, &m->theirs->nodes[k].shape);
    m->counterpart[i] = k;
    m->kind[i] = same ? kind : OC_FOUND_SHAPE;
}

static void match_names(matching *m) {
    for (size_t i = 0; i < m->ours->count; i++) {
        int k = i == 0 ? 0 : find(m->theirs, m->ours->nodes[i].name);
        m->counterpart[i] = -1;
        m->kind[i] = OC_FOUND_NONE;
        if (k >= 0) pair(m, i, k, OC_FOUND_NAME);
    }
    size_t last = m->ours->output;
    if (m->counterpart[last] < 0) pair(m, last, (int)m->theirs->output, OC_FOUND_ORDER);
}

static bool is_used(const matching *m, int k) {
    for (size_t i = 0; i < m->ours->count; i++) {
        if (m->counterpart[i] == k) return true;
    }
    return k == (int)m->theirs->output;
}

static oc_status list_left(matching *m, oc_error *err) {
    m->a = oc_calloc(m->ours->count, sizeof *m->a);
    m->b = oc_calloc(m->theirs->count, sizeof *m->b);
    if (m->a == NULL || m->b == NULL)
        return oc_fail_nomem(err, m->ours->count * sizeof *m->a, "a list of layers");
    for (size_t i = 0; i < m->ours->count; i++) {
        if (m->counterpart[i] < 0) m->a[m->a_count++] = (int)i;
    }
    for (int k = 0; k < (int)m->theirs->count; k++) {
        if (!is_used(m, k)) m->b[m->b_count++] = k;
    }
    return OC_OK;
}

static bool alike(const matching *m, size_t i, size_t k) {
    const oci_values *a = &m->ours->nodes[m->a[i]], *b = &m->theirs->nodes[m->b[k]];
    bool same_op = a->op == OCI_ANY_OP || b->op == OCI_ANY_OP || a->op == b->op;
    return same_op && oci_same_shape(&a->shape, &b->shape);
}

static uint16_t *cell(const matching *m, size_t i, size_t k) {
    return &m->common[i * (m->b_count + 1) + k];
}

static uint16_t longer(uint16_t a, uint16_t b) {
    return a > b ? a : b;
}

static oc_status match_order(matching *m, oc_error *err) {
    size_t cells = (m->a_count + 1) * (m->b_count + 1);
    if (!m->theirs->ordered || cells > MOST_PAIRS) return OC_OK;
    m->common = oc_calloc(cells, sizeof *m->common);
    if (m->common == NULL) return oc_fail_nomem(err, cells * sizeof *m->common, "layers by order");
    for (size_t i = m->a_count; i-- > 0;)
        for (size_t k = m->b_count; k-- > 0;)
            *cell(m, i, k) = alike(m, i, k) ? (uint16_t)(*cell(m, i + 1, k + 1) + 1)
                                            : longer(*cell(m, i + 1, k), *cell(m, i, k + 1));
    for (size_t i = 0, k = 0; i < m->a_count && k < m->b_count;) {
        if (alike(m, i, k))
            pair(m, (size_t)m->a[i++], m->b[k++], OC_FOUND_ORDER);
        else if (*cell(m, i + 1, k) >= *cell(m, i, k + 1))
            i++;
        else
            k++;
    }
    return OC_OK;
}

oc_status oci_pair_up(const oci_side *ours, const oci_side *theirs, int *counterpart,
                      oc_found *kind, oc_error *err) {
    matching m = {.ours = ours, .theirs = theirs, .counterpart = counterpart, .kind = kind};
    oc_status status = OC_OK;
    match_names(&m);
    OC_GOTO(list_left(&m, err));
    status = match_order(&m, err);
done:
    oc_free(m.a);
    oc_free(m.b);
    oc_free(m.common);
    return status;
}
