/* Options of `ocellus train`. Their defaults are the train room's: nothing is decided here.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train_flags_int.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "triple_int.h"

static const char *const tune_words[] = {"all", "head", "staged", NULL};
#define WORD_OF_SCHEDULE(name, word) word,
static const char *const schedule_words[] = {OC_SCHEDULE_MAP(WORD_OF_SCHEDULE) NULL};
static const char *const fit_words[] = {"crop", "squash", NULL};
static const char *const filter_words[] = {"nearest", "bilinear", "bicubic", NULL};
#define WORD_OF_OPTIMIZER(name, word, slots) word,
static const char *const optimizer_words[] = {OC_OPTIMIZER_MAP(WORD_OF_OPTIMIZER) NULL};
#define WORD_OF_LEVEL(name, word) word,
static const char *const level_words[] = {OC_LEVEL_MAP(WORD_OF_LEVEL) NULL};

#define WORD_OF_KEEP(name, word) word,
static const char *const cache_words[] = {OC_KEEP_MAP(WORD_OF_KEEP) NULL};

#define WORD_OF_BOARD(name, word) word,
static const char *const board_words[] = {OC_BOARD_MAP(WORD_OF_BOARD) NULL};

#define AT(member)    offsetof(oci_train_flags, member)
#define TRAIN(member) offsetof(oci_train_flags, train.member)

const oci_option oci_train_table[] = {
    {"out", 'o', OCI_PATH, TRAIN(out), "MODEL", 0, 0, NULL, "the model folder to write"},
    {"arch", 0, OCI_TEXT, TRAIN(arch), "A", 0, 0, NULL,
     "network, `ocellus info` lists them (default: that of --from, else mobilenet_v2)"},
    {"from", 0, OCI_PATH, TRAIN(from), "WEIGHTS", 0, 0, NULL,
     "start from weights (.safetensors, .pth, .h5) or a model folder instead of from scratch"},
    {"cut", 0, OCI_TEXT, TRAIN(cut), "LAYER", 0, 0, NULL,
     "with --from: the layer that the new head is put on (default: the one before the last)"},
    {"strip-prefix", 0, OCI_TEXT, TRAIN(prefix), "P", 0, 0, NULL,
     "with --from FILE: taken off the names of its tensors; those without it are left out"},
    {"solver", 0, OCI_PATH, AT(solver), "SOLVER", 0, 0, NULL,
     "a Caffe solver.prototxt, which says all of a run, its net and its lists; no DATA then"},
    {"weights", 0, OCI_PATH, AT(weights), "X.caffemodel", 0, 0, NULL,
     "with --solver: weights to begin with, by the layers' names"},
    {"tune", 0, OCI_WORD, AT(tune), "WHAT", 0, 0, tune_words,
     "with --from, what is trained (default all)"},
    {"epochs", 0, OCI_INT, TRAIN(epochs), "N", 1, 100000, NULL,
     "passes over the photos (default 10 with --from, 40 for a head alone, 60 from scratch)"},
    {"batch", 'b', OCI_INT, TRAIN(batch), "B", 1, 65536, NULL, "photos a step (default 32)"},
    {"accumulate", 0, OCI_INT, TRAIN(accumulate), "N", 1, 65536, NULL,
     "batches whose mean gradient makes one update (default 1)"},
    {"recompute", 0, OCI_FLAG, TRAIN(recompute), NULL, 0, 0, NULL,
     "make activations again instead of keeping them: less memory, about a third slower"},
    {"size", 's', OCI_INT, TRAIN(size), "S", 1, 4096, NULL,
     "side of the network's input in pixels (default: the network's)"},
    {"lr", 0, OCI_REAL, TRAIN(lr), "X", 0, 1000, NULL,
     "learning rate; of the head when a body is tuned along at a tenth of it"},
    {"optimizer", 0, OCI_WORD, TRAIN(optimizer), "O", 0, 0, optimizer_words, "how to descend"},
    {"momentum", 0, OCI_REAL, TRAIN(momentum), "X", 0, 0.9999, NULL, "of sgd (default 0.9)"},
    {"nesterov", 0, OCI_FLAG, TRAIN(nesterov), NULL, 0, 0, NULL, "Nesterov's momentum"},
    {"l1", 0, OCI_REAL, TRAIN(l1), "X", 0, 10, NULL, "pull of weights towards zero, absolute"},
    {"l2", 0, OCI_REAL, TRAIN(l2), "X", 0, 10, NULL, "the same, squared"},
    {"weight-decay", 0, OCI_REAL, TRAIN(l2), "X", 0, 10, NULL, "another name for --l2"},
    {"schedule", 0, OCI_WORD, AT(schedule), "S", 0, 0, schedule_words,
     "how the learning rate falls (default cosine)"},
    {"step-epochs", 0, OCI_INT, TRAIN(step_epochs), "N", 1, 100000, NULL,
     "with --schedule step: every so many epochs ...; sigmoid: its middle"},
    {"step-factor", 0, OCI_REAL, TRAIN(step_factor), "X", 1e-6, 1, NULL,
     "... times this (default 0.1)"},
    {"step-at", 0, OCI_TEXT, AT(step_text), "E,E,..", 0, 0, NULL,
     "with --schedule multistep: at the ends of these epochs instead"},
    {"gamma", 0, OCI_REAL, TRAIN(step_factor), "X", -1000, 1000, NULL,
     "another name for --step-factor; exp: each epoch times this (default 0.95); inv, sigmoid: how "
     "steep"},
    {"power", 0, OCI_REAL, TRAIN(power), "P", 1e-6, 100, NULL, "of poly and inv (default 1)"},
    {"warmup", 0, OCI_REAL, TRAIN(warmup_epochs), "E", 0, 100000, NULL,
     "epochs over which the learning rate rises from 0"},
    {"clip-norm", 0, OCI_REAL, TRAIN(clip_norm), "X", 0, 1e9, NULL,
     "largest norm of all gradients together (0 = no limit)"},
    {"sample-classes", 0, OCI_REAL, TRAIN(sample_classes), "SHARE", 1e-6, 1, NULL,
     "for very many classes: a step sees those of its photos and as many others as make up this "
     "share (default 1, all)"},
    {"patience", 0, OCI_INT, TRAIN(patience), "N", 0, 100000, NULL,
     "stop after so many epochs without a better one (0 = never)"},
    {"augment", 'a', OCI_WORD, TRAIN(augment), "LEVEL", 0, 0, level_words,
     "how much the photos are varied"},
    {"mean", 0, OCI_TEXT, AT(mean_text), "M", 0, 0, NULL,
     "imagenet, measure, or R,G,B of pixels in 0..1"},
    {"std", 0, OCI_TEXT, AT(std_text), "D", 0, 0, NULL, "R,G,B; needed with --mean R,G,B"},
    {"fit", 0, OCI_WORD, AT(fit), "RULE", 0, 0, fit_words,
     "short side and centre crop, or the whole photo out of shape"},
    {"filter", 0, OCI_WORD, TRAIN(filter), "F", 0, 0, filter_words, "of resizing"},
    {"val", 0, OCI_PATH, TRAIN(val), "DATA", 0, 0, NULL, "photos to validate on"},
    {"split", 0, OCI_REAL, TRAIN(split), "F", 0.001, 0.9, NULL,
     "share of each class held out where no validation part is given (default 0.2)"},
    {"label-column", 0, OCI_TEXT, TRAIN(dataset.label_column), "C", 0, 0, NULL,
     "of a list: number behind the path; of a CSV: name"},
    {"group-column", 0, OCI_TEXT, TRAIN(dataset.group_column), "C", 0, 0, NULL,
     "of a CSV: rows that share it are never split"},
    {"names", 0, OCI_PATH, TRAIN(dataset.names), "FILE", 0, 0, NULL,
     "class names: a line each, or a classes.csv"},
    {"seed", 0, OCI_U64, TRAIN(seed), "K", 0, 9e15, NULL, "of split, order, weights, variation"},
    {"threads", 't', OCI_INT, TRAIN(threads), "T", 1, 4096, NULL, "of the maths (default all)"},
    {"workers", 0, OCI_INT, TRAIN(workers), "W", 1, 256, NULL, "threads that read photos"},
    {"cache", 0, OCI_WORD, AT(cache), "WHERE", 0, 0, cache_words,
     "decode each photo once and keep it for later epochs (default off)"},
    {"cache-limit", 0, OCI_REAL, AT(cache_gigabytes), "GB", 0.001, 1e6, NULL,
     "most that kept photos may take (default half of the free memory, 90 % of the free disk)"},
    {"engine", 0, OCI_TEXT, TRAIN(engine), "E", 0, 0, NULL, "onednn or ref (default: the best)"},
    {"resume", 0, OCI_FLAG, TRAIN(resume), NULL, 0, 0, NULL,
     "go on where MODEL stopped; starts afresh where there is nothing"},
    {"stop-after", 0, OCI_REAL, TRAIN(stop_after_minutes), "MIN", 0.001, 1e6, NULL,
     "save and stop after so many minutes; --resume goes on"},
    {"checkpoint-every", 0, OCI_REAL, TRAIN(checkpoint_minutes), "MIN", 0.001, 1e6, NULL,
     "minutes between checkpoints within an epoch (default 5)"},
    {"allow-rejects", 0, OCI_FLAG, TRAIN(allow_rejects), NULL, 0, 0, NULL,
     "go on with more than 20 % of the files rejected"},
    {"tensorboard", 0, OCI_WORD, AT(board), "WHAT", 0, 0, board_words,
     "what goes to the event files in MODEL (default all)"},
    {"no-examples", 0, OCI_FLAG, TRAIN(no_examples), NULL, 0, 0, NULL,
     "no small copy of a photo of each class in MODEL/examples"},
    {"histograms", 0, OCI_INT, TRAIN(histograms), "N", 1, 1000000000, NULL,
     "of weights and gradients for TensorBoard, every N steps (default none)"},
    {"json", 0, OCI_FLAG, AT(json), NULL, 0, 0, NULL, "the result as one JSON object"},
    {0}};

void oci_train_flags_init(oci_train_flags *flags) {
    memset(flags, 0, sizeof *flags);
    oc_train_options_init(&flags->train);
    flags->fit = -1;
}

static oc_status finish_mean(oci_train_flags *f, oc_error *err) {
    bool words = f->mean_text &&
                 (strcmp(f->mean_text, "imagenet") == 0 || strcmp(f->mean_text, "measure") == 0);
    if (words && f->std_text)
        return oc_fail(err, OC_EUSAGE, "--std goes with --mean R,G,B, not with --mean %s",
                       f->mean_text);
    if (words) {
        f->train.measure_mean = strcmp(f->mean_text, "measure") == 0;
        return OC_OK;
    }
    if (!f->mean_text && !f->std_text) return OC_OK;
    if (!f->mean_text || !f->std_text)
        return oc_fail(err, OC_EUSAGE, "--mean R,G,B and --std R,G,B go together: give both");
    OC_TRY(oci_parse_triple("mean", f->mean_text, 0, 1, f->mean, err));
    OC_TRY(oci_parse_triple("std", f->std_text, 1e-6, 10, f->std, err));
    f->train.mean = f->mean;
    f->train.std = f->std;
    return OC_OK;
}

/* "30,60,80" */
static oc_status parse_marks(oci_train_flags *f, oc_error *err) {
    const char *at = f->step_text;
    for (f->train.step_count = 0; f->train.step_count < OCI_MAX_MARKS;) {
        char word[32];
        size_t size = strcspn(at, ",");
        (void)snprintf(word, sizeof word, "%.*s", (int)(size < 31 ? size : 31), at);
        if (!oc_parse_f64(word, 0, 1e9, &f->marks[f->train.step_count])) break;
        f->train.step_count++;
        at += size;
        if (*at == '\0') {
            f->train.step_at = f->marks;
            return OC_OK;
        }
        at++;
    }
    return oc_fail(err, OC_EUSAGE, "--step-at %s: expected at most %d epochs, such as 30,60,80",
                   f->step_text, OCI_MAX_MARKS);
}

