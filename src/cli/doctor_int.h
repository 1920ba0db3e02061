/* What this machine is and how fast it is at our work.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_DOCTOR_INT_H
#define OC_CLI_DOCTOR_INT_H

#include "base/base.h"
#include "peak_int.h"

typedef struct oci_machine {
    char cpu[128];                /* as the system names it; "" = unknown */
    char features[256];           /* of its instruction set, those that matter here */
    bool wide;                    /* AVX2 with FMA, or NEON */
    int cores;                    /* that this process may use */
    int cores_online;             /* that there are */
    uint64_t memory, memory_free; /* bytes; 0 = unknown */
    const char *omp_threads;      /* OMP_NUM_THREADS; NULL = not set; borrowed */
} oci_machine;

void oci_machine_look(oci_machine *out);

/* The network whose training step is timed. */
#define OCI_DOCTOR_ARCH "mobilenet_v2"
enum { OCI_DOCTOR_SIZE = 224, OCI_DOCTOR_BATCH = 8 };

typedef struct oci_speed {
    oci_peak peak;           /* multiply-adds and memory */
    double conv_gflops;      /* 3x3 convolution, 64 to 64 channels at 56 x 56, in a plan */
    double render_per_core;  /* photos a second: JPEG 640 x 480 decoded, varied, to 224 x 224 */
    double train_per_second; /* photos a second through OCI_DOCTOR_ARCH; 0 = not measured */
    double forward, backward, update; /* seconds of one of its steps */
} oci_speed;

/* Takes some seconds. Training is left out where only the reference engine is built in. */
OC_MUST_CHECK oc_status oci_speed_measure(oci_speed *out, oc_error *err);

#endif
