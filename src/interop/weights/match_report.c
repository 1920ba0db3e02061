/* What became of each tensor: the parameters of a network beside the tensors of a file.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "interop/weights/pretrained_int.h"

const char *oc_match_name(oc_match match) {
#define OC_MATCH_WORD(name, word) word,
    static const char *const words[] = {OC_MATCH_MAP(OC_MATCH_WORD)};
#undef OC_MATCH_WORD
    return words[match];
}

/* The place of our tensor `name`, or the count. */
static size_t find_ours(const oc_pretrained *p, const char *name) {
    size_t i = 0, count = oc_tensors_count(p->ours);
    while (i < count && strcmp(oc_tensors_name(p->ours, i), name) != 0) i++;
    return i;
}

static void add(oc_match_report *r, oc_match_line line) {
    r->lines[r->count++] = line;
    r->of[line.match]++;
}

static void add_param(oc_match_report *r, const oc_param *param, const oc_pretrained *p) {
    oc_match_line line = {.match = OC_MATCH_MISSING, .name = param->name, .want = &param->shape};
    size_t i = find_ours(p, param->name);
    if (i < oc_tensors_count(p->ours)) {
        line.have = &oc_tensors_at(p->ours, i)->shape;
        line.source = p->theirs[i];
        line.match = oc_shape_equal(line.want, line.have) ? OC_MATCH_TAKEN : OC_MATCH_SHAPE;
    }
    add(r, line);
}

static void add_unused(oc_match_report *r, const oc_pretrained *p) {
    for (size_t i = 0; i < oc_tensors_count(p->all); i++) {
        if (p->of[i].used) continue;
        add(r, (oc_match_line){.match = OC_MATCH_UNUSED,
                               .source = p->of[i].source,
                               .have = &oc_tensors_at(p->all, i)->shape});
    }
    for (size_t i = 0; i < p->left_out_count; i++)
        add(r, (oc_match_line){.match = OC_MATCH_UNUSED, .source = p->left_out[i]});
}

oc_status oc_match_report_make(oc_match_report *out, const oc_graph *graph, const oc_pretrained *p,
                               oc_error *err) {
    size_t params = (size_t)oc_graph_param_count(graph);
    size_t most = params + oc_tensors_count(p->all) + p->left_out_count + 1;
    *out = (oc_match_report){.lines = oc_calloc(most, sizeof *out->lines)};
    if (out->lines == NULL) return oc_fail_nomem(err, most * sizeof *out->lines, "a report");
    for (size_t i = 0; i < params; i++) add_param(out, oc_graph_param(graph, (int)i), p);
    add_unused(out, p);
    return OC_OK;
}

void oc_match_report_clear(oc_match_report *report) {
    oc_free(report->lines);
    *report = (oc_match_report){0};
}
