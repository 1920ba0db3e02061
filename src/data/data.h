/* The face of `data`: labelled photos on disk in, batches of pixels out.
 *
 *   source (folder, list, CSV) -> dataset (items, classes, groups) -> scan -> split
 *     -> loader: seeded order -> workers (read, decode, crop, resize, augment) -> ring of batches
 *
 * The recipe is the one truth about how a file becomes the network's input; training, evaluation,
 * prediction and serving all go through oc_render. Randomness is keyed by (seed, epoch,
 * item): neither the number of workers nor the position at which a run resumes changes a pixel.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_DATA_H
#define OC_DATA_H

#include "image/image.h"
#include "tensor/tensor.h"

/* ---- recipe ---------------------------------------------------------------------------------- */

typedef enum oc_fit {
    OC_FIT_CROP,  /* short side to resize_side, centre crop of width x height */
    OC_FIT_SQUASH /* aspect ratio given up: width x height at once, or resize_width x resize_height
                     and the centre of that */
} oc_fit;

typedef struct oc_recipe {
    int width, height, channels; /* of the network's input; channels 1 or 3 */
    oc_fit fit;
    int resize_side;                 /* OC_FIT_CROP; >= the larger of width, height */
    int resize_width, resize_height; /* OC_FIT_SQUASH; >= width, height; both 0 = those */
    oc_filter filter;
    bool bgr;
    float unit;            /* pixels are divided by this before mean and std: 255 or 1 */
    float mean[3], std[3]; /* in file channel order RGB, after the division */
    oc_alpha alpha;
    uint8_t background[3]; /* where alpha is composited */
} oc_recipe;

/* RGB / 255, ImageNet mean and std, bilinear, short side size*256/224, centre crop, alpha over
 * white. */
oc_recipe oc_recipe_default(int width, int height);
/* The part of a picture of width x height, as displayed, that a network is shown, in shares of its
 * sides: 0 <= left < right <= 1. OC_EUNSUPPORTED for a picture too thin to be shown. */
typedef struct oc_window {
    double left, top, right, bottom;
} oc_window;
OC_MUST_CHECK oc_status oc_recipe_window(const oc_recipe *recipe, int width, int height,
                                         oc_window *out, oc_error *err);
/* The object "recipe" of config.json. */
OC_MUST_CHECK oc_status oc_recipe_to_json(const oc_recipe *recipe, json_t **out, oc_error *err);
OC_MUST_CHECK oc_status oc_recipe_from_json(const json_t *o, const char *where, oc_recipe *out,
                                            oc_error *err);

/* ---- augmentation ---------------------------------------------------------------------------- */

/* What varies in training. All zero = nothing: the recipe as it is. */
typedef struct oc_augment {
    bool flip;           /* left to right, half the time */
    float crop_area_min; /* > 0: random resized crop of this..1 of the area */
    float crop_ratio;    /* aspect ratio 1/r..r, e.g. 4/3 */
    bool crop_shift;     /* the recipe's window lies anywhere in the resized picture, instead of in
                            its centre (Krizhevsky et al. 2012); not with crop_area_min */
    float brightness, contrast, saturation, hue; /* jitter: factor 1-x..1+x; hue -x..x turns */
    float rotate_degrees;                        /* -x..x */
    float erase_p;                               /* random erasing (Zhong et al. 2020) */
    float mixup_alpha, cutmix_alpha; /* Beta(alpha, alpha); both > 0: one of them a batch */
    float smoothing;                 /* of labels */
} oc_augment;

/* X(name, word) */
#define OC_LEVEL_MAP(X)                                                                            \
    X(OC_LEVEL_NONE, "none")                                                                       \
    X(OC_LEVEL_LIGHT, "light") X(OC_LEVEL_STANDARD, "standard") X(OC_LEVEL_STRONG, "strong")
typedef enum oc_level {
#define OC_LEVEL_ENUM(name, word) name,
    OC_LEVEL_MAP(OC_LEVEL_ENUM)
#undef OC_LEVEL_ENUM
        OC_LEVEL_COUNT
} oc_level;
const char *oc_level_name(oc_level level);
bool oc_level_parse(const char *word, oc_level *out);
/* light: flip, crop 0.7..1. standard: flip, crop 0.35..1 (ratio 3/4..4/3). strong: standard,
 * jitter, rotation, erasing, mixup or cutmix, smoothing 0.1. A squashed recipe keeps its whole
 * picture in light. */
oc_augment oc_augment_level(oc_level level);

