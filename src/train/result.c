/* The outcome of a run, as a struct and as JSON.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "train/train_int.h"

static json_t *times_json(const oc_train_times *t) {
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "data", t->data, "forward", t->forward,
                     "backward", t->backward, "update", t->update, "validation", t->validation,
                     "other", t->other);
}

json_t *oc_train_result_json(const oc_train_result *r) {
    return json_pack(
        "{s:i, s:i, s:o, s:o, s:o, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:o, s:s, s:I, s:b}",
        "epochs_done", r->epochs_done, "best_epoch", r->best_epoch, "best_accuracy",
        oc_json_real(r->best_accuracy), "best_loss", oc_json_real(r->best_loss), "final_loss",
        oc_json_real(r->final_loss), "temperature", r->temperature, "threshold", r->threshold,
        "seconds", r->seconds, "images_per_second", r->images_per_second, "train_images",
        (json_int_t)r->train_images, "val_images", (json_int_t)r->val_images, "classes",
        (json_int_t)r->classes, "rejected", (json_int_t)r->rejected, "times", times_json(&r->times),
        "bottleneck", r->bottleneck, "peak_rss", (json_int_t)r->peak_rss, "stopped", r->stopped);
}
