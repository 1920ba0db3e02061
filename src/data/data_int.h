/* What the files of this room share, and no other room sees: the data set from inside, how a source
 * fills it, readers of lists and tables, the draws of augmentation, the order of an epoch.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_DATA_INT_H
#define OC_DATA_INT_H

#include <pthread.h>

#include "data/data.h"

/* ---- intern: texts to dense numbers ---------------------------------------------------------- */

/* Each distinct text gets the next number. All zero is empty and clearable. */
typedef struct oci_intern {
    oc_pool *pool;
    const char **text; /* (count) by number */
    size_t count, capacity;
    uint32_t *slot; /* (slots) number + 1, 0 = free; open addressing */
    size_t slots;   /* power of two */
} oci_intern;

void oci_intern_clear(oci_intern *t);
/* The number of text; `fresh` (may be NULL) tells whether it is new. */
OC_MUST_CHECK oc_status oci_intern_add(oci_intern *t, const char *text, uint32_t *number,
                                       bool *fresh, oc_error *err);
bool oci_intern_find(const oci_intern *t, const char *text, uint32_t *number);

typedef struct oci_store oci_store; /* store_int.h */

/* ---- the data set from inside ---------------------------------------------------------------- */

typedef struct oci_item {
    oc_item face;   /* first: oc_dataset_item hands it out */
    uint32_t rel;   /* where the path relative to the source begins in face.path */
    uint32_t order; /* in which it came */
} oci_item;

struct oc_dataset {
    char *source;
    oc_pool *pool;    /* paths and rejects */
    oci_store *store; /* that the items are records of; NULL = they are files */
    oci_item *items;
    size_t count, capacity;
    oc_classes classes;
    oc_log log;
    pthread_mutex_t lock; /* over everything below, and items[].face.rejected */
    oc_reject **rejects;  /* entries never move */
    size_t reject_count, reject_capacity;
};

OC_MUST_CHECK oc_status oci_dataset_new(oc_dataset **out, const char *source, const oc_log *log,
                                        oc_error *err);
bool oci_dataset_is_rejected(oc_dataset *ds, size_t i);
/* Note a path that never became an item. Best effort when memory is out. */
void oci_dataset_note_reject(oc_dataset *ds, const char *path, const char *reason);

enum { OCI_REASON_BYTES = 512 };
/* The message of a failure with `path`, without that path in it. */
void oci_reason(char storage[OCI_REASON_BYTES], const char *message, const char *path);

/* ---- readers of text ------------------------------------------------------------------------- */

enum { OCI_LINE_BYTES = 64 << 10, OCI_MAX_FIELDS = 256 };
#define OCI_LIST_BYTES ((size_t)4 << 30) /* of a list, a table or a names file */

/* Records of a table: RFC 4180 quotes, CRLF or LF, a byte order mark, blank lines and lines that
 * begin with '#' skipped, blanks around unquoted fields dropped. */
typedef struct oci_csv {
    const char *at, *end; /* what is left */
    const char *where;    /* names the file in messages */
    uint64_t line;        /* where the current record begins, from 1 */
    uint64_t next_line;
    char separator;
    char *text; /* OCI_LINE_BYTES: the fields of the record, each ended by a NUL */
    size_t used;
    char *field[OCI_MAX_FIELDS];
    size_t fields;
} oci_csv;

OC_MUST_CHECK oc_status oci_csv_open(oci_csv *csv, const void *bytes, size_t size,
                                     const char *where, oc_error *err);
void oci_csv_close(oci_csv *csv);
/* The next record; *got false at the end. OC_EFORMAT and OC_ELIMIT name file and line. */
OC_MUST_CHECK oc_status oci_csv_next(oci_csv *csv, bool *got, oc_error *err);
/* Whichever of , ; and tab stands most often in the first record. */
char oci_csv_guess_separator(const oci_csv *csv);

/* Lines of a text, with the same manners: *text is NULL at the end, else NUL-terminated and
 * trimmed. It lives until the next call. */
