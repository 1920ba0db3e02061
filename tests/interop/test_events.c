/* TensorBoard's event files: framing, what a killed writer leaves, histograms, pictures.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "read_events.h"

#include <float.h>
#include <math.h>

typedef struct fixture {
    char folder[OC_PATH_BYTES];
    oc_events *events;
} fixture;

static fixture begin(uint64_t from) {
    fixture f;
    oc_error err = {0};
    make_scratch(f.folder);
    check_ok(oc_events_open(&f.events, f.folder, from, &err), err);
    return f;
}

static void finish(fixture *f) {
    oc_events_close(f->events);
    drop_scratch(f->folder);
}

/* RFC 3720, appendix B.4, and the check value of the polynomial's catalogues. */
static void the_sum_is_that_of_the_rfc(void **state) {
    (void)state;
    uint8_t bytes[32] = {0};
    assert_int_equal(oci_crc32c(bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    assert_int_equal(oci_crc32c(bytes, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++) bytes[i] = (uint8_t)i;
    assert_int_equal(oci_crc32c(bytes, 32), 0x46dd794e);
    assert_int_equal(oci_crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(oci_crc32c(NULL, 0), 0);
}

typedef struct sums {
    int values;
    double of_values;
    uint64_t steps;
    bool start;
} sums;

static void add_up(void *ctx, const seen_value *v) {
    sums *s = ctx;
    s->start |= v->kind == OCI_EVENT_SESSION_LOG;
    s->values += v->kind == OCI_VALUE_SIMPLE;
    s->of_values += v->scalar;
    s->steps += v->step;
}

static void scalars_come_back_with_their_steps(void **state) {
    (void)state;
    fixture f = begin(0);
    oc_error err = {0};
    const oc_scalar pair[] = {{"loss/train", 2.5}, {"accuracy/train", 0.25}};
    sums s = {0};
    check_ok(oc_events_scalars(f.events, 7, pair, 2, &err), err);
    check_ok(oc_events_scalars(f.events, 1ULL << 40, pair, 1, &err), err);
    assert_int_equal(read_event_folder(f.folder, add_up, &s), 1);
    assert_int_equal(s.values, 3);
    assert_true(s.of_values == 5.25);
    assert_true(s.steps == 14 + (1ULL << 40));
    assert_false(s.start);
    finish(&f);
}

static void a_file_cut_anywhere_is_readable_to_its_last_whole_record(void **state) {
    (void)state;
    fixture f = begin(0);
    oc_error err = {0};
    const oc_scalar one = {"loss", 1};
    char *bytes;
    size_t size;
    for (uint64_t step = 1; step <= 3; step++)
        check_ok(oc_events_scalars(f.events, step, &one, 1, &err), err);
    check_ok(oc_file_read(f.events->path, 1 << 20, &bytes, &size, &err), err);
    int before = 0;
    for (size_t cut = 0; cut <= size; cut++) {
        int whole = read_events(bytes, cut, NULL, NULL);
        assert_true(whole == before || whole == before + 1);
        before = whole;
    }
    assert_int_equal(before, 4); /* the version, three steps */
    oc_free(bytes);
    finish(&f);
}

static void a_run_that_goes_on_says_from_where_in_a_file_that_sorts_behind(void **state) {
    (void)state;
    fixture f = begin(0);
    oc_error err = {0};
    oc_events *next, *after;
    sums s = {0};
    check_ok(oc_events_open(&next, f.folder, 12, &err), err);
    check_ok(oc_events_open(&after, f.folder, 40, &err), err);
    assert_true(strcmp(f.events->path, next->path) < 0);
    assert_true(strcmp(next->path, after->path) < 0);
    assert_int_equal(read_event_folder(f.folder, add_up, &s), 3);
    assert_true(s.start);
    assert_int_equal(s.steps, 12 + 40);
    oc_events_close(next);
    oc_events_close(after);
    check_ok(oc_events_remove(f.folder, &err), err);
    assert_int_equal(read_event_folder(f.folder, NULL, NULL), 0);
    finish(&f);
}

static void a_folder_that_cannot_be_written_is_named(void **state) {
    (void)state;
    oc_events *e;
    oc_error err = {0};
    check_fails(oc_events_open(&e, "/no/such/folder", 0, &err), err, OC_ENOTFOUND, "/no/such");
    assert_null(e);
}

static void scalars_take_no_memory_after_the_first(void **state) {
    (void)state;
    fixture f = begin(0);
    oc_error err = {0};
    const oc_scalar pair[] = {{"loss/train", 2.5}, {"accuracy/train", 0.25}};
    check_ok(oc_events_scalars(f.events, 1, pair, 2, &err), err);
    uint64_t before = oc_mem_allocations();
    for (uint64_t step = 2; step < 50; step++)
        check_ok(oc_events_scalars(f.events, step * 1000, pair, 2, &err), err);
    assert_int_equal(oc_mem_allocations(), before);
    finish(&f);
}

/* ---- histograms ---- */

typedef struct histogram {
    double min, max, number, sum, squares;
    double limit[2000], count[2000];
    size_t limits, counts;
} histogram;

static double double_at(const uint8_t *bytes) {
    uint64_t bits = little(bytes, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void read_histogram(void *ctx, const seen_value *v) {
    histogram *h = ctx;
    double *one[] = {NULL, &h->min, &h->max, &h->number, &h->sum, &h->squares};
    assert_int_equal(v->kind, OCI_VALUE_HISTOGRAM);
    oci_wire w = oci_wire_open(v->field.bytes, v->field.size, "histogram");
    for (oci_wire_field f; next_field(&w, &f);) {
        if (f.number < 6) {
            uint64_t bits = f.value;
            memcpy(one[f.number], &bits, sizeof bits);
            continue;
        }
        size_t *count = f.number == 6 ? &h->limits : &h->counts;
        *count = f.size / 8;
        assert_true(*count <= 2000);
        for (size_t i = 0; i < *count; i++)
            (f.number == 6 ? h->limit : h->count)[i] = double_at(f.bytes + 8 * i);
    }
}

static histogram histogram_of(const float *values, size_t count) {
    fixture f = begin(0);
    oc_error err = {0};
    histogram h = {0};
    check_ok(oc_events_histogram(f.events, 3, "weights/a", values, count, &err), err);
    (void)read_event_folder(f.folder, read_histogram, &h);
    finish(&f);
    assert_int_equal(h.limits, h.counts);
    for (size_t i = 1; i < h.limits; i++) assert_true(h.limit[i - 1] < h.limit[i]);
    return h;
}

/* How many of the values a bucket of the histogram has to hold. */
static double in_bucket(const histogram *h, size_t i, const float *values, size_t count) {
    double low = i > 0 ? h->limit[i - 1] : -INFINITY, n = 0;
    for (size_t k = 0; k < count; k++)
        n += (double)values[k] >= low && (double)values[k] < h->limit[i];
    return n;
}

static void every_value_of_a_histogram_is_below_its_limit(void **state) {
    (void)state;
    float values[3000];
    oc_rng rng;
    oc_rng_init(&rng, 5, OC_RNG_TEST, 0, 0);
    for (int i = 0; i < 3000; i++) values[i] = 0.05F * oc_rng_normal(&rng);
    values[0] = 0, values[1] = -0.0F, values[2] = 1e-12F, values[3] = -1e-12F, values[4] = 1e-30F;
    values[5] = FLT_MAX, values[6] = -FLT_MAX, values[7] = -1e-30F, values[8] = 1e20F;
    histogram h = histogram_of(values, 3000);
    double sum = 0;
    for (size_t i = 0; i < h.limits; i++) {
        assert_true(h.count[i] == in_bucket(&h, i, values, 3000));
        sum += h.count[i];
    }
    assert_true(sum == 3000 && h.number == 3000);
    assert_true(h.min == -(double)FLT_MAX && h.max == (double)FLT_MAX);
}

static void limits_grow_by_a_tenth(void **state) {
    (void)state;
    const float values[] = {0.5F};
    histogram h = histogram_of(values, 1);
    assert_int_equal(h.limits, 3); /* nothing below, the value, nothing above */
    assert_true(h.limit[0] <= 0.5 && h.limit[1] > 0.5);
    assert_true(fabs(h.limit[1] / h.limit[0] - 1.1) < 1e-9);
    assert_true(h.limit[2] == DBL_MAX);
    assert_true(h.sum == 0.5 && h.squares == 0.25);
}

static void what_is_not_finite_is_left_out_of_a_histogram(void **state) {
    (void)state;
    const float values[] = {NAN, INFINITY, -INFINITY, 2};
    histogram h = histogram_of(values, 4);
    assert_true(h.number == 1 && h.min == 2 && h.max == 2);
    h = histogram_of(values, 3);
    assert_true(h.number == 0 && h.min == 0 && h.max == 0 && h.limits == 1);
}

/* ---- pictures ---- */

static oc_classes some_classes(size_t count, const char *name) {
    oc_classes classes = {oc_calloc(count, sizeof *classes.items), count};
    char label[512];
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(label, sizeof label, "%.400s %zu", name, i);
        classes.items[i].label = oc_strdup(label);
    }
    return classes;
}

static void draw(oc_image *img, size_t count, const char *name) {
    oc_error err = {0};
    oc_classes classes = some_classes(count, name);
    uint32_t *counts = oc_calloc(count * count, sizeof *counts);
    for (size_t i = 0; i < count; i++) counts[i * count + i] = 4000000000U;
    counts[count - 1] = 1; /* the first is once taken for the last */
    check_ok(oc_confusion_draw(img, counts, &classes, &err), err);
    oc_classes_clear(&classes);
    oc_free(counts);
}

static void a_confusion_matrix_of_any_size_is_a_picture_of_a_page(void **state) {
    (void)state;
    const size_t sizes[] = {1, 2, 17, 50, 51, 600};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        oc_image img = {0};
        draw(&img, sizes[i], "Taraxacum officinale, dent-de-lion, L\xC3\xB6wenzahn");
        assert_true(img.width > 100 && img.width < 1700 && img.height < 1700);
        oc_image_clear(&img);
    }
}

/* Red is the mistake of row 0; it is drawn although 590 classes have none. */
static void the_most_confused_classes_are_those_that_are_drawn(void **state) {
    (void)state;
    oc_image img = {0};
    size_t reds = 0;
    draw(&img, 600, "c");
    for (size_t i = 0; i < (size_t)img.width * (size_t)img.height; i++) {
        const uint8_t *p = img.pixels + 3 * i;
        reds += p[0] > 230 && p[1] < p[0] - 10 && p[2] < p[0] - 10;
    }
    assert_true(reds > 100);
    oc_image_clear(&img);
}

static oc_status write_everything(const char *folder, oc_error *err) {
    static const char *const metrics[] = {"accuracy"};
    const float values[] = {1, 2, 3};
    const oc_scalar one = {"loss", 1};
    oc_events *e = NULL;
    oc_image img = {0};
    oc_status status = OC_OK;
    json_t *settings = json_pack("{s:f, s:s, s:b, s:n}", "lr", 0.1, "arch", "thesis", "x", 1, "y");
    OC_GOTO(oc_events_open(&e, folder, 5, err));
    OC_GOTO(oc_events_hparams(e, settings, metrics, 1, err));
    OC_GOTO(oc_events_scalars(e, 5, &one, 1, err));
    OC_GOTO(oc_events_histogram(e, 5, "weights/a", values, 3, err));
    OC_GOTO(oc_image_reserve(&img, 8, 8, 3, err));
    memset(img.pixels, 0, 8 * 8 * 3);
    OC_GOTO(oc_events_image(e, 5, "picture", &img, 0, err));
    OC_GOTO(oc_events_image(e, 5, "photo", &img, 80, err));
    status = oc_events_success(e, err);
done:
    json_decref(settings);
    oc_image_clear(&img);
    oc_events_close(e);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    char folder[OC_PATH_BYTES];
    oc_status status = OC_ENOMEM;
    make_scratch(folder);
    for (uint64_t n = 1; status != OC_OK; n++) {
        oc_error err = {0};
        oc_mem_fail_at(n);
        status = write_everything(folder, &err);
        oc_mem_fail_at(0);
        if (status != OC_OK) assert_int_equal(status, OC_ENOMEM);
        check_ok(oc_events_remove(folder, &err), err);
        assert_true(n < 1000);
    }
    drop_scratch(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_is_that_of_the_rfc),
        cmocka_unit_test(scalars_come_back_with_their_steps),
        cmocka_unit_test(a_file_cut_anywhere_is_readable_to_its_last_whole_record),
        cmocka_unit_test(a_run_that_goes_on_says_from_where_in_a_file_that_sorts_behind),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_named),
        cmocka_unit_test(scalars_take_no_memory_after_the_first),
        cmocka_unit_test(every_value_of_a_histogram_is_below_its_limit),
        cmocka_unit_test(limits_grow_by_a_tenth),
        cmocka_unit_test(what_is_not_finite_is_left_out_of_a_histogram),
        cmocka_unit_test(a_confusion_matrix_of_any_size_is_a_picture_of_a_page),
        cmocka_unit_test(the_most_confused_classes_are_those_that_are_drawn),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
