/* solver.prototxt: the numbers of a run, and which net it trains.
 *
 * What has no meaning here (devices, prefixes, how often to print) is passed over; what would
 * change the run is done, or refused by its place. The words and defaults are those of Caffe's
 * solvers. SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "interop/caffe/solver_int.h"

static const char *const policy_words[] = {
#define POLICY_WORD(name, word) word,
    OC_CAFFE_POLICY_MAP(POLICY_WORD)
#undef POLICY_WORD
};

/* Caffe's types: the registered name, and the word of the enum before it. */
static const struct type_row {
    const char *name, *word;
    oc_optimizer optimizer;
    bool nesterov;
} types[] = {
    {"SGD", "SGD", OC_SGD, false},
    {"Nesterov", "NESTEROV", OC_SGD, true},
    {"AdaGrad", "ADAGRAD", OC_ADAGRAD, false},
    {"RMSProp", "RMSPROP", OC_RMSPROP, false},
    {"AdaDelta", "ADADELTA", OC_ADADELTA, false},
    {"Adam", "ADAM", OC_ADAM, false},
};
enum { TYPES = sizeof types / sizeof *types };

/* ---- paths --------------------------------------------------------------------------------- */

static oc_status keep(const oci_solver *s, const char *text, const char **out, oc_error *err) {
    *out = oc_pool_strdup(s->out->pool, text);
    return *out != NULL ? OC_OK : oc_fail_nomem(err, strlen(text) + 1, "a path");
}

oc_status oci_solver_find(const oci_solver *s, const char *text, const char *what, const char **out,
                          oc_error *err) {
    char path[OC_PATH_BYTES], folder[OC_PATH_BYTES];
    int size = (int)(oc_path_base(s->path) - s->path);
    OC_TRY(oc_path_expand(path, text, err));
    if (oc_path_exists(path)) return keep(s, path, out, err);
    if (size > 0 && path[0] != '/') {
        (void)snprintf(folder, sizeof folder, "%.*s", size, s->path);
        OC_TRY(oc_path_join(path, folder, text, err));
        if (oc_path_exists(path)) return keep(s, path, out, err);
        return oc_fail(err, OC_ENOTFOUND, "%s: %s %s is neither there nor %s", s->path, what, text,
                       path);
    }
    return oc_fail(err, OC_ENOTFOUND, "%s: %s %s does not exist", s->path, what, text);
}

/* ---- numbers ------------------------------------------------------------------------------- */

static oc_status range_error(const oci_solver *s, const char *name, double value, double min,
                             double max, oc_error *err) {
    char place[OCI_PLACE_BYTES];
    return oc_fail(err, OC_EFORMAT, "%s: %s is %g, allowed %g to %g",
                   oci_proto_place(place, s->message), name, value, min, max);
}

static oc_status read_reals(const oci_solver *s, oc_error *err) {
    oc_caffe_solver *o = s->out;
    const struct {
        const char *name;
        double *value, min, max;
    } rows[] = {
        {"base_lr", &o->base_lr, 0, 1000},
        {"momentum", &o->momentum, 0, 0.9999},
        {"momentum2", &o->momentum2, 0, 0.9999},
        {"rms_decay", &o->rms_decay, 0, 0.9999},
        {"delta", &o->delta, 0, 1},
        {"weight_decay", &o->weight_decay, 0, 10},
        {"gamma", &o->gamma, -1000, 1000},
        {"power", &o->power, 0, 100},
        {"clip_gradients", &o->clip, -1e9, 1e9},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        double v = *rows[i].value = oci_proto_real(s->message, rows[i].name);
        if (!(v >= rows[i].min && v <= rows[i].max))
            return range_error(s, rows[i].name, v, rows[i].min, rows[i].max, err);
    }
    if (o->clip < 0) o->clip = 0;
    return OC_OK;
}

static oc_status read_wholes(const oci_solver *s, oc_error *err) {
    enum { MOST = 1000000000, MOST_BATCHES = 65536 };
    oc_caffe_solver *o = s->out;
    const struct {
        const char *name;
        int *value, min, max;
    } rows[] = {
        {"max_iter", &o->max_iter, 1, MOST},
        {"test_interval", &o->test_interval, 0, MOST},
        {"snapshot", &o->snapshot, 0, MOST},
        {"stepsize", &o->stepsize, 0, MOST},
        {"iter_size", &o->iter_size, 1, MOST_BATCHES},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t v = oci_proto_int(s->message, rows[i].name);
        if (v < rows[i].min || v > rows[i].max)
            return range_error(s, rows[i].name, (double)v, rows[i].min, rows[i].max, err);
        *rows[i].value = (int)v;
    }
    o->seed = oci_proto_int(s->message, "random_seed");
    return OC_OK;
}

