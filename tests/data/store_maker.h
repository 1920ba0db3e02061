/* Writes an LMDB for tests, where the library is there (store_maker.c) or not (store_maker_none.c).
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_STORE_MAKER_H
#define OC_TESTS_STORE_MAKER_H

#include <stdbool.h>
#include <stddef.h>

bool maker_is_there(void);
void maker_begin(const char *folder);
void maker_put(const char *key, const void *bytes, size_t size);
void maker_end(void);

#endif
