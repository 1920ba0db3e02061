/* What a run waits for: the disk, the decoding of photos, or the network's arithmetic; and what
 * would help.
 *
 * The network is the bottleneck unless the steps spend a tenth of their time waiting for photos;
 * then it is reading or decoding, whichever takes the loader's threads longer.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/train_int.h"

static const double MATTERS = 0.1;       /* share of the steps' time */
static const double LEAST_SECONDS = 1.0; /* an epoch that is worth a word */

const char *oci_bottleneck_name(oci_bottleneck kind) {
    static const char *const names[] = {
        [OCI_ON_COMPUTE] = "compute", [OCI_ON_DECODE] = "decode", [OCI_ON_DISK] = "disk"};
    return names[kind];
}

static double steps_of(const oc_train_times *t) {
    return t->data + t->forward + t->backward + t->update;
}

static double waiting_share(const oc_train_times *t) {
    double all = steps_of(t);
    return all > 0 ? t->data / all : 0;
}

oc_loader_use oci_use_since(const oc_loader_use *now, const oc_loader_use *then) {
    return (oc_loader_use){.waited = now->waited - then->waited,
                           .busy = now->busy - then->busy,
                           .reading = now->reading - then->reading,
                           .photos = now->photos - then->photos,
                           .workers = now->workers};
}

oci_bottleneck oci_bottleneck_of(const oc_train_times *times, const oc_loader_use *use) {
    if (waiting_share(times) < MATTERS) return OCI_ON_COMPUTE;
    return use->reading > use->busy / 2 ? OCI_ON_DISK : OCI_ON_DECODE;
}

static const char *advice(oci_bottleneck kind, bool cached) {
    switch (kind) {
    case OCI_ON_DISK:
        return cached ? "a faster disk or --cache ram would help"
                      : "--cache ram, --cache disk on a faster disk, or a copy of the photos there "
                        "would help";
    case OCI_ON_DECODE:
        return cached ? "more cores would help"
                      : "--cache ram or --cache disk decodes each photo once only; smaller copies "
                        "of the photos or more cores would help, too";
    default:
        return "a smaller network, a smaller --size or more cores would help";
    }
}

void oci_bottleneck_tell(const oci_session *s, const oc_train_times *times,
                         const oc_loader_use *use, oci_bottleneck *told) {
    oci_bottleneck kind = oci_bottleneck_of(times, use);
    bool cached = s->options->cache != OC_KEEP_OFF;
    if (kind == *told || kind == OCI_ON_COMPUTE || use->photos == 0) return;
    if (steps_of(times) < LEAST_SECONDS) return;
    *told = kind;
    oc_info(oci_session_log(s),
            "the network waited for photos %.0f %% of the time, mostly for %s (%.1f ms a photo, %d "
            "threads): %s",
            100 * waiting_share(times), kind == OCI_ON_DISK ? "the disk" : "their decoding",
            1000 * use->busy / (double)use->photos, use->workers, advice(kind, cached));
}

static void tell_shares(const oci_session *s, const oc_train_times *t, oci_bottleneck kind) {
    double all = steps_of(t) + t->validation + t->other;
    oc_info(oci_session_log(s),
            "where the time went: %.0f %% in the network, %.0f %% waiting for photos, %.0f %% "
            "judging, %.0f %% else; bottleneck: %s (%s)",
            100 * (t->forward + t->backward + t->update) / all, 100 * t->data / all,
            100 * t->validation / all, 100 * t->other / all, oci_bottleneck_name(kind),
            advice(kind, s->options->cache != OC_KEEP_OFF));
}

void oci_bottleneck_sum_up(const oci_session *s, const oc_train_times *times) {
    if (steps_of(times) < LEAST_SECONDS) return;
    tell_shares(s, times, oci_bottleneck_of(times, &s->use));
}