OC_MUST_CHECK oc_status oci_csv_next_line(oci_csv *csv, char **text, oc_error *err);

/* ---- names of classes ------------------------------------------------------------------------ */

typedef struct oci_name {
    const char *label;
    const char *display; /* or NULL */
    int64_t id;
} oci_name;

/* Numbers and the names they stand for. All zero is empty and clearable. */
typedef struct oci_names {
    char *path;
    oc_pool *pool;
    oci_name *items; /* in file order */
    size_t count, capacity;
    uint32_t *by_id;   /* (count) indices into items, ids ascending */
    oci_intern labels; /* number = index into items */
    size_t column;     /* which pair of columns was taken, from 1 */
} oci_names;

void oci_names_clear(oci_names *names);
/* Read a file of names (a line each, ids 0, 1, ...) or a table (name and id columns in pairs).
 * `column`: which pair: "1", "2", "fine", "coarse", or a column's name; NULL = the first. */
OC_MUST_CHECK oc_status oci_names_read(oci_names *names, const char *path, const char *column,
                                       oc_error *err);
OC_MUST_CHECK oc_status oci_names_parse(oci_names *names, const void *bytes, size_t size,
                                        const char *where, const char *column, oc_error *err);
/* "1".."255", "fine" (1), "coarse" (2), NULL (1); false for other words. */
bool oci_column_parse(const char *column, size_t *out);
const oci_name *oci_names_by_id(const oci_names *names, int64_t id);
const oci_name *oci_names_by_label(const oci_names *names, const char *label);

/* ---- building a data set --------------------------------------------------------------------- */

typedef struct oci_builder {
    oc_dataset *ds;
    const oc_dataset_options *options;
    oci_intern labels; /* what the classes will be called */
    oci_intern groups;
    oci_names names;   /* count 0: none */
    size_t missing;    /* list entries without a file */
    size_t unlabelled; /* images that lie in no class folder */
    size_t other;      /* files that are no images by their name */
    char example[256]; /* one of those */
} oci_builder;

#define OCI_NO_GROUP UINT32_MAX

void oci_builder_clear(oci_builder *b);
/* The number of a label as the source wrote it: a name, or an id where there are names. */
OC_MUST_CHECK oc_status oci_builder_label(oci_builder *b, const char *text, uint32_t *label,
                                          oc_error *err);
/* path is copied; rel: where its relative part begins. */
OC_MUST_CHECK oc_status oci_builder_add(oci_builder *b, const char *path, size_t rel,
                                        uint32_t label, uint32_t group, oc_part part,
                                        oc_error *err);
/* Order, repeats, groups, classes: after this the data set is complete. */
OC_MUST_CHECK oc_status oci_builder_finish(oci_builder *b, oc_error *err);
/* The classes in their order, and the items' labels made class numbers. */
OC_MUST_CHECK oc_status oci_builder_classes(oci_builder *b, oc_error *err);

/* "train", "val", "valid", "validation", "test" (any case). */
bool oci_part_parse(const char *word, oc_part *out);

OC_MUST_CHECK oc_status oci_read_folder(oci_builder *b, const char *folder, oc_error *err);
/* A list or a table with a header, told apart by their first record. */
OC_MUST_CHECK oc_status oci_read_list(oci_builder *b, const char *path, oc_part part,
                                      oc_error *err);
/* The same from memory; paths are relative to `folder`. */
OC_MUST_CHECK oc_status oci_parse_list(oci_builder *b, const void *bytes, size_t size,
                                       const char *where, const char *folder, oc_part part,
                                       oc_error *err);
/* Where the columns of a table are; OCI_MAX_FIELDS for one that is not there. */
typedef struct oci_table {
    bool found; /* the first record is a header */
    size_t path, label, split, group;
    size_t columns;
} oci_table;
/* Read the header, if the first record is one; else leave the reader where it was. */
OC_MUST_CHECK oc_status oci_table_header(oci_table *table, oci_csv *csv,
                                         const oc_dataset_options *options, oc_error *err);
