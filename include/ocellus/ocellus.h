/* ocellus for programs that embed it: open a model folder, give it photos, get names.
 *
 *   oc_error err = {0};
 *   oc_classifier *eye = NULL;
 *   oc_guess top[5];
 *   int n = 0;
 *   if (oc_classifier_open(&eye, "model", NULL, &err) == OC_OK &&
 *       oc_classify_file(eye, "photo.jpg", 5, top, &n, &err) == OC_OK) {
 *       for (int i = 0; i < n; i++) printf("%5.1f %%  %s\n", 100 * top[i].p, top[i].name);
 *   } else {
 *       fprintf(stderr, "%s\n", err.message);
 *   }
 *   oc_classifier_close(eye);
 *
 * Every call that can fail returns an oc_status (0 = OC_OK) and explains itself in the caller's
 * oc_error, which may be NULL. The library never prints, exits or aborts on data.
 *
 * Threads: one classifier is used by one thread at a time; several classifiers at once are fine,
 * and those made by oc_classifier_share have the model's weights in memory once.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OCELLUS_OCELLUS_H
#define OCELLUS_OCELLUS_H

#include <stddef.h>

#include "ocellus/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the library, "MAJOR.MINOR.PATCH"; static. */
const char *oc_version(void);

/* A model, ready to run. */
typedef struct oc_classifier oc_classifier;

/* How to run it. All zero, or NULL where a pointer is taken, is the default. */
typedef struct oc_classifier_options {
    int threads;        /* processor cores to use; 0 = all that the process may use */
    const char *engine; /* "onednn" or "ref"; NULL = the fastest one built in */
} oc_classifier_options;

/* One answer. The texts belong to the classifier and stay valid until it is closed. */
typedef struct oc_guess {
    const char *label; /* the class as the training data named it */
    const char *name;  /* for people: the display name, or the label where there is none */
    const char *id;    /* the outside id of the class (a taxon, a synset), or NULL */
    float p;           /* calibrated probability, 0..1 */
} oc_guess;

/* Open the model folder `folder`. On success *out is the caller's, to be closed with
 * oc_classifier_close; on failure it is NULL. OC_ENOTFOUND when the folder or a file of it is
 * missing, OC_EFORMAT when one is damaged, OC_EMISMATCH when they do not fit together, OC_EENV when
 * the engine is not built in, OC_ENOMEM. */
oc_status oc_classifier_open(oc_classifier **out, const char *folder,
                             const oc_classifier_options *options, oc_error *err);

/* Another classifier of the same model for another thread, which shares weights and texts with
 * `with`. Close all of them, in any order; texts are valid until the last is
 * closed. OC_ENOMEM. */
oc_status oc_classifier_share(oc_classifier **out, const oc_classifier *with, oc_error *err);

/* Free the classifier and all its texts. NULL is fine. */
void oc_classifier_close(oc_classifier *classifier);

/* Number of classes, and the label of class i (0 <= i < classes; NULL beyond). */
size_t oc_classifier_classes(const oc_classifier *classifier);
const char *oc_classifier_label(const oc_classifier *classifier, size_t i);

/* An answer whose best probability is below this is better taken as "unknown"; fitted on photos
 * held out by training. 0 = the model has none. */
double oc_classifier_threshold(const oc_classifier *classifier);

/* Recognise one photo, given as the bytes of a JPEG, PNG or WebP file. guesses has room for `most`
 * (>= 1) answers, best first; *count is how many were written: the smaller of `most` and the number
 * of classes. OC_EFORMAT when the bytes are no image or a damaged one, OC_ELIMIT when it is beyond
 * its budget of bytes, pixels or time, OC_EUSAGE when most < 1, OC_ENOMEM. After a failure *count
 * is 0 and the classifier can be used on. */
oc_status oc_classify_bytes(oc_classifier *classifier, const void *bytes, size_t size, int most,
                            oc_guess *guesses, int *count, oc_error *err);

/* The same for a file. Also OC_ENOTFOUND and OC_EIO. */
oc_status oc_classify_file(oc_classifier *classifier, const char *path, int most, oc_guess *guesses,
                           int *count, oc_error *err);

#ifdef __cplusplus
}
#endif
#endif
