/* A tiny set of coloured photos and a tiny network to train on them, for the tests of `train`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_TRAIN_FIXTURE_H
#define OC_TESTS_TRAIN_FIXTURE_H

#include <math.h>

#include "check.h"
#include "train/train_int.h"

enum { SIDE = 16, PER_CLASS = 12, SPLIT_VAL = 3, MAX_LABELS = 3 };

typedef struct fixture {
    char root[OC_PATH_BYTES], data[OC_PATH_BYTES], seed[OC_PATH_BYTES], out[OC_PATH_BYTES];
    oc_train_options options;
    oc_train_observer observer;
    volatile sig_atomic_t stop;
    int stop_at;        /* steps of this run until the flag goes up; 0 = never */
    int steps, epochs;  /* seen by the observer */
    double rate_at[64]; /* learning rate of the first steps seen */
    char words[4096];   /* of the log */
    oc_log log;
} fixture;

static inline void path_in(char path[OC_PATH_BYTES], const char *folder, const char *name) {
    oc_error err = {0};
    check_ok(oc_path_join(path, folder, name, &err), err);
}

/* One photo of a class: its colour with noise drawn from (label, number). */
static inline void write_photo(const char *folder, int label, int number) {
    static const uint8_t colours[MAX_LABELS][3] = {{200, 60, 60}, {60, 190, 70}, {70, 60, 200}};
    char name[32], path[OC_PATH_BYTES];
    oc_error err = {0};
    oc_image img = {0};
    oc_buf jpeg = {0};
    oc_rng rng;
    check_ok(oc_image_reserve(&img, SIDE + 4, SIDE + 2, 3, &err), err);
    oc_rng_init(&rng, 7, OC_RNG_TEST, (uint32_t)label, (uint64_t)number);
    for (size_t i = 0; i < (size_t)(SIDE + 4) * (SIDE + 2) * 3; i++) {
        img.pixels[i] = (uint8_t)(colours[label][i % 3] - 30 + (int)oc_rng_below(&rng, 60));
    }
    check_ok(oc_encode_jpeg(&img, 90, &jpeg, &err), err);
    (void)snprintf(name, sizeof name, "%02d.jpg", number);
    path_in(path, folder, name);
    check_ok(oc_file_write(path, jpeg.data, jpeg.size, &err), err);
    oc_buf_clear(&jpeg);
    oc_image_clear(&img);
}

static inline void write_photos(const char *root, int labels, int per_class) {
    static const char *const names[MAX_LABELS] = {"red", "green", "blue"};
    char folder[OC_PATH_BYTES];
    oc_error err = {0};
    for (int label = 0; label < labels; label++) {
        path_in(folder, root, names[label]);
        check_ok(oc_path_make_dirs(folder, &err), err);
        for (int i = 0; i < per_class; i++) write_photo(folder, label, i);
    }
}

