/* The block function of the generator, for its known-answer test. Private to `base`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_RNG_INT_H
#define OC_BASE_RNG_INT_H

#include <stdint.h>

/* One Philox 4x32-10 block. */
void oci_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

#endif
