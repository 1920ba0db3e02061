/* Writes a made-up flower data set: a folder per species, JPEG files, a list of what was spoiled.
 * Each picture is drawn from its own key (seed, number): threads and order change nothing.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "synth_int.h"

enum { DEFAULT_SIZE = 128, MIN_SIZE = 16, MAX_SIZE = 2048 };
static const double max_pictures = 1e8;

typedef struct worker {
    oci_canvas canvas;
    oc_image image;
    oc_buf file;
    oc_status status; /* first failure of this worker */
    oc_error error;
} worker;

typedef struct synth_job {
    const char *out;
    const oc_synth_options *options;
    oci_spoil *spoil; /* (pictures) */
    worker *workers;
} synth_job;

static oc_status picture_path(const synth_job *job, size_t i, char path[OC_PATH_BYTES],
                              oc_error *err) {
    oci_species species;
    size_t per_class = (size_t)job->options->per_class;
    oci_species_make(&species, (int)(i / per_class));
    char name[96];
    snprintf(name, sizeof name, "%s/%03zu.jpg", species.name, i % per_class + 1);
    return oc_path_join(path, job->out, name, err);
}

/* The picture whose content file i shows: itself, or for a duplicate its neighbour. */
static size_t content_of(const synth_job *job, size_t i) {
    size_t per_class = (size_t)job->options->per_class, first = i / per_class * per_class;
    if (job->spoil[i] != OCI_SPOIL_DUPLICATE) return i;
    for (size_t k = 1; k < per_class; k++) {
        size_t other = first + (i - first + k) % per_class;
        if (job->spoil[other] == OCI_SPOIL_NONE) return other;
    }
    return i;
}

static oc_status draw(const synth_job *job, size_t i, worker *w, oc_error *err) {
    const oc_synth_options *o = job->options;
    size_t content = content_of(job, i);
    oc_rng rng;
    oc_rng_init(&rng, o->seed, OC_RNG_SYNTH, 2, content);
    int species = (int)(content / (size_t)o->per_class);
    oci_spoil kind = job->spoil[content];
    if (kind == OCI_SPOIL_MISLABELLED)
        species = (species + 1 + (int)oc_rng_below(&rng, (uint32_t)o->classes - 1)) % o->classes;
    float blur = kind == OCI_SPOIL_BLURRED ? (float)o->size / 20 : 0;
    OC_TRY(oci_draw_picture(&w->canvas, species, blur, &rng, &w->image, err));
    w->file.size = 0;
    OC_TRY(oc_encode_jpeg(&w->image, 82 + (int)oc_rng_below(&rng, 14), &w->file, err));
    oci_spoil_bytes(&w->file, kind, &rng);
    char path[OC_PATH_BYTES];
    OC_TRY(picture_path(job, i, path, err));
    return oc_file_put(path, w->file.data, w->file.size, err);
}

static void draw_one(void *ctx, size_t i, int number) {
    synth_job *job = ctx;
    worker *w = &job->workers[number];
    if (w->status != OC_OK) return;
    if (w->canvas.size == 0) w->status = oci_canvas_init(&w->canvas, job->options->size, &w->error);
    if (w->status == OC_OK) w->status = draw(job, i, w, &w->error);
}

static oc_status make_folders(const synth_job *job, oc_error *err) {
    for (int c = 0; c < job->options->classes; c++) {
        oci_species species;
        char path[OC_PATH_BYTES];
        oci_species_make(&species, c);
        OC_TRY(oc_path_join(path, job->out, species.name, err));
        OC_TRY(oc_path_make_dirs(path, err));
    }
    return OC_OK;
}

