/* Looks into every file of a data set: size, colour, and content that occurs twice.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data_check_int.h"

#include <stdlib.h>

static const size_t file_budget = (size_t)256 << 20;

typedef struct reader {
    char *bytes;
    size_t capacity;
} reader;

typedef struct look_job {
    const oc_dataset *ds;
    oci_look *looks;
    reader *readers; /* one a worker */
} look_job;

static void look(void *ctx, size_t i, int worker) {
    look_job *job = ctx;
    const oc_item *item = oc_dataset_item(job->ds, i);
    reader *r = &job->readers[worker];
    size_t size = 0;
    oc_image_info info;
    if (item->rejected) return;
    if (oc_file_read_into(item->path, file_budget, &r->bytes, &r->capacity, &size, NULL) != OC_OK)
        return;
    if (oc_image_probe(r->bytes, size, NULL, &info, NULL) != OC_OK) return;
    job->looks[i] = (oci_look){.hash = oc_hash64(r->bytes, size, 0),
                               .bytes = size,
                               .width = info.width,
                               .height = info.height,
                               .channels = info.channels,
                               .format = info.format,
                               .good = true};
}

static oc_status look_at_all(oci_survey *s, int threads, oc_error *err) {
    if (threads <= 0) threads = oc_cpu_count();
    reader *readers = oc_calloc((size_t)threads, sizeof *readers);
    if (!readers) return oc_fail_nomem(err, (size_t)threads * sizeof *readers, "readers");
    look_job job = {s->ds, s->looks, readers};
    oc_parallel_for(oc_dataset_count(s->ds), threads, look, &job);
    for (int k = 0; k < threads; k++) oc_free(readers[k].bytes);
    oc_free(readers);
    return OC_OK;
}

/* An item among those sorted by content. */
typedef struct content {
    uint64_t hash, bytes;
    uint32_t item;
} content;

static int by_content(const void *a, const void *b) {
    const content *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

static int by_item(const void *a, const void *b) {
    const oci_twin *x = a, *y = b;
    return x->other < y->other ? -1 : x->other > y->other;
}

static void add_twin(oci_survey *s, uint32_t first, uint32_t other) {
    const oc_item *a = oc_dataset_item(s->ds, first), *b = oc_dataset_item(s->ds, other);
    oci_twin twin = {first, other, a->label != b->label, a->part != b->part};
    s->twins[s->twin_count++] = twin;
    s->twin_classes += twin.classes;
    s->twin_parts += twin.parts;
}

static oc_status find_twins(oci_survey *s, oc_error *err) {
    size_t total = oc_dataset_count(s->ds), count = 0;
    content *all = oc_calloc(total, sizeof *all);
    if (!all) return oc_fail_nomem(err, total * sizeof *all, "the search for duplicates");
    for (size_t i = 0; i < total; i++)
        if (s->looks[i].good)
            all[count++] = (content){s->looks[i].hash, s->looks[i].bytes, (uint32_t)i};
    qsort(all, count, sizeof *all, by_content);
    for (size_t i = 1, first = 0; i < count; i++) {
        if (all[i].hash == all[first].hash && all[i].bytes == all[first].bytes)
            add_twin(s, all[first].item, all[i].item);
        else
            first = i;
    }
    qsort(s->twins, s->twin_count, sizeof *s->twins, by_item);
    oc_free(all);
    return OC_OK;
}

static int by_int(const void *a, const void *b) {
    int x = *(const int *)a, y = *(const int *)b;
    return x < y ? -1 : x > y;
}

static int by_size(const void *a, const void *b) {
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

static void count_item(oci_survey *s, size_t i, int *sides) {
    const oci_look *l = &s->looks[i];
    const oc_item *item = oc_dataset_item(s->ds, i);
    if (!l->good) return;
    int low = l->width < l->height ? l->width : l->height;
    int high = l->width < l->height ? l->height : l->width;
    sides[s->good++] = low;
    s->per_class[item->label]++;
    s->tiny += low < OCI_TINY_SIDE;
    s->odd += high > OCI_ODD_RATIO * low;
    s->grey += l->channels == 1;
    s->formats[l->format]++;
    s->parts[item->part]++;
    s->bytes += l->bytes;
}

static oc_status count_items(oci_survey *s, oc_error *err) {
    size_t total = oc_dataset_count(s->ds);
    int *sides = oc_calloc(total, sizeof *sides);
    if (!sides) return oc_fail_nomem(err, total * sizeof *sides, "sizes of photos");
    for (size_t i = 0; i < total; i++) count_item(s, i, sides);
    qsort(sides, s->good, sizeof *sides, by_int);
    if (s->good) {
        s->side_low = sides[0];
        s->side_median = sides[s->good / 2];
        s->side_high = sides[s->good - 1];
    }
    oc_free(sides);
    return OC_OK;
}

static oc_status count_classes(oci_survey *s, oc_error *err) {
    size_t classes = oc_dataset_classes(s->ds)->count;
    size_t *sorted = oc_calloc(classes, sizeof *sorted);
    if (!sorted) return oc_fail_nomem(err, classes * sizeof *sorted, "sizes of classes");
    for (size_t c = 0; c < classes; c++) {
        sorted[c] = s->per_class[c];
        if (s->per_class[c] < s->per_class[s->smallest_class]) s->smallest_class = c;
        if (s->per_class[c] > s->per_class[s->largest_class]) s->largest_class = c;
    }
    qsort(sorted, classes, sizeof *sorted, by_size);
    if (classes) {
        s->smallest = sorted[0];
        s->median = sorted[classes / 2];
        s->largest = sorted[classes - 1];
    }
    oc_free(sorted);
    return OC_OK;
}

oc_status oci_survey_run(oci_survey *out, const oc_dataset *ds, int threads, oc_error *err) {
    size_t total = oc_dataset_count(ds), classes = oc_dataset_classes(ds)->count;
    oc_status status = OC_OK;
    *out = (oci_survey){.ds = ds, .rejected = oc_dataset_reject_count(ds)};
    out->looks = oc_calloc(total, sizeof *out->looks);
    out->twins = oc_calloc(total, sizeof *out->twins);
    out->per_class = oc_calloc(classes, sizeof *out->per_class);
    if (!out->looks || !out->twins || !out->per_class)
        OC_GOTO(oc_fail_nomem(err, total * sizeof *out->looks, "the survey"));
    OC_GOTO(look_at_all(out, threads, err));
    OC_GOTO(find_twins(out, err));
    OC_GOTO(count_items(out, err));
    OC_GOTO(count_classes(out, err));
done:
    if (status != OC_OK) oci_survey_clear(out);
    return status;
}

void oci_survey_clear(oci_survey *survey) {
    oc_free(survey->looks);
    oc_free(survey->twins);
    oc_free(survey->per_class);
    *survey = (oci_survey){0};
}
