/* Other C libraries than glibc are taken as they are.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "base/mem.h"

void oc_heap_settle(void) {}
