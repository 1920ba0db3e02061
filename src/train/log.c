/* log.jsonl: one line for a step now and then, one for every epoch. A resumed run cuts the file to
 * what its checkpoint knew and goes on from there, so that no epoch is told twice.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "train/train_int.h"

static oc_status told(const oci_journal *j, int number, oc_error *err) {
    return oc_fail_errno(err, OC_EIO, number, "cannot write %s", j->path);
}

oc_status oci_journal_size(oci_journal *j, uint64_t *bytes, oc_error *err) {
    struct stat st;
    if (fstat(j->fd, &st) != 0) return told(j, errno, err);
    *bytes = (uint64_t)st.st_size;
    return OC_OK;
}

oc_status oci_journal_open(oci_journal *j, const char *folder, uint64_t keep, oc_error *err) {
    uint64_t size = 0;
    OC_TRY(oc_path_join(j->path, folder, "log.jsonl", err));
    j->fd = open(j->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (j->fd < 0) return told(j, errno, err);
    OC_TRY(oci_journal_size(j, &size, err));
    if (size > keep && ftruncate(j->fd, (off_t)keep) != 0) return told(j, errno, err);
    return OC_OK;
}

void oci_journal_close(oci_journal *j) {
    if (j->fd >= 0) close(j->fd);
    j->fd = -1;
    oc_buf_clear(&j->line);
}

/* The line so far, with its newline, to the file. */
static oc_status write_line(oci_journal *j, oc_error *err) {
    OC_TRY(oc_buf_status(&j->line, err));
    const char *bytes = j->line.data;
    size_t left = j->line.size;
    while (left > 0) {
        ssize_t n = write(j->fd, bytes, left);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return told(j, errno, err);
        bytes += n;
        left -= (size_t)n;
    }
    return OC_OK;
}

static void put_number(oci_journal *j, const char *key, double value) {
    if (isfinite(value)) {
        oc_buf_printf(&j->line, ",\"%s\":%.6g", key, value);
    } else {
        oc_buf_printf(&j->line, ",\"%s\":null", key);
    }
}

oc_status oci_journal_step(oci_journal *j, const oci_position *p, double lr, double loss,
                           double rate, oc_error *err) {
    j->line.size = 0;
    oc_buf_printf(&j->line, "{\"event\":\"step\",\"epoch\":%d,\"step\":%llu", p->epoch + 1,
                  (unsigned long long)p->total);
    put_number(j, "loss", loss);
    put_number(j, "lr", lr);
    put_number(j, "images_per_second", rate);
    oc_buf_puts(&j->line, "}\n");
    return write_line(j, err);
}

static void put_times(oci_journal *j, const oc_train_times *t) {
    put_number(j, "data_seconds", t->data);
    put_number(j, "forward_seconds", t->forward);
    put_number(j, "backward_seconds", t->backward);
    put_number(j, "update_seconds", t->update);
    put_number(j, "validation_seconds", t->validation);
    put_number(j, "other_seconds", t->other);
}

oc_status oci_journal_epoch(oci_journal *j, const oc_epoch_summary *s, oc_error *err) {
    j->line.size = 0;
    oc_buf_printf(&j->line, "{\"event\":\"epoch\",\"epoch\":%d,\"epochs\":%d", s->epoch, s->epochs);
    put_number(j, "train_loss", s->train_loss);
    put_number(j, "train_accuracy", s->train_accuracy);
    put_number(j, "val_accuracy", s->val_accuracy);
    put_number(j, "val_loss", s->val_loss);
    put_number(j, "lr", s->lr);
    put_number(j, "seconds", s->seconds);
    put_number(j, "images_per_second", s->images_per_second);
    put_times(j, &s->times);
    oc_buf_printf(&j->line, ",\"bottleneck\":\"%s\",\"workers\":%d", s->bottleneck, s->workers);
    oc_buf_printf(&j->line, ",\"best\":%s}\n", s->best ? "true" : "false");
    return write_line(j, err);
}
