/* What `ocellus bench` measures: a plan on data in memory, its layers, and photos on their way in.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_BENCH_INT_H
#define OC_CLI_BENCH_INT_H

#include "engine/engine.h"
#include "images_int.h"
#include "model/model.h"
#include "peak_int.h"
#include "zoo/zoo.h"

/* Of several repetitions. */
typedef struct oci_spread {
    double median, min, max;
} oci_spread;
/* Sorts the values; count >= 1. */
oci_spread oci_spread_of(double *values, size_t count);

typedef struct oci_bench_task {
    const char *name; /* of the network, to print */
    const oc_arch *arch;
    const oc_model *model; /* measured instead of arch where not NULL: for inference only */
    oc_mode mode;
    int batch, size, classes;
    int threads; /* 0 = all */
    int reps;    /* repetitions; each as many steps as take `seconds` */
    double seconds;
    double sample;      /* training: share of the classes that a step sees; 0 = all */
    const char *engine; /* NULL = the best */
    bool layers;        /* measure these too, in steps of their own */
} oci_bench_task;

/* A layer's pass in one step; one that does not happen is all 0. */
typedef enum oci_pass { OCI_FORWARD, OCI_BACK_DATA, OCI_BACK_WEIGHTS, OCI_PASSES } oci_pass;
typedef struct oci_pass_time {
    double seconds;
    double flops; /* two a multiply-add; 0 = none worth counting */
    double bytes; /* that must move: inputs, outputs, parameters, once each */
    double bound; /* seconds of the roofline; with by_memory: set by oci_rooflines_judge */
    bool by_memory;
} oci_pass_time;
typedef struct oci_layer_time {
    const char *name;   /* of the node that gives the unit its name; borrowed */
    const char *kind;   /* conv, depthwise, dense, norm, pool, ... loss, update, other; borrowed */
    const char *kernel; /* of its forward pass; borrowed; NULL = none */
    oci_pass_time pass[OCI_PASSES];
    double seconds, bound, lost, flops; /* sums over passes, set by oci_rooflines_judge */
} oci_layer_time;

enum { OCI_KINDS = OC_OP_COUNT + 4 }; /* of ops, depthwise, loss, update, other */
typedef struct oci_rooflines {
    oci_layer_time *items; /* NULL unless asked for; `other` is what no layer took */
    size_t count;
    oci_layer_time kinds[OCI_KINDS], total; /* sums, set by oci_rooflines_judge */
    size_t kind_count;
} oci_rooflines;

typedef struct oci_bench {
    oc_graph *graph; /* owned, as is the plan: names in `layers` live in them */
    oc_plan *plan;
    oci_spread rate;                  /* images a second */
    int steps;                        /* in a repetition */
    double forward, backward, update; /* mean seconds of a step */
    double flops;                     /* a step: 2 x multiply-adds, x 3 in training */
    uint64_t macs;                    /* of one image, forward */
    oc_plan_memory memory;
    oci_rooflines layers;
} oci_bench;

/* Make a plan, with fresh weights or the model's, and time it. Clear what comes out, also after a
 * failure. */
OC_MUST_CHECK oc_status oci_bench_run(oci_bench *out, const oci_bench_task *task, oc_error *err);
void oci_bench_clear(oci_bench *bench);

/* Where the times of layers come from. */
typedef struct oci_layer_source {
    const oc_plan *plan; /* profiled for `steps` steps */
    const oc_graph *graph;
    const oc_shape *shapes; /* of every node, whole batch */
    int steps;
    double step_seconds, update_seconds; /* means; update_seconds is part of step_seconds */
    double update_bytes;
} oci_layer_source;
/* Each unit's times summed over its entries (borrowed names). Clear what comes out. */
OC_MUST_CHECK oc_status oci_rooflines_new(oci_rooflines *out, const oci_layer_source *from,
                                          oc_error *err);
void oci_rooflines_clear(oci_rooflines *layers);
/* Set rooflines, time lost and sums by kind; sort layers by time lost, kinds by time. */
void oci_rooflines_judge(oci_rooflines *layers, const oci_peak *peak);
/* Both after oci_rooflines_judge. */
void oci_rooflines_text(const oci_rooflines *layers, const oci_peak *peak, bool train, oc_buf *out);
int oci_rooflines_json(const oci_rooflines *layers, json_t *into); /* not 0: out of memory */

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

typedef struct oci_predict_speed {
    size_t photos;
    double rate;                        /* photos a second, in batches */
    double median_seconds, p99_seconds; /* of one photo alone */
} oci_predict_speed;
/* Files are read first, at most OCI_BENCH_PHOTOS of them; then decoded and run, again and again. */
OC_MUST_CHECK oc_status oci_bench_predict(oci_predict_speed *out, const oc_model *model,
                                          const oci_paths *paths, const oci_bench_task *task,
                                          oc_error *err);

#endif
