/* The engines of a build without oneDNN.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "engine/engine_int.h"

const oc_engine_vtable *const oci_engines[] = {&oci_engine_ref, NULL};
const char *const oci_engine_words[] = {"ref", NULL};
