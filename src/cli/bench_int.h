/* What `ocellus bench` measures: a plan on data in memory, its layers, and photos on their way in.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_BENCH_INT_H
#define OC_CLI_BENCH_INT_H

#include "engine/engine.h"
#include "images_int.h"
#include "zoo/zoo.h"

/* Of several repetitions. */
typedef struct oci_spread {
    double median, min, max;
} oci_spread;
/* Sorts the values; count >= 1. */
oci_spread oci_spread_of(double *values, size_t count);


typedef struct oci_bench_task {
    const oc_arch *arch;
    oc_mode mode;
    int batch, size, classes;
    int threads; /* 0 = all */
    int reps;    /* repetitions; each as many steps as take `seconds` */
    double seconds;
    const char *engine; /* NULL = the best */
    bool layers;        /* measure these too, in steps of their own */
} oci_bench_task;

/* Times of one step; a direction that does not happen is 0. */
typedef enum oci_pass { OCI_FORWARD, OCI_BACK_DATA, OCI_BACK_WEIGHTS, OCI_PASSES } oci_pass;
typedef struct oci_layer_time {
    const char *name;   /* of the node that gives the unit its name; borrowed */
    const char *kernel; /* of its forward pass; borrowed */
    double seconds[OCI_PASSES];
    double flops[OCI_PASSES]; /* two a multiply-add; 0 = none worth counting */
} oci_layer_time;

typedef struct oci_bench {
    oc_graph *graph; /* owned, as is the plan: names in `layers` live in them */
    oc_plan *plan;
    oci_spread rate;                  /* images a second */
    int steps;                        /* in a repetition */
    double forward, backward, update; /* mean seconds of a step */
    double flops;                     /* a step: 2 x multiply-adds, x 3 in training */
    uint64_t macs;                    /* of one image, forward */
    oc_plan_memory memory;
    oci_layer_time *layers; /* NULL unless asked for */
    size_t layer_count;
} oci_bench;

/* Make a plan with fresh weights and time it. Clear what comes out, also after a failure. */
OC_MUST_CHECK oc_status oci_bench_run(oci_bench *out, const oci_bench_task *task, oc_error *err);
void oci_bench_clear(oci_bench *bench);

/* Each unit's times summed over its entries (borrowed names), in order of the forward pass; shapes
 * are those of the whole batch. *out is the caller's. */
OC_MUST_CHECK oc_status oci_layer_times(oci_layer_time **out, size_t *count, const oc_plan *plan,
                                        const oc_graph *graph, const oc_shape *shapes, int steps,
                                        oc_error *err);
void oci_layer_times_text(const oci_layer_time *layers, size_t count, oc_buf *out);
json_t *oci_layer_times_json(const oci_layer_time *layers, size_t count); /* new, or NULL */

typedef struct oci_photo_speed {
    size_t photos;
    double plain;  /* a second and core: decoded, resized, cropped, normalised by the recipe */
    double varied; /* the same with the standard augmentation */
} oci_photo_speed;
/* Files are read first, at most OCI_BENCH_PHOTOS of them; then each rendered in turn on one thread
 * for `seconds` a kind. */
enum { OCI_BENCH_PHOTOS = 64 };
OC_MUST_CHECK oc_status oci_bench_photos(oci_photo_speed *out, const oci_paths *paths, int size,
                                         double seconds, oc_error *err);

#endif
