/* How many threads of the loader work at a time, chosen by who waits for whom.
 *
 * Where the caller waits although all threads are busy, one more works: up to the number of cores
 * where decoding takes the time, beyond it where files do, since who waits for a disk takes no
 * core. Where nobody waits and the others could do its work at half their time, one fewer: the
 * cores are the network's. Pixels do not depend on the number.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "data/loader_int.h"

enum { FIRST_WORKERS = 4, MOST_WORKERS = 16, LEAST_BATCHES = 4 };
static const double LEAST_SECONDS = 0.5;
static const double WAITS = 0.03, NEVER_WAITS = 0.003; /* shares of the time */
static const double BUSY = 0.8, HALF_IDLE = 0.5;       /* of a thread's time */
static const double MOSTLY = 0.5;                      /* of the work */

static int smaller(int a, int b) {
    return a < b ? a : b;
}

int oci_loader_first_workers(void) {
    return smaller(oc_cpu_count(), FIRST_WORKERS);
}

int oci_loader_most_workers(void) {
    return smaller(2 * oc_cpu_count(), MOST_WORKERS);
}

/* One more, one fewer, or as it is. */
static int change(const oc_loader *l, double seconds) {
    int workers = l->use.workers;
    double waited = (l->use.waited - l->paced.waited) / seconds;
    double threads = (l->use.busy - l->paced.busy) / seconds; /* busy at a time */
    double reading = (l->use.reading - l->paced.reading) / seconds;
    if (waited > WAITS && threads > BUSY * workers) {
        bool on_files = reading > MOSTLY * threads;
        return workers < (on_files ? l->thread_count : smaller(l->thread_count, oc_cpu_count()));
    }
    return waited < NEVER_WAITS && workers > 1 && threads < HALF_IDLE * (workers - 1) ? -1 : 0;
}

void oci_loader_pace(oc_loader *l) {
    double now = oc_clock_seconds(), seconds = now - l->paced_at;
    if (!l->paces || ++l->paced_batches < LEAST_BATCHES || seconds < LEAST_SECONDS) return;
    l->use.workers += change(l, seconds);
    l->paced = l->use;
    l->paced_at = now;
    l->paced_batches = 0;
    (void)pthread_cond_broadcast(&l->work);
}