/* conv, batch norm, ReLU, conv, ReLU, pool, dropout, dense: everything that has a state. */
static inline oc_graph *tiny_graph(int classes) {
    oc_error err = {0};
    oc_build b = {0};
    check_ok(oc_graph_new(&b.graph, &err), err);
    int x = oc_build_input(&b, 3, SIDE, SIDE);
    x = oc_build_conv(&b, x, "body.conv1", 8, 3, 2, 1, 1, false, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_batch_norm(&b, x, "body.norm1");
    x = oc_build_act(&b, x, "body.relu1", OC_OP_RELU);
    x = oc_build_conv(&b, x, "body.conv2", 16, 3, 2, 1, 1, true, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_act(&b, x, "body.relu2", OC_OP_RELU);
    x = oc_build_global_pool(&b, x, "pool");
    x = oc_build_dropout(&b, x, "dropout", 0.2F);
    (void)oc_build_dense(&b, x, "head", classes, OC_INIT_NORMAL_001);
    check_ok(b.status, b.error);
    return b.graph;
}

/* Without batch norm and dropout, which tell one large batch from two small ones. */
static inline oc_graph *plain_graph(int classes) {
    oc_error err = {0};
    oc_build b = {0};
    check_ok(oc_graph_new(&b.graph, &err), err);
    int x = oc_build_input(&b, 3, SIDE, SIDE);
    x = oc_build_conv(&b, x, "body.conv1", 8, 3, 2, 1, 1, true, OC_INIT_KAIMING_FAN_OUT);
    x = oc_build_act(&b, x, "body.relu1", OC_OP_RELU);
    x = oc_build_global_pool(&b, x, "pool");
    (void)oc_build_dense(&b, x, "head", classes, OC_INIT_NORMAL_001);
    check_ok(b.status, b.error);
    return b.graph;
}

/* A model folder of a network (taken over), its two classes named otherwise than the photos'. */
static inline void write_seed_model(const char *folder, oc_graph *graph) {
    oc_error err = {0};
    oc_model *model;
    check_ok(oc_model_new(&model, &err), err);
    model->graph = graph;
    model->recipe = oc_recipe_default(SIDE, SIDE);
    model->temperature = 1;
    model->classes.items = oc_calloc(2, sizeof *model->classes.items);
    model->classes.count = 2;
    model->classes.items[0].label = oc_strdup("cat");
    model->classes.items[1].label = oc_strdup("dog");
    if (model->weights == NULL) check_ok(oc_tensors_new(&model->weights, &err), err);
    check_ok(oc_graph_init(model->graph, 3, model->weights, &err), err);
    check_ok(oc_model_save(model, folder, &err), err);
    oc_model_free(model);
}

static inline void note_words(void *ctx, oc_log_level level, const char *line) {
    fixture *f = ctx;
    (void)level;
    size_t used = strlen(f->words);
    (void)snprintf(f->words + used, sizeof f->words - used, "%s\n", line);
}

static inline void note_step(void *ctx, const oc_train_progress *p) {
    fixture *f = ctx;
    if (strcmp(p->phase, "train") != 0 && strcmp(p->phase, "head") != 0) return;
    if (f->steps < 64) f->rate_at[f->steps] = p->lr;
    if (++f->steps == f->stop_at) f->stop = 1;
}

static inline void note_epoch(void *ctx, const oc_epoch_summary *s) {
    fixture *f = ctx;
    (void)s;
    f->epochs++;
}

/* Three classes, the tiny network, the reference engine, one thread: about a tenth of a second. */
static inline void fixture_init(fixture *f) {
    *f = (fixture){.stop_at = 0};
    make_scratch(f->root);
    path_in(f->data, f->root, "data");
    path_in(f->seed, f->root, "seed");
    path_in(f->out, f->root, "model");
    write_photos(f->data, MAX_LABELS, PER_CLASS);
    write_seed_model(f->seed, tiny_graph(2));
    f->log = (oc_log){note_words, f};
    f->observer = (oc_train_observer){note_step, note_epoch, &f->log, &f->stop, f};
    oc_train_options_init(&f->options);
    f->options.data = f->data;
    f->options.from = f->seed;
    f->options.out = f->out;
    f->options.epochs = 6;
    f->options.batch = 5;
    f->options.lr = 0.1;
    f->options.seed = 11;
    f->options.threads = 1;
    f->options.workers = 2;
    f->options.engine = "ref";
}

static inline void fixture_clear(fixture *f) {
    drop_scratch(f->root);
}

/* Forget what the observer saw. */
static inline void rewind_observer(fixture *f, int stop_at) {
    f->stop = 0;
    f->stop_at = stop_at;
    f->steps = f->epochs = 0;
    f->words[0] = '\0';
}

static inline oc_train_result train_ok(fixture *f) {
    oc_error err = {0};
    oc_train_result result;
    check_ok(oc_train(&f->options, &f->observer, &result, &err), err);
    return result;
}

/* Bytes of folder/name; the caller frees them. */
static inline char *slurp(const char *folder, const char *name, size_t *size) {
    char path[OC_PATH_BYTES], *bytes;
    oc_error err = {0};
    path_in(path, folder, name);
    check_ok(oc_file_read(path, 1 << 24, &bytes, size, &err), err);
    return bytes;
}

static inline void assert_same_file(const char *a, const char *b, const char *name) {
    size_t a_size, b_size;
    char *a_bytes = slurp(a, name, &a_size), *b_bytes = slurp(b, name, &b_size);
    assert_int_equal(a_size, b_size);
    assert_memory_equal(a_bytes, b_bytes, a_size);
    oc_free(a_bytes);
    oc_free(b_bytes);
}

#endif
