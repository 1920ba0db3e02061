/* The look into every file before training: bad ones are found here, not in the middle of an epoch.
 *
 * A full look decodes the image at the smallest scale, which reads every byte of it. Beyond a
 * budget of those, only the header and the end are read; a file whose end looks wrong gets the full
 * look all the same, so that the quick look never rejects what the full one would take. Reasons are
 * collected by item and told in item order: threads do not change the outcome.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/store_int.h"

enum { FULL_DEFAULT = 20000, HEAD_BYTES = 64 << 10, TAIL_BYTES = 4 << 10 };

typedef struct scanner { /* of one thread */
    oc_decoder *decoder;
    oc_image image;
    char *bytes;
    size_t capacity;
} scanner;

typedef struct scan {
    oc_dataset *ds;
    oc_image_limits limits;
    size_t full_up_to;
    scanner *scanners; /* (threads) */
    int threads;
    char **reasons;       /* (count) by item; NULL = good */
    pthread_mutex_t lock; /* over what follows */
    oc_error fatal;       /* the first failure that is not an item's */
} scan;

/* The size, the first HEAD_BYTES and the last TAIL_BYTES: the same for the quick and the full look.
 */
static uint64_t print_of(uint64_t size, const char *head, size_t head_bytes, const char *tail,
                         size_t tail_bytes) {
    return oc_hash64(tail, tail_bytes, oc_hash64(head, head_bytes, size)) | 1;
}

/* ---- one file -------------------------------------------------------------------------------- */

static size_t budget_of(const scan *s) {
    return s->limits.max_bytes == 0 ? (size_t)256 << 20 : (size_t)s->limits.max_bytes;
}

static void note_size(oc_item *item, const oc_image_info *info) {
    item->width = info->width;
    item->height = info->height;
}

static oc_status look_fully(const scan *s, scanner *own, oc_item *item, oc_error *err) {
    size_t size = 0;
    oc_image_info info;
    oc_decode_options options = {.min_width = 1, .min_height = 1, .limits = s->limits};
    OC_TRY(oci_store_read(s->ds->store, item->path, budget_of(s), &own->bytes, &own->capacity,
                          &size, err));
    size_t head = size < HEAD_BYTES ? size : HEAD_BYTES;
    size_t tail = size < TAIL_BYTES ? size : TAIL_BYTES;
    item->print = print_of(size, own->bytes, head, own->bytes + size - tail, tail);
    OC_TRY(oc_decode(own->decoder, own->bytes, size, &options, &own->image, &info, err));
    note_size(item, &info);
    item->whole = true;
    return OC_OK;
}

/* Read [from, from + size) of a regular file; false when that cannot be had. */
static bool read_range(int fd, off_t from, size_t size, char *to) {
    for (size_t n = 0; n < size;) {
        ssize_t got = pread(fd, to + n, size - n, from + (off_t)n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        n += (size_t)got;
    }
    return true;
}

/* The first HEAD_BYTES and the last TAIL_BYTES of a file of `size` bytes (both overlap when it is
 * small), behind each other in own->bytes. */
static bool read_ends(scanner *own, const char *path, size_t *head, size_t *tail, uint64_t *print) {
    struct stat st;
    bool read = false;
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        size_t size = (size_t)st.st_size;
        *head = size < HEAD_BYTES ? size : HEAD_BYTES;
        *tail = size < TAIL_BYTES ? size : TAIL_BYTES;
        read = oc_grow(&own->bytes, &own->capacity, HEAD_BYTES + TAIL_BYTES, 1, NULL) == OC_OK &&
               read_range(fd, 0, *head, own->bytes) &&
               read_range(fd, st.st_size - (off_t)*tail, *tail, own->bytes + *head);
        if (read) *print = print_of(size, own->bytes, *head, own->bytes + *head, *tail);
    }
    (void)close(fd);
    return read;
}

static bool holds(const char *bytes, size_t size, const char *mark, size_t length) {
    for (size_t i = 0; i + length <= size; i++) {
        if (memcmp(bytes + i, mark, length) == 0) return true;
    }
    return false;
}

/* Whether the end of the file is one of its format. A WebP says in its header how long it is. */
static bool ends_well(oc_image_format format, const char *tail, size_t size) {
    if (format == OC_FORMAT_JPEG) return holds(tail, size, "\xFF\xD9", 2);
    if (format == OC_FORMAT_PNG) return holds(tail, size, "IEND\xAE\x42\x60\x82", 8);
    return false;
}