static oc_status finish_schedule(oci_train_flags *f, oc_error *err) {
    oc_train_options *o = &f->train;
    oc_schedule_kind kind = (oc_schedule_kind)f->schedule;
    bool steps = kind == OC_SCHEDULE_STEP || kind == OC_SCHEDULE_SIGMOID;
    bool powered = kind == OC_SCHEDULE_POLY || kind == OC_SCHEDULE_INV;
    if (o->step_epochs && !steps)
        return oc_fail(err, OC_EUSAGE, "--step-epochs needs --schedule step, or sigmoid");
    if (f->step_text && kind != OC_SCHEDULE_MULTISTEP)
        return oc_fail(err, OC_EUSAGE, "--step-at needs --schedule multistep");
    if (o->power > 0 && !powered)
        return oc_fail(err, OC_EUSAGE, "--power needs --schedule poly, or inv");
    return f->step_text ? parse_marks(f, err) : OC_OK;
}

oc_status oci_train_flags_finish(oci_train_flags *flags, oc_error *err) {
    oc_train_options *o = &flags->train;
    if (!o->out) return oc_fail(err, OC_EUSAGE, "train: where should the model go? give -o MODEL");
    o->tune = (oc_tune)flags->tune;
    if (o->tune != OC_TUNE_ALL && !o->from)
        return oc_fail(err, OC_EUSAGE, "--tune %s needs weights to start from: add --from WEIGHTS",
                       tune_words[flags->tune]);
    if (o->cut && !o->from)
        return oc_fail(err, OC_EUSAGE, "--cut %s needs a network to cut: add --from WEIGHTS",
                       o->cut);
    if (flags->solver == NULL) OC_TRY(finish_schedule(flags, err));
    o->schedule = (oc_schedule_kind)flags->schedule;
    if (flags->fit >= 0) o->squash = flags->fit;
    if (flags->cache_gigabytes > 0 && flags->cache == OC_KEEP_OFF)
        return oc_fail(err, OC_EUSAGE, "--cache-limit needs --cache ram or --cache disk");
    if (flags->board == OC_BOARD_OFF && o->histograms > 0)
        return oc_fail(err, OC_EUSAGE,
                       "--histograms go to TensorBoard: leave --tensorboard off out");
    o->board = (oc_board)flags->board;
    o->cache = (oc_keep)flags->cache;
    o->cache_limit = (uint64_t)(flags->cache_gigabytes * 1e9);
    return finish_mean(flags, err);
}