static oc_status read_marks(const oci_solver *s, oc_error *err) {
    size_t count = oci_proto_count(s->message, "stepvalue"), i = 0;
    double *marks = oc_pool_alloc(s->out->pool, (count + 1) * sizeof *marks), before = 0;
    if (marks == NULL) return oc_fail_nomem(err, count * sizeof *marks, "stepvalues");
    const oci_proto_value *v = NULL;
    while (i < count && (v = oci_proto_next(s->message, "stepvalue", v)) != NULL) {
        marks[i] = (double)v->as.integer;
        if (marks[i] <= before)
            return oc_fail(err, OC_EFORMAT,
                           "%s:%d:%d: stepvalue %g behind %g: they must rise from above 0",
                           s->message->where, v->line, v->column, marks[i], before);
        before = marks[i++];
    }
    s->out->stepvalues = marks;
    s->out->stepvalue_count = count;
    return OC_OK;
}

/* ---- policy and type ----------------------------------------------------------------------- */

static oc_status unknown_word(const oci_solver *s, const char *name, const char *word,
                              const char *const *words, size_t count, oc_error *err) {
    char place[OCI_PLACE_BYTES];
    oc_buf list = {0};
    for (size_t i = 0; i < count; i++) oc_buf_printf(&list, "%s%s", i > 0 ? ", " : "", words[i]);
    oc_status status = oc_buf_status(&list, err);
    if (status == OC_OK)
        status = oc_fail(err, OC_EFORMAT, "%s: %s \"%.40s\": expected one of %s",
                         oci_proto_place(place, s->message), name, word, list.data);
    oc_buf_clear(&list);
    return status;
}

static oc_status need(const oci_solver *s, bool there, const char *name, oc_error *err) {
    char place[OCI_PLACE_BYTES];
    if (there) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: lr_policy \"%s\" needs %s above 0",
                   oci_proto_place(place, s->message), policy_words[s->out->policy], name);
}

/* Without these the rate would be 0, or divided by it. */
static oc_status check_policy(const oci_solver *s, oc_error *err) {
    const oc_caffe_solver *o = s->out;
    bool decays = o->policy == OC_CAFFE_STEP || o->policy == OC_CAFFE_EXP ||
                  o->policy == OC_CAFFE_MULTISTEP || o->policy == OC_CAFFE_INV;
    bool powered = o->policy == OC_CAFFE_INV || o->policy == OC_CAFFE_POLY;
    bool steps = o->policy == OC_CAFFE_STEP || o->policy == OC_CAFFE_SIGMOID;
    if (decays) OC_TRY(need(s, o->gamma > 0, "gamma", err));
    if (powered) OC_TRY(need(s, o->power > 0, "power", err));
    if (steps) OC_TRY(need(s, o->stepsize > 0, "stepsize", err));
    if (o->policy == OC_CAFFE_MULTISTEP) return need(s, o->stepvalue_count > 0, "stepvalue", err);
    if (decays && o->policy != OC_CAFFE_INV && o->gamma > 1)
        return range_error(s, "gamma", o->gamma, 0, 1, err);
    return OC_OK;
}

static oc_status read_policy(const oci_solver *s, oc_error *err) {
    const char *word = oci_proto_text(s->message, "lr_policy");
    for (int i = 0; i < OC_CAFFE_POLICY_COUNT; i++) {
        if (strcmp(word, policy_words[i]) != 0) continue;
        s->out->policy = (oc_caffe_policy)i;
        return check_policy(s, err);
    }
    return unknown_word(s, "lr_policy", word, policy_words, OC_CAFFE_POLICY_COUNT, err);
}

static oc_status read_type(const oci_solver *s, oc_error *err) {
    const char *names[TYPES];
    bool old = oci_proto_has(s->message, "solver_type") && !oci_proto_has(s->message, "type");
    const char *word =
        old ? oci_proto_word_of(s->message, "solver_type") : oci_proto_text(s->message, "type");
    for (size_t i = 0; i < TYPES; i++) {
        names[i] = types[i].name;
        if (!oc_equal_nocase(word, old ? types[i].word : types[i].name)) continue;
        s->out->optimizer = types[i].optimizer;
        s->out->nesterov = types[i].nesterov;
        return OC_OK;
    }
    return unknown_word(s, "type", word, names, TYPES, err);
}

