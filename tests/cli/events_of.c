/* Prints what a folder's event files say in the end: "kind tag step" a line, without the steps that
 * a later file made void. Fails where a record is damaged; one that is cut off ends its file. For
 * the command-line tests.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../interop/read_events.h"

typedef struct point {
    uint32_t kind;
    uint64_t step;
    char tag[256];
} point;

typedef struct points {
    point *items;
    size_t count, capacity;
} points;

static void forget_from(points *p, uint64_t step) {
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++) {
        if (p->items[i].step < step) p->items[kept++] = p->items[i];
    }
    p->count = kept;
}

static void keep(void *ctx, const seen_value *v) {
    points *p = ctx;
    if (v->kind == OCI_EVENT_SESSION_LOG) {
        forget_from(p, v->step);
        return;
    }
    if (p->count == p->capacity) {
        p->capacity = 2 * p->capacity + 64;
        p->items = realloc(p->items, p->capacity * sizeof *p->items);
        assert_non_null(p->items);
    }
    point *new = &p->items[p->count++];
    *new = (point){.kind = v->kind, .step = v->step};
    memcpy(new->tag, v->tag, sizeof new->tag);
}

int main(int argc, char **argv) {
    points p = {0};
    if (argc != 2) return 1;
    int files = read_event_folder(argv[1], keep, &p);
    for (size_t i = 0; i < p.count; i++)
        printf("%u %s %llu\n", p.items[i].kind, p.items[i].tag,
               (unsigned long long)p.items[i].step);
    free(p.items);
    return files == 0;
}
