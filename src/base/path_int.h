/* What the file parts of `base` share. Private to `base`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_PATH_INT_H
#define OC_BASE_PATH_INT_H

#include "base/error.h"

/* The status for an errno of open(2) and its kin. */
oc_status oci_open_status(int number);

#endif
