/* Decoded photos kept for later epochs (--cache): what of them fits is told before the first step.
 *
 * On disk they lie in MODEL/cache, which is this run's alone as long as it holds the folder's lock,
 * and is removed when the run is finished.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <unistd.h>

#include "train/train_int.h"

static const char *const FOLDER = "cache", *const TRAIN_FILE = "train.photos",
                         *const VAL_FILE = "val.photos";

/* MODEL/cache/<name> */
static oc_status place(char path[OC_PATH_BYTES], const oci_session *s, const char *name,
                       oc_error *err) {
    char folder[OC_PATH_BYTES];
    OC_TRY(oc_path_join(folder, s->options->out, FOLDER, err));
    return oc_path_join(path, folder, name, err);
}

/* Make one of the two, of at most *left bytes, of which it takes what it needs. */
static oc_status open_one(oc_photo_cache **out, const oci_session *s,
                          const oc_loader_options *loader, const char *name, uint64_t *left,
                          oc_error *err) {
    char path[OC_PATH_BYTES];
    OC_TRY(place(path, s, name, err));
    oc_photo_cache_options options = {.keep = s->options->cache,
                                      .path = path,
                                      .limit = *left > 0 ? *left : 1,
                                      .dataset = loader->dataset,
                                      .items = loader->items,
                                      .count = loader->count,
                                      .recipe = loader->recipe,
                                      .augment = loader->augment};
    OC_TRY(oc_photo_cache_new(out, &options, err));
    *left -= oc_photo_cache_used(*out).room;
    return OC_OK;
}

static void tell(const oci_stage *stage, const oci_session *s) {
    char bytes[16], side[64] = "";
    oc_photo_cache_use train = oc_photo_cache_used(stage->train_photos), val = {0};
    if (stage->val_photos != NULL) val = oc_photo_cache_used(stage->val_photos);
    if (train.side > 0)
        (void)snprintf(side, sizeof side, ", their shorter side at most %d pixels", train.side);
    oc_info(oci_session_log(s), "decoded photos kept %s: %zu of %zu, up to %s%s",
            s->options->cache == OC_KEEP_RAM ? "in memory" : "on disk", train.fit + val.fit,
            train.photos + val.photos, oc_format_bytes(bytes, train.room + val.room), side);
    if (train.fit + val.fit < train.photos + val.photos)
        oc_warn(oci_session_log(s),
                "all of them would take %s: the others are decoded in every epoch; give "
                "--cache-limit, or --cache %s",
                oc_format_bytes(bytes, train.needed + val.needed),
                s->options->cache == OC_KEEP_RAM ? "disk" : "ram");
}

/* What is judged on comes first: it is read as often, and takes less. */
oc_status oci_photos_open(oci_stage *stage, oci_session *s, const oc_augment *augment,
                          oc_error *err) {
    char folder[OC_PATH_BYTES];
    uint64_t left = s->options->cache_limit;
    if (s->options->cache == OC_KEEP_OFF) return OC_OK;
    OC_TRY(oc_path_join(folder, s->options->out, FOLDER, err));
    if (s->options->cache == OC_KEEP_DISK) OC_TRY(oc_path_make_dirs(folder, err));
    if (left == 0) left = oc_photo_cache_limit(s->options->cache, folder);
    oc_loader_options train = oci_stage_loader(s, false), val = oci_stage_loader(s, true);
    train.augment = augment;
    if (val.count > 0) OC_TRY(open_one(&stage->val_photos, s, &val, VAL_FILE, &left, err));
    OC_TRY(open_one(&stage->train_photos, s, &train, TRAIN_FILE, &left, err));
    tell(stage, s);
    return OC_OK;
}

void oci_photos_close(oci_stage *stage) {
    oc_photo_cache_free(stage->train_photos, false);
    oc_photo_cache_free(stage->val_photos, false);
}

/* Only what is ours. What cannot be removed costs room, nothing else. */
void oci_photos_remove(const oci_session *s) {
    char path[OC_PATH_BYTES];
    if (place(path, s, TRAIN_FILE, NULL) == OC_OK) (void)unlink(path);
    if (place(path, s, VAL_FILE, NULL) == OC_OK) (void)unlink(path);
    if (oc_path_join(path, s->options->out, FOLDER, NULL) == OC_OK) (void)rmdir(path);
}

/* Told once. */
static void tell_trouble(const oc_photo_cache_use *use, const oci_session *s, bool *told) {
    if (use->trouble.status == OC_OK || *told) return;
    *told = true;
    oc_warn(oci_session_log(s),
            "no more decoded photos are kept after %zu of %zu: %s; the others are decoded in every "
            "epoch",
            use->kept, use->photos, use->trouble.message);
}

void oci_photos_tell(oci_stage *stage, const oci_session *s) {
    if (stage->train_photos == NULL) return;
    oc_photo_cache_use train = oc_photo_cache_used(stage->train_photos);
    tell_trouble(&train, s, &stage->photos_told);
}