/* The same of a record, which is read whole: it is mapped, and its neighbours are wanted next. */
static bool cut_ends(const scan *s, scanner *own, const char *path, size_t *head, size_t *tail,
                     uint64_t *print) {
    size_t size = 0, ends = HEAD_BYTES + TAIL_BYTES;
    if (oci_store_read(s->ds->store, path, budget_of(s), &own->bytes, &own->capacity, &size,
                       NULL) != OC_OK ||
        oc_grow(&own->bytes, &own->capacity, size > ends ? size : ends, 1, NULL) != OC_OK)
        return false;
    *head = size < HEAD_BYTES ? size : HEAD_BYTES;
    *tail = size < TAIL_BYTES ? size : TAIL_BYTES;
    memmove(own->bytes + *head, own->bytes + size - *tail, *tail);
    *print = print_of(size, own->bytes, *head, own->bytes + *head, *tail);
    return true;
}

/* True when header and end are in order; false means no more than "look again". */
static bool looks_good(const scan *s, scanner *own, oc_item *item) {
    size_t head = 0, tail = 0;
    oc_image_info info;
    bool read = s->ds->store != NULL ? cut_ends(s, own, item->path, &head, &tail, &item->print)
                                     : read_ends(own, item->path, &head, &tail, &item->print);
    if (!read) return false;
    if (oc_image_probe(own->bytes, head, &s->limits, &info, NULL) != OC_OK) return false;
    note_size(item, &info);
    return ends_well(info.format, own->bytes + head, tail);
}

/* ---- all files
 * ----------------------------------------------------------------------------------- */

static void note_fatal(scan *s, const oc_error *told) {
    (void)pthread_mutex_lock(&s->lock);
    if (s->fatal.status == OC_OK) s->fatal = *told;
    (void)pthread_mutex_unlock(&s->lock);
}

/* Items that get the full look lie evenly over the data set. */
static bool is_full(const scan *s, size_t i) {
    size_t count = s->ds->count;
    if (s->full_up_to >= count) return true;
    uint64_t before = (uint64_t)i * s->full_up_to / count;
    return (uint64_t)(i + 1) * s->full_up_to / count != before;
}

static void scan_item(void *ctx, size_t i, int worker) {
    scan *s = ctx;
    scanner *own = &s->scanners[worker];
    oc_item *item = &s->ds->items[i].face;
    oc_error told = {0};
    char reason[OCI_REASON_BYTES];
    if (item->rejected) return;
    if (!is_full(s, i) && looks_good(s, own, item)) return;
    oc_status status = look_fully(s, own, item, &told);
    if (status == OC_OK) return;
    oci_reason(reason, told.message, item->path);
    s->reasons[i] = oci_is_fatal(status) ? NULL : oc_strdup(reason);
    if (s->reasons[i] != NULL) return;
    if (!oci_is_fatal(status)) (void)oc_fail_nomem(&told, strlen(reason) + 1, "a reason");
    note_fatal(s, &told);
}

static void reject_bad(scan *s) {
    for (size_t i = 0; i < s->ds->count; i++) {
        if (s->reasons[i] != NULL) oc_dataset_reject(s->ds, i, s->reasons[i]);
    }
}

static oc_status prepare(scan *s, oc_error *err) {
    s->scanners = oc_calloc((size_t)s->threads, sizeof *s->scanners);
    s->reasons = oc_calloc(s->ds->count, sizeof *s->reasons);
    if (s->scanners == NULL || s->reasons == NULL) {
        return oc_fail_nomem(err, s->ds->count * sizeof *s->reasons, "looking at files");
    }
    for (int t = 0; t < s->threads; t++) OC_TRY(oc_decoder_new(&s->scanners[t].decoder, err));
    return OC_OK;
}

static void clean_up(scan *s) {
    for (int t = 0; t < s->threads && s->scanners != NULL; t++) {
        oc_decoder_free(s->scanners[t].decoder);
        oc_image_clear(&s->scanners[t].image);
        oc_free(s->scanners[t].bytes);
    }
    for (size_t i = 0; i < s->ds->count && s->reasons != NULL; i++) oc_free(s->reasons[i]);
    oc_free(s->scanners);
    oc_free(s->reasons);
    (void)pthread_mutex_destroy(&s->lock);
}

oc_status oc_dataset_scan(oc_dataset *ds, const oc_scan_options *options, oc_error *err) {
    static const oc_scan_options defaults = {0};
    const oc_scan_options *o = options == NULL ? &defaults : options;
    scan s = {
        .ds = ds,
        .limits = o->limits,
        .full_up_to = o->full_up_to == 0 ? FULL_DEFAULT : o->full_up_to,
        .threads = o->threads > 0 ? o->threads : oc_cpu_count(),
    };
    oc_status status = OC_OK;
    (void)pthread_mutex_init(&s.lock, NULL);
    OC_GOTO(prepare(&s, err));
    oc_parallel_for(ds->count, s.threads, scan_item, &s);
    if (s.fatal.status != OC_OK) {
        status = oc_fail(err, s.fatal.status, "%s", s.fatal.message);
        goto done;
    }
    reject_bad(&s);
done:
    clean_up(&s);
    return status;
}