static oc_status write_spoiled(const synth_job *job, size_t count, oc_error *err) {
    oc_buf text = {0};
    char path[OC_PATH_BYTES];
    oci_species species;
    oc_buf_puts(&text, "path,kind\n");
    for (size_t i = 0; i < count; i++) {
        if (job->spoil[i] == OCI_SPOIL_NONE) continue;
        oci_species_make(&species, (int)(i / (size_t)job->options->per_class));
        oc_buf_printf(&text, "%s/%03zu.jpg,%s\n", species.name,
                      i % (size_t)job->options->per_class + 1, oci_spoil_name(job->spoil[i]));
    }
    oc_status status = oc_buf_status(&text, err);
    if (status == OC_OK) status = oc_path_join(path, job->out, "spoiled.csv", err);
    if (status == OC_OK) status = oc_file_write(path, text.data, text.size, err);
    oc_buf_clear(&text);
    return status;
}

static oc_status check(const oc_synth_options *o, oc_error *err) {
    if (o->classes < 1 || o->per_class < 1)
        return oc_fail(err, OC_EUSAGE,
                       "made-up data: %d classes of %d pictures; both need 1 or more", o->classes,
                       o->per_class);
    if ((double)o->classes * o->per_class > max_pictures)
        return oc_fail(err, OC_EUSAGE, "made-up data: %d classes of %d pictures are more than %.0f",
                       o->classes, o->per_class, max_pictures);
    if (o->size < MIN_SIZE || o->size > MAX_SIZE)
        return oc_fail(err, OC_EUSAGE, "made-up data: size %d; %d to %d pixels are possible",
                       o->size, MIN_SIZE, MAX_SIZE);
    if (o->pool < 0 || o->pool > o->classes)
        return oc_fail(
            err, OC_EUSAGE,
            "made-up data: a pool of %d pictures; 1 to %d, one for each class, make sense", o->pool,
            o->classes);
    if (!(o->spoil >= 0 && o->spoil <= 1))
        return oc_fail(err, OC_EUSAGE,
                       "made-up data: share %g of spoiled files; 0 to 1 is possible", o->spoil);
    return OC_OK;
}

static oc_status draw_all(synth_job *job, size_t count, int threads, oc_error *err) {
    oc_parallel_for(count, threads, draw_one, job);
    for (int k = 0; k < threads; k++)
        if (job->workers[k].status != OC_OK) {
            if (err) *err = job->workers[k].error;
            return job->workers[k].status;
        }
    return OC_OK;
}

static void clear(synth_job *job, int threads) {
    for (int k = 0; job->workers && k < threads; k++) {
        oci_canvas_clear(&job->workers[k].canvas);
        oc_image_clear(&job->workers[k].image);
        oc_buf_clear(&job->workers[k].file);
    }
    oc_free(job->workers);
    oc_free(job->spoil);
}

oc_status oc_synth(const char *out, const oc_synth_options *options, oc_error *err) {
    oc_synth_options o = *options;
    if (o.size == 0) o.size = DEFAULT_SIZE;
    OC_TRY(check(&o, err));
    if (o.pool > 0) return oci_synth_pool(out, &o, err);
    int threads = o.threads > 0 ? o.threads : oc_cpu_count();
    size_t count = (size_t)o.classes * (size_t)o.per_class;
    synth_job job = {.out = out, .options = &o};
    oc_status status = OC_OK;
    job.spoil = oc_calloc(count, sizeof *job.spoil);
    job.workers = oc_calloc((size_t)threads, sizeof *job.workers);
    if (!job.spoil || !job.workers)
        OC_GOTO(oc_fail_nomem(err, count * sizeof *job.spoil, "made-up data"));
    oci_spoil_choose(job.spoil, count, o.spoil, o.seed);
    if (o.classes == 1) /* there is no other class to mislabel as */
        for (size_t i = 0; i < count; i++)
            if (job.spoil[i] == OCI_SPOIL_MISLABELLED) job.spoil[i] = OCI_SPOIL_BLURRED;
    OC_GOTO(make_folders(&job, err));
    OC_GOTO(draw_all(&job, count, threads, err));
    if (o.spoil > 0) OC_GOTO(write_spoiled(&job, count, err));
done:
    clear(&job, threads);
    return status;
}