/* One file's bytes to (channels, height, width) floats by the recipe, varied by `augment` with
 * draws from rng when augment is not NULL. One per worker thread. */
typedef struct oc_renderer oc_renderer;
OC_MUST_CHECK oc_status oc_renderer_new(oc_renderer **out, const oc_recipe *recipe,
                                        const oc_image_limits *limits, oc_error *err);
void oc_renderer_free(oc_renderer *r);
/* From now on, files are (not) known to be whole, since they were decoded whole before (as
 * oc_item.whole says): what a JPEG has behind the last row that is needed is not read. Changes no
 * pixel. */
void oc_renderer_trust(oc_renderer *r, bool known);
OC_MUST_CHECK oc_status oc_render(oc_renderer *r, const void *bytes, size_t size,
                                  const oc_augment *augment, oc_rng *rng, float *planes,
                                  oc_error *err);
OC_MUST_CHECK oc_status oc_render_file(oc_renderer *r, const char *path, const oc_augment *augment,
                                       oc_rng *rng, float *planes, oc_error *err);

/* ---- classes --------------------------------------------------------------------------------- */

typedef struct oc_class {
    char *label;   /* what data and predictions are matched by: folder path, name, or id */
    char *display; /* for people; NULL = label */
    char *id;      /* outside id (a taxon, a synset); NULL = none */
} oc_class;
typedef struct oc_classes {
    oc_class *items;
    size_t count;
} oc_classes;
void oc_classes_clear(oc_classes *classes);
OC_MUST_CHECK oc_status oc_classes_copy(const oc_classes *src, oc_classes *dst, oc_error *err);
int oc_classes_find(const oc_classes *classes, const char *label); /* -1 when absent */

/* ---- dataset --------------------------------------------------------------------------------- */

typedef enum oc_part { OC_PART_NONE, OC_PART_TRAIN, OC_PART_VAL, OC_PART_TEST } oc_part;

typedef struct oc_item {
    const char *path; /* as to be opened */
    int32_t label;    /* class number */
    uint32_t group;   /* items of one observation, author, ... share it; its own when none given */
    oc_part part;     /* as the source says; OC_PART_NONE when it does not */
    bool rejected;
    uint64_t print;    /* of its bytes: size, beginning and end; set by oc_dataset_scan, 0 before */
    int width, height; /* as displayed, likewise */
    bool whole;        /* oc_dataset_scan has decoded it to its end */
} oc_item;

typedef struct oc_reject {
    char *path;
    char *reason;
} oc_reject;

typedef struct oc_dataset_options {
    const char *label_column; /* list: N-th column behind the path (1 = default), "fine" (1),
                                 "coarse" (2) or a column of classes.csv; CSV: its name, or the N-th
                                 behind the path */
    const char *group_column; /* CSV; NULL = "group" where there is such a column */
    const char *names;        /* file of class names, a line each, or a classes.csv; NULL = one
                                 called classes.csv or classes.txt beside the list, if any */
    const oc_classes *known;  /* map labels onto these (a model's); others are OC_EDATA */
    bool numbered;            /* list: labels are whole numbers, places in `known`; no file of names
                                 is looked for */
    const char *root;         /* list: stands before each path (Caffe's root_folder); paths are
                                 then looked for below the current folder first; NULL = none */
    bool follow_hidden;
    const oc_log *log;
} oc_dataset_options;

typedef struct oc_dataset oc_dataset;
/* `source` is a folder (class folders, nested: the class is the relative path; or train/ val/
 * [test/] of those; or lists called train.txt [val.txt, test.txt], which win over folders; or an
 * LMDB as Caffe makes it), a list
 * (`path label` or `path, id[, id]`), or a CSV with a header (path,label[,split,group]). Paths in
 * lists are relative to the list's folder, else to the current one; "~/" is expanded. Missing list
 * entries become rejects; a malformed line is OC_EFORMAT with file and line, a label that the names
 * do not have OC_EDATA. Only labels that occur become classes. Classes come in natural order of
 * their labels (numeric ids in order of the number, names from the names file). OC_ENOTFOUND,
 * OC_EDATA (no images, one class) say what to do. Items come in a fixed order that does not depend
 * on the file system. */
OC_MUST_CHECK oc_status oc_dataset_open(oc_dataset **out, const char *source,
                                        const oc_dataset_options *options, oc_error *err);