OC_MUST_CHECK oc_status oci_table_rows(const oci_table *table, oci_csv *csv, oci_builder *b,
                                       const char *folder, oc_part part, oc_error *err);
/* Find the file that `text` names and add it; a missing one becomes a reject. */
OC_MUST_CHECK oc_status oci_builder_entry(oci_builder *b, const char *folder, const char *text,
                                          uint32_t label, uint32_t group, oc_part part,
                                          oc_error *err);

/* ---- from picture to input ------------------------------------------------------------------- */

/* Ranges and what must fit together; `where` names the recipe in messages. */
OC_MUST_CHECK oc_status oci_recipe_check(const oc_recipe *recipe, const char *where, oc_error *err);

typedef struct oci_rect {
    int x, y, width, height;
} oci_rect;

enum { OCI_JITTERS = 4 };
typedef enum oci_jitter { OCI_BRIGHTNESS, OCI_CONTRAST, OCI_SATURATION, OCI_HUE } oci_jitter;

/* What one item gets, drawn before its pixels are looked at. */
typedef struct oci_draws {
    bool crops;
    oci_rect crop; /* in the picture as displayed */
    bool shifts;
    float shift_x, shift_y; /* 0..1: of the places that the window can have */
    bool flip;
    float degrees;
    uint32_t order[OCI_JITTERS]; /* of oci_jitter */
    float factor[OCI_JITTERS];   /* by oci_jitter; 1 (hue: 0) = unchanged */
    oci_rect erase;              /* in the input; width 0 = none */
} oci_draws;

/* Whether the crop is drawn anew each time. */
bool oci_crops(const oc_augment *augment, const oc_recipe *recipe);
/* The draws of an item whose picture is width x height. */
void oci_draw(const oc_augment *augment, const oc_recipe *recipe, int width, int height,
              oc_rng *rng, oci_draws *out);

/* Beta(alpha, alpha) in 0..1. */
float oci_draw_beta(oc_rng *rng, float alpha);

/* How the picture becomes the input: this box of it is resized to full_width x full_height, of
 * which the window at (x, y) of the input's size is kept. */
typedef struct oci_view {
    oci_rect box;
    int full_width, full_height;
    int x, y;
} oci_view;
/* False when the picture is too thin to be resized. */
bool oci_view_of(const oc_recipe *recipe, int width, int height, oci_view *out);

/* As oc_render_file, but messages of the decoder come without the path. */
OC_MUST_CHECK oc_status oci_render_path(oc_renderer *r, const char *path, const oc_augment *augment,
                                        oc_rng *rng, float *planes, oc_error *err);

/* Failures that are ours or the machine's, not the item's. */
bool oci_is_fatal(oc_status status);

/* ---- the order of an epoch ------------------------------------------------------------------- */

typedef struct oci_sampler {
    uint32_t *items; /* (count) as given */
    uint32_t *order; /* (count) positions in items, of the epoch that was begun */
    size_t count;
    size_t batch, batches;
    bool shuffle, drop_last;
    uint64_t seed;
} oci_sampler;

OC_MUST_CHECK oc_status oci_sampler_init(oci_sampler *s, const oc_loader_options *options,
                                         oc_error *err);
void oci_sampler_clear(oci_sampler *s);
void oci_sampler_begin(oci_sampler *s, uint32_t epoch);
size_t oci_sampler_size(const oci_sampler *s, size_t batch); /* items in that batch */
/* Position in s->items of the i-th item of the epoch, and how often it came before. */
uint32_t oci_sampler_at(const oci_sampler *s, size_t i, uint32_t *repeat);

/* ---- mixing a batch -------------------------------------------------------------------------- */

/* A batch while it is filled: the caller's arrays, all of n. */
typedef struct oci_mixable {
    float *pixels; /* (n, channels, height, width) */
    int n, channels, height, width;
    const int32_t *label;
    int32_t *label2;
    float *mix;
} oci_mixable;
/* Mixup or cutmix between i and n-1-i, in place. Returns whether anything was mixed. */
bool oci_mix_batch(const oci_mixable *batch, const oc_augment *augment, oc_rng *rng);

#endif
