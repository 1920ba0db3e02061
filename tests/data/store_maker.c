/* An LMDB by liblmdb, one at a time.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "store_maker.h"

#include <lmdb.h>
#include <string.h>

#include "../check.h"

static MDB_env *env;
static MDB_txn *txn;
static MDB_dbi dbi;

bool maker_is_there(void) {
    return true;
}

void maker_begin(const char *folder) {
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_mapsize(env, 1 << 22), 0);
    assert_int_equal(mdb_env_open(env, folder, 0, 0664), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
}

void maker_put(const char *key, const void *bytes, size_t size) {
    MDB_val k = {strlen(key), (void *)(uintptr_t)key}, v = {size, (void *)(uintptr_t)bytes};
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
}

void maker_end(void) {
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}