/* The size of the first photo of an LMDB. OC_EENV where LMDB is not built in. */
OC_MUST_CHECK oc_status oc_lmdb_peek(const char *folder, int *width, int *height, oc_error *err);
void oc_dataset_free(oc_dataset *ds);
size_t oc_dataset_count(const oc_dataset *ds); /* items, rejected ones included */
const oc_item *oc_dataset_item(const oc_dataset *ds, size_t i);
const oc_classes *oc_dataset_classes(const oc_dataset *ds);
const char *oc_dataset_source(const oc_dataset *ds);
uint64_t oc_dataset_digest(const oc_dataset *ds); /* of paths (relative), labels, sizes */

/* Take item i out, with its reason; safe from any thread; the first reason stays. */
void oc_dataset_reject(oc_dataset *ds, size_t i, const char *reason);
size_t oc_dataset_reject_count(const oc_dataset *ds);
/* Borrowed; also holds list entries that never became items. */
const oc_reject *oc_dataset_rejected(const oc_dataset *ds, size_t i);

/* Look into every file in parallel: up to `full_up_to` items (0 = 20,000) are decoded at 1/8 scale,
 * so that truncated ones are found; beyond that headers and ends are looked at. Bad ones are
 * rejected. */
typedef struct oc_scan_options {
    int threads;
    size_t full_up_to;
    oc_image_limits limits;
} oc_scan_options;
OC_MUST_CHECK oc_status oc_dataset_scan(oc_dataset *ds, const oc_scan_options *options,
                                        oc_error *err);

/* "1,360 images, 17 classes (smallest snowdrop 80, largest iris 80), 3 rejected". */
OC_MUST_CHECK oc_status oc_dataset_summary(const oc_dataset *ds, oc_buf *out, oc_error *err);

/* Give each item without a part OC_PART_TRAIN or OC_PART_VAL: `fraction` of each class to VAL (at
 * least one where a class has two or more), groups whole, by seed. Does nothing when the source
 * brought a validation part; one that brought train and test has its validation part taken from
 * train. Rejected items take no part. */
OC_MUST_CHECK oc_status oc_dataset_split(oc_dataset *ds, double fraction, uint64_t seed,
                                         oc_error *err);
/* Indices of the items in a part that are not rejected, in item order; oc_free them. */
OC_MUST_CHECK oc_status oc_dataset_part(const oc_dataset *ds, oc_part part, uint32_t **items,
                                        size_t *count, oc_error *err);

/* Mean and deviation per channel over (at most `limit`) items at the recipe's size, written into
 * recipe->mean and std (unit applied). Deterministic. */
OC_MUST_CHECK oc_status oc_dataset_measure(oc_dataset *ds, const uint32_t *items, size_t count,
                                           size_t limit, int threads, oc_recipe *recipe,
                                           oc_error *err);

/* ---- decoded photos, kept for later epochs --------------------------------------------------- */

/* X(name, word) */
#define OC_KEEP_MAP(X) X(OC_KEEP_OFF, "off") X(OC_KEEP_RAM, "ram") X(OC_KEEP_DISK, "disk")
typedef enum oc_keep {
#define OC_KEEP_ENUM(name, word) name,
    OC_KEEP_MAP(OC_KEEP_ENUM)
#undef OC_KEEP_ENUM
} oc_keep;

/* Each photo of a loader's list, decoded once to 8 bits at the size that its augmentation needs, in
 * memory or in a mapped file. With crops, that is a shorter side of at most input side /
 * sqrt(crop_area_min), so that the smallest crop still has the input's pixels; crops are then
 * resampled once more than without. With crop_shift it is the resized picture, of which a window is
 * cut, and without either the input itself: both change nothing. A loader with a cache gives the
 * same pixels whether photos are kept or not. */
typedef struct oc_photo_cache oc_photo_cache;
typedef struct oc_photo_cache_options {
    oc_keep keep;     /* RAM or DISK */
    const char *path; /* DISK: the file; one that is not for exactly this is overwritten */
    uint64_t limit;   /* bytes; 0 = half of the free memory, nine tenths of the free disk */
    const oc_dataset *dataset; /* borrowed; scanned, so that sizes are known */
    const uint32_t *items;     /* borrowed */
    size_t count;
    const oc_recipe *recipe;   /* copied, as augment */
    const oc_augment *augment; /* NULL = none */
} oc_photo_cache_options;
typedef struct oc_photo_cache_use {
    uint64_t needed, room; /* bytes for all photos; for those that there is room for */
    size_t photos, fit;    /* all; for which there is room */
    size_t kept;           /* so far */
    int side;              /* of the kept photos, at most; 0 = inputs */
    oc_error trouble;      /* why no more are kept (a full disk); status OC_OK = none */
} oc_photo_cache_use;
/* What it would take is known from here on (oc_photo_cache_used). DISK: OC_EUSAGE where another run
 * has the file, OC_EIO where it cannot be made. */
