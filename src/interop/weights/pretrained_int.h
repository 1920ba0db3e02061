/* Inside of oc_pretrained. Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_WEIGHTS_PRETRAINED_INT_H
#define OC_INTEROP_WEIGHTS_PRETRAINED_INT_H

#include "interop/weights/names_int.h"

enum { OCI_IMAGENET_CLASSES = 1000 };

typedef struct oci_stripped {
    const char *source; /* in the file */
    bool used;
} oci_stripped;

struct oc_pretrained {
    oc_weights_file *file;
    oc_tensors *all;       /* of the file, prefixes off; views */
    oci_stripped *of;      /* one per tensor of `all` */
    oc_tensors *ours;      /* under our names */
    const char **theirs;   /* one per tensor of `ours`: its name in the file */
    const char **left_out; /* names of tensors without the prefix that was asked for */
    size_t left_out_count;
    const oc_arch *arch;
    const oci_names *names;
};

#endif
