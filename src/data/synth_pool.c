/* A made-up set of very many classes that costs little: few pictures are drawn, and every file is
 * another name of one of them, so that neither bytes nor inodes grow with the classes. A list says
 * which class a file is of. For trying sizes: no two classes can be told apart by such pictures.
 *
 *   OUT/pool/<species>/001.jpg   the pictures      OUT/train.txt   photos/0012/0012345.jpg label
 *   OUT/photos/<thousand>/<number>.jpg   the files
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "synth_int.h"

enum { IN_A_FOLDER = 1000, LABEL_BYTES = 64 };
/* Names that a file may have; ext4 allows 65,000. */
static const size_t most_names = 60000;

static oc_status check_pool(const oc_synth_options *o, size_t files, oc_error *err) {
    size_t least = (files + most_names - 1) / most_names, pool = (size_t)o->pool;
    if (o->spoil > 0) {
        return oc_fail(err, OC_EUSAGE,
                       "made-up data: pictures of a pool are shared and cannot be spoiled; leave "
                       "out one of --pool and --spoil");
    }
    if (pool >= least) return OC_OK;
    return oc_fail(err, OC_EUSAGE,
                   "made-up data: a pool of %zu pictures for %zu files; a file may have %zu names, "
                   "so take %zu pictures or more",
                   pool, files, most_names, least);
}

/* The k-th picture of the pool. */
static oc_status picture_of(char path[OC_PATH_BYTES], const char *pool, size_t k, oc_error *err) {
    char name[LABEL_BYTES + 16];
    oci_species species;
    oci_species_make(&species, (int)k);
    (void)snprintf(name, sizeof name, "%s/001.jpg", species.name);
    return oc_path_join(path, pool, name, err);
}

/* Another name for a file that is there; nothing here needs to survive a crash. */
static oc_status name_again(const char *from, const char *to, oc_error *err) {
    if (link(from, to) == 0) return OC_OK;
    if (errno == EEXIST && unlink(to) == 0 && link(from, to) == 0) return OC_OK;
    return oc_file_link(from, to, err); /* copies where there are no links */
}

/* File number i with its folder and its line of the list. */
static oc_status put_file(const char *out, const char *pool, const oc_synth_options *o, size_t i,
                          oc_writer *list, oc_error *err) {
    char name[64], line[128], from[OC_PATH_BYTES], to[OC_PATH_BYTES];
    if (i % IN_A_FOLDER == 0) {
        (void)snprintf(name, sizeof name, "photos/%04zu", i / IN_A_FOLDER);
        OC_TRY(oc_path_join(to, out, name, err));
        OC_TRY(oc_path_make_dirs(to, err));
    }
    (void)snprintf(name, sizeof name, "photos/%04zu/%07zu.jpg", i / IN_A_FOLDER, i);
    OC_TRY(picture_of(from, pool, i % (size_t)o->pool, err));
    OC_TRY(oc_path_join(to, out, name, err));
    OC_TRY(name_again(from, to, err));
    int n = snprintf(line, sizeof line, "%s species-%07zu\n", name, i / (size_t)o->per_class);
    return oc_writer_write(list, line, (size_t)n, err);
}

oc_status oci_synth_pool(const char *out, const oc_synth_options *o, oc_error *err) {
    char pool[OC_PATH_BYTES], path[OC_PATH_BYTES];
    size_t files = (size_t)o->classes * (size_t)o->per_class;
    oc_synth_options few = *o;
    oc_writer *list = NULL;
    oc_status status = OC_OK;
    few.classes = o->pool;
    few.per_class = 1;
    few.pool = 0;
    OC_TRY(check_pool(o, files, err));
    OC_TRY(oc_path_join(pool, out, "pool", err));
    OC_TRY(oc_synth(pool, &few, err));
    OC_TRY(oc_path_join(path, out, "train.txt", err));
    OC_GOTO(oc_writer_new(&list, path, err));
    for (size_t i = 0; i < files; i++) OC_GOTO(put_file(out, pool, o, i, list, err));
    status = oc_writer_commit(list, err);
done:
    oc_writer_free(list);
    return status;
}