OC_MUST_CHECK oc_status oc_photo_cache_new(oc_photo_cache **out,
                                           const oc_photo_cache_options *options, oc_error *err);
/* `done`: nobody will go on with it, so that the file is removed. */
void oc_photo_cache_free(oc_photo_cache *cache, bool done);
oc_photo_cache_use oc_photo_cache_used(oc_photo_cache *cache);
/* The limit that 0 stands for: DISK: in this folder. */
uint64_t oc_photo_cache_limit(oc_keep keep, const char *folder);
/* The form's shorter side, as above, for settings that a resumed run must share. */
int oc_photo_cache_side(const oc_recipe *recipe, const oc_augment *augment);

/* ---- loader ---------------------------------------------------------------------------------- */

typedef struct oc_loader_options {
    oc_dataset *dataset;   /* borrowed; items that fail to decode are rejected in it */
    const uint32_t *items; /* copied */
    size_t count;
    const oc_recipe *recipe;   /* copied */
    const oc_augment *augment; /* copied; NULL = none */
    int batch;
    bool shuffle;   /* a new order each epoch */
    bool drop_last; /* only full batches (but at least one, filled up by repeating) */
    uint64_t seed;
    int workers; /* threads; 0 = chosen, and chosen anew while it runs, by who waits for whom */
    int depth;   /* batches in the ring; 0 = 3 */
    oc_photo_cache *cache; /* borrowed; of the same items, recipe and augment; NULL = none */
    oc_image_limits limits;
} oc_loader_options;

/* A ready batch. Borrowed until released. */
typedef struct oc_batch {
    float *pixels; /* (n, channels, height, width) */
    int n;
    const int32_t *label;  /* (n) */
    const int32_t *label2; /* (n) partner of mixup or cutmix; NULL when not mixed */
    const float *mix;      /* (n) share of label; NULL when not mixed */
    const uint32_t *item;  /* (n) index in the dataset */
    const bool *failed;    /* (n) evaluation only: this slot could not be decoded and is zero.
                              In training the slot holds the next good item instead. */
    float smoothing;
    int slot; /* the loader's own */
} oc_batch;

typedef struct oc_loader oc_loader;
OC_MUST_CHECK oc_status oc_loader_new(oc_loader **out, const oc_loader_options *options,
                                      oc_error *err);
void oc_loader_free(oc_loader *loader);
size_t oc_loader_batches(const oc_loader *loader); /* in an epoch */
/* Begin epoch `epoch` at batch `first` (resume in the middle). Stops what was under way; batches
 * that were handed out are no longer valid. All calls on a loader come from one thread. */
OC_MUST_CHECK oc_status oc_loader_start(oc_loader *loader, uint32_t epoch, size_t first,
                                        oc_error *err);
/* The next batch, in order; *out NULL behind the last. Waits. Release each before asking for
 * `depth` more. */
OC_MUST_CHECK oc_status oc_loader_next(oc_loader *loader, const oc_batch **out, oc_error *err);
void oc_loader_release(oc_loader *loader, const oc_batch *batch);
/* End the threads until the next start: for a loader that will not be needed for a while. Batches
 * that were handed out are no longer valid. */
void oc_loader_rest(oc_loader *loader);

/* What it has done so far. From the thread that makes the calls. */
typedef struct oc_loader_use {
    double waited;        /* seconds that oc_loader_next has waited */
    double busy, reading; /* seconds of work, over all threads; those of them spent on files */
    uint64_t photos;
    int workers; /* threads that work at present, at most */
} oc_loader_use;
oc_loader_use oc_loader_used(oc_loader *loader);

/* ---- made-up data ---------------------------------------------------------------------------- */

/* Flowers drawn from a seed: petals, colours, backgrounds, scale, noise differ by class. Writes
 * out/class-name/NNN.jpg. `spoil` 0..1 of the files are corrupt, truncated, mislabelled, duplicated
 * or blurred, listed in out/spoiled.csv. */
typedef struct oc_synth_options {
    int classes, per_class;
    int size; /* pixels; 0 = 128 */
    uint64_t seed;
    double spoil;
    int pool; /* > 0: only so many pictures are drawn; the files of all classes are other names of
                 them, and out/train.txt gives their labels: hundreds of thousands of classes at
                 little cost, which nobody can tell apart */
    int threads;
} oc_synth_options;
OC_MUST_CHECK oc_status oc_synth(const char *out, const oc_synth_options *options, oc_error *err);

#endif
