/* For the test of machine.c.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_MACHINE_INT_H
#define OC_BASE_MACHINE_INT_H

#include <stdint.h>

/* Bytes that a group may still take: `cached` of those `used` give way. */
uint64_t oci_group_free(uint64_t most, uint64_t used, uint64_t cached);

#endif
