/* Mean and deviation of the training pixels, as the network will see them.
 *
 * Each item's sums are kept apart and added in item order, so that threads do not change a bit.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "data/render_int.h"

static const double SMALLEST_STD = 1e-3; /* of a set of one colour: no division by zero */

typedef struct sums {
    double sum[3], square[3];
    bool counted;
} sums;

typedef struct measure {
    oc_dataset *ds;
    const uint32_t *items;
    size_t count, taken; /* taken: evenly out of count */
    oc_recipe recipe;    /* with mean 0 and deviation 1 */
    int threads;
    oc_renderer **renderers; /* (threads) */
    float **planes;          /* (threads) of (channels, height, width) */
    sums *sums;              /* (taken) */
    pthread_mutex_t lock;    /* over fatal */
    oc_error fatal;
} measure;

static size_t plane_size(const oc_recipe *recipe) {
    return (size_t)recipe->width * (size_t)recipe->height;
}

static void add_up(const oc_recipe *recipe, const float *planes, sums *out) {
    size_t size = plane_size(recipe);
    for (int c = 0; c < recipe->channels; c++) {
        double sum = 0, square = 0;
        for (size_t i = 0; i < size; i++) {
            double v = (double)planes[(size_t)c * size + i];
            sum += v;
            square += v * v;
        }
        out->sum[c] = sum;
        out->square[c] = square;
    }
    out->counted = true;
}

static void measure_item(void *ctx, size_t i, int worker) {
    measure *m = ctx;
    uint32_t item = m->items[(uint64_t)i * m->count / m->taken];
    const char *path = m->ds->items[item].face.path;
    oc_error told = {0};
    char reason[OCI_REASON_BYTES];
    if (oci_dataset_is_rejected(m->ds, item)) return;
    oc_status status =
        oci_render_path(m->renderers[worker], path, NULL, NULL, m->planes[worker], &told);
    if (status == OC_OK) {
        add_up(&m->recipe, m->planes[worker], &m->sums[i]);
    } else if (oci_is_fatal(status)) {
        (void)pthread_mutex_lock(&m->lock);
        if (m->fatal.status == OC_OK) m->fatal = told;
        (void)pthread_mutex_unlock(&m->lock);
    } else {
        oci_reason(reason, told.message, path);
        oc_dataset_reject(m->ds, item, reason);
    }
}

static oc_status prepare(measure *m, oc_error *err) {
    size_t threads = (size_t)m->threads;
    size_t bytes = plane_size(&m->recipe) * (size_t)m->recipe.channels * sizeof(float);
    m->renderers = oc_calloc(threads, sizeof(oc_renderer *));
    m->planes = oc_calloc(threads, sizeof(float *));
    m->sums = oc_calloc(m->taken, sizeof *m->sums);
    if (m->renderers == NULL || m->planes == NULL || m->sums == NULL) {
        return oc_fail_nomem(err, m->taken * sizeof *m->sums, "measuring mean and deviation");
    }
    for (size_t t = 0; t < threads; t++) {
        OC_TRY(oc_renderer_new(&m->renderers[t], &m->recipe, NULL, err));
        m->renderers[t]->store = m->ds->store;
        m->planes[t] = oc_malloc_aligned(bytes);
        if (m->planes[t] == NULL) return oc_fail_nomem(err, bytes, "the pixels of an image");
    }
    return OC_OK;
}

static void clean_up(measure *m) {
    for (size_t t = 0; t < (size_t)m->threads; t++) {
        if (m->renderers != NULL) oc_renderer_free(m->renderers[t]);
        if (m->planes != NULL) oc_free_aligned(m->planes[t]);
    }
    oc_free(m->renderers);
    oc_free(m->planes);
    oc_free(m->sums);
    (void)pthread_mutex_destroy(&m->lock);
}

static oc_status reduce(const measure *m, oc_recipe *recipe, oc_error *err) {
    sums all = {0};
    double n = 0;
    for (size_t i = 0; i < m->taken; i++) {
        if (!m->sums[i].counted) continue;
        n += (double)plane_size(&m->recipe);
        for (int c = 0; c < 3; c++) {
            all.sum[c] += m->sums[i].sum[c];
            all.square[c] += m->sums[i].square[c];
        }
    }
    if (n == 0) {
        return oc_fail(err, OC_EDATA, "%s: none of %zu images could be read to measure the mean",
                       m->ds->source, m->taken);
    }
    for (int c = 0; c < recipe->channels; c++) {
        double mean = all.sum[c] / n, variance = all.square[c] / n - mean * mean;
        double std = sqrt(variance > 0 ? variance : 0);
        double least = SMALLEST_STD * 255 / (double)recipe->unit;
        recipe->mean[c] = (float)mean;
        recipe->std[c] = (float)(std > least ? std : least);
    }
    return OC_OK;
}

oc_status oc_dataset_measure(oc_dataset *ds, const uint32_t *items, size_t count, size_t limit,
                             int threads, oc_recipe *recipe, oc_error *err) {
    measure m = {
        .ds = ds,
        .items = items,
        .count = count,
        .taken = limit > 0 && limit < count ? limit : count,
        .recipe = *recipe,
        .threads = threads > 0 ? threads : oc_cpu_count(),
    };
    oc_status status = OC_OK;
    for (int c = 0; c < 3; c++) {
        m.recipe.mean[c] = 0;
        m.recipe.std[c] = 1;
    }
    m.recipe.bgr = false;
    (void)pthread_mutex_init(&m.lock, NULL);
    OC_GOTO(prepare(&m, err));
    oc_parallel_for(m.taken, m.threads, measure_item, &m);
    if (m.fatal.status != OC_OK) {
        status = oc_fail(err, m.fatal.status, "%s", m.fatal.message);
        goto done;
    }
    status = reduce(&m, recipe, err);
done:
    clean_up(&m);
    return status;
}
