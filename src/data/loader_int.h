/* The loader from inside: the ring, the threads and what they share.
 *
 * Items are handed out one by one, so that no thread idles while the ring has room; within a batch
 * the largest photo goes first, so that it is not the one that all others wait for at the end.
 * A slot of the ring goes FREE -> FILLING (its items are claimed one by one) -> READY -> HELD (by
 * the caller) -> FREE. Batch b uses slot b % depth. All of it is behind one lock; pixels are
 * written outside it, by the thread that claimed the item, and seen by the caller after READY.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_DATA_LOADER_INT_H
#define OC_DATA_LOADER_INT_H

#include "data/data_int.h"

typedef enum oci_slot_state { OCI_FREE, OCI_FILLING, OCI_READY, OCI_HELD } oci_slot_state;

typedef struct oci_slot {
    oc_batch face; /* what the caller sees */
    oci_slot_state state;
    size_t batch;   /* number in the epoch */
    int left;       /* items that are not finished */
    float *pixels;  /* (batch, channels, height, width) */
    int32_t *label; /* (batch), as the next four */
    int32_t *label2;
    float *mix;
    uint32_t *item;
    bool *failed;
    uint64_t *order; /* (batch) places in the order of work, behind their photos' size */
} oci_slot;

typedef struct oci_worker {
    oc_loader *loader;
    oc_renderer *renderer;
    pthread_t thread;
    double busy, reading; /* seconds spent on the item at hand; those of them spent on its file */
} oci_worker;

struct oc_loader {
    oc_dataset *ds;
    oci_sampler sampler;
    oc_recipe recipe;
    oc_augment augment_storage;
    const oc_augment *augment; /* NULL = none */
    bool evaluates;            /* a bad item is marked, not replaced */
    uint64_t seed;
    size_t image_floats;
    oci_slot *slots; /* (depth) */
    int depth;
    oci_worker *workers;
    int worker_count, thread_count; /* most there may be, running */
    oc_photo_cache *cache;          /* borrowed, or NULL */
    pthread_mutex_t lock;           /* over what follows and the slots' states */
    pthread_cond_t work, ready, idle;
    bool started, quit;
    uint32_t epoch;
    size_t next_batch; /* to be claimed */
    int next_item;     /* of that batch */
    size_t next_out;   /* to be handed out */
    int active;        /* threads within an item */
    oc_error fatal;
    oc_loader_use use;
    bool paces;           /* use.workers is chosen anew now and then */
    oc_loader_use paced;  /* `use` when that was done last */
    double paced_at;      /* and when that was */
    size_t paced_batches; /* batches handed out since then */
};

/* How many threads there may be, and begin with, where that is left to the loader. */
int oci_loader_most_workers(void);
int oci_loader_first_workers(void);
/* With the lock held, by the caller's thread: choose the number of threads that work, by what has
 * been waiting for what. */
void oci_loader_pace(oc_loader *l);

/* The body of a thread; arg is its oci_worker. */
void *oci_loader_work(void *arg);

#endif