static oc_status read_decay(const oci_solver *s, oc_error *err) {
    static const char *const words[] = {"L1", "L2"};
    const char *word = oci_proto_text(s->message, "regularization_type");
    s->out->l1 = strcmp(word, "L1") == 0;
    if (s->out->l1 || strcmp(word, "L2") == 0) return OC_OK;
    return unknown_word(s, "regularization_type", word, words, 2, err);
}

/* Layers included by a level or a stage would be left out, or taken, without a word. */
static oc_status check_state(const oci_solver *s, const char *name, oc_error *err) {
    char place[OCI_PLACE_BYTES];
    const oci_proto_value *state = oci_proto_next(s->message, name, NULL);
    for (; state != NULL; state = oci_proto_next(s->message, name, state)) {
        const oci_proto *m = state->as.message;
        if (!oci_proto_has(m, "level") && oci_proto_count(m, "stage") == 0) continue;
        return oc_fail(err, OC_EUNSUPPORTED,
                       "%s: %s has a level or a stage, which are not followed: write a net without "
                       "rules by level or stage",
                       oci_proto_place(place, m), name);
    }
    return OC_OK;
}

/* ---- the net ------------------------------------------------------------------------------- */

/* The first of: this message, the file that this text names. */
static oc_status read_net(const oci_solver *s, const char *message, const char *file,
                          const oci_proto **net, oc_error *err) {
    const char *path = NULL;
    if (oci_proto_has(s->message, message)) {
        const oci_proto_value *first = oci_proto_next(s->message, message, NULL);
        *net = first->as.message;
        return OC_OK;
    }
    const oci_proto_value *named = oci_proto_next(s->message, file, NULL);
    if (named == NULL) return OC_OK;
    OC_TRY(oci_solver_find(s, named->as.text, "net", &path, err));
    return oci_caffe_read_text(&oci_caffe_net, path, s->out->pool, net, err);
}

static oc_status read_nets(oci_solver *s, oc_error *err) {
    const oci_proto *both = NULL;
    char place[OCI_PLACE_BYTES];
    OC_TRY(check_state(s, "train_state", err));
    OC_TRY(check_state(s, "test_state", err));
    OC_TRY(read_net(s, "net_param", "net", &both, err));
    OC_TRY(read_net(s, "train_net_param", "train_net", &s->net, err));
    OC_TRY(read_net(s, "test_net_param", "test_net", &s->test, err));
    if (s->net == NULL) s->net = both;
    if (s->test == NULL) s->test = both;
    s->out->net = s->net;
    if (s->net != NULL) return OC_OK;
    return oc_fail(err, OC_EFORMAT, "%s: no net to train: expected net: \"train_val.prototxt\"",
                   oci_proto_place(place, s->message));
}

/* ---- the whole ----------------------------------------------------------------------------- */

void oc_caffe_solver_free(oc_caffe_solver *solver) {
    if (solver == NULL) return;
    oc_model_free(solver->model);
    oc_pool_free(solver->pool);
    oc_free(solver);
}

static oc_status read_weights(const oci_solver *s, oc_error *err) {
    const oci_proto_value *named = oci_proto_next(s->message, "weights", NULL);
    if (named == NULL) return OC_OK;
    return oci_solver_find(s, named->as.text, "weights", &s->out->weights, err);
}

static oc_status read_all(oci_solver *s, oc_error *err) {
    OC_TRY(oci_caffe_read_text(&oci_caffe_solver, s->path, s->out->pool, &s->message, err));
    OC_TRY(read_reals(s, err));
    OC_TRY(read_wholes(s, err));
    OC_TRY(read_marks(s, err));
    OC_TRY(read_policy(s, err));
    OC_TRY(read_type(s, err));
    OC_TRY(read_decay(s, err));
    OC_TRY(read_nets(s, err));
    OC_TRY(oci_solver_photos(s, err));
    return read_weights(s, err);
}

oc_status oc_caffe_solver_read(oc_caffe_solver **out, const char *path, const oc_log *log,
                               oc_error *err) {
    oci_solver s = {.path = path, .log = log};
    *out = NULL;
    s.out = oc_calloc(1, sizeof *s.out);
    if (s.out == NULL) return oc_fail_nomem(err, sizeof *s.out, "a solver");
    oc_status status = oc_pool_new(&s.out->pool, err);
    if (status == OC_OK) status = read_all(&s, err);
    if (status == OC_OK)
        *out = s.out;
    else
        oc_caffe_solver_free(s.out);
    return status;
}
