/* TensorBoard's event files: records of protocol buffers, framed as TFRecords.
 *
 *   u64 length, u32 masked CRC-32C of it, the Event, u32 masked CRC-32C of that; little-endian
 *
 * A record goes to the file by one write: what a killed process leaves is readable up to its last
 * record. A run that goes on does so in a new file, which says from which step on older ones are
 * void; a reader that has the old file open is not disturbed.
 * (github.com/tensorflow/tensorboard: compat/proto, summary/writer/record_writer.py)
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "interop/tensorboard/events_int.h"

enum { LENGTH_BYTES = 8, CRC_BYTES = 4, HEAD_BYTES = LENGTH_BYTES + CRC_BYTES };
enum { SESSION_START = 1, SESSION_STATUS = 1 };
enum { NAME_BYTES = 64 };
static const char prefix[] = "events.out.tfevents.";
static const int64_t LAST_SECOND = 9999999998; /* of ten digits, and one to spare */

/* ---- records ----------------------------------------------------------------------------------
 */

static void put_little(char *at, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) at[i] = (char)(uint8_t)(value >> (8 * i));
}

static oc_status write_all(const oc_events *e, const char *bytes, size_t left, oc_error *err) {
    while (left > 0) {
        ssize_t n = write(e->fd, bytes, left);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return oc_fail_errno(err, OC_EIO, errno, "cannot write %s", e->path);
        bytes += n;
        left -= (size_t)n;
    }
    return OC_OK;
}

/* Room for the frame's head, then what all events begin with. */
static void begin_record(oc_events *e, uint64_t step) {
    static const char head[HEAD_BYTES] = {0};
    e->record.size = 0;
    oc_buf_append(&e->record, head, sizeof head);
    oci_wire_put_double(&e->record, OCI_EVENT_WALL_TIME, oc_clock_wall());
    if (step > 0) oci_wire_put_varint(&e->record, OCI_EVENT_STEP, step);
}

static oc_status end_record(oc_events *e, oc_error *err) {
    OC_TRY(oc_buf_status(&e->record, err));
    char tail[CRC_BYTES], *head = e->record.data;
    size_t size = e->record.size - HEAD_BYTES;
    put_little(head, size, LENGTH_BYTES);
    put_little(head + LENGTH_BYTES, oci_crc32c_masked(head, LENGTH_BYTES), CRC_BYTES);
    put_little(tail, oci_crc32c_masked(head + HEAD_BYTES, size), CRC_BYTES);
    oc_buf_append(&e->record, tail, sizeof tail);
    OC_TRY(oc_buf_status(&e->record, err));
    return write_all(e, e->record.data, e->record.size, err);
}

void oci_events_close_value(oc_events *e) {
    oci_wire_put_message(&e->summary, OCI_SUMMARY_VALUE, &e->value);
}

oc_status oci_events_send(oc_events *e, uint64_t step, oc_error *err) {
    begin_record(e, step);
    oci_wire_put_message(&e->record, OCI_EVENT_SUMMARY, &e->summary);
    return end_record(e, err);
}

/* ---- files ------------------------------------------------------------------------------------
 */

/* Seconds in the name of an event file, whoever wrote it; -1 for other files. */
static int64_t second_of(const char *name) {
    char digits[NAME_BYTES];
    int64_t second = 0;
    if (!oc_starts_with(name, prefix)) return -1;
    name += sizeof prefix - 1;
    size_t count = strspn(name, "0123456789");
    if (count == 0 || count >= sizeof digits) return -1;
    memcpy(digits, name, count);
    digits[count] = '\0';
    return oc_parse_i64(digits, 0, LAST_SECOND, &second) ? second : -1;
}

/* Now, but behind what is there: readers take files in the order of their names. */
static oc_status next_second(const char *folder, int64_t *out, oc_error *err) {
    oc_path_list list = {0};
    *out = (int64_t)oc_clock_wall();
    OC_TRY(oc_path_list_dir(folder, false, &list, err));
    for (size_t i = 0; i < list.count; i++) {
        int64_t second = second_of(list.names[i]);
        if (second >= *out) *out = second + 1;
    }
    oc_path_list_free(&list);
    return OC_OK;
}

static oc_status create(oc_events *e, const char *folder, oc_error *err) {
    char name[NAME_BYTES];
    int64_t second = 0;
    OC_TRY(next_second(folder, &second, err));
    (void)snprintf(name, sizeof name, "%s%010lld.ocellus", prefix, (long long)second);
    OC_TRY(oc_path_join(e->path, folder, name, err));
    e->fd = open(e->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (e->fd < 0) return oc_fail_errno(err, OC_EIO, errno, "cannot write %s", e->path);
    return OC_OK;
}

/* The version of the format; and the step from which on an earlier file is void. */
static oc_status introduce(oc_events *e, uint64_t from, oc_error *err) {
    begin_record(e, 0);
    oci_wire_put_text(&e->record, OCI_EVENT_FILE_VERSION, "brain.Event:2");
    OC_TRY(end_record(e, err));
    if (from == 0) return OC_OK;
    begin_record(e, from);
    oci_wire_put_varint(&e->part, SESSION_STATUS, SESSION_START);
    oci_wire_put_message(&e->record, OCI_EVENT_SESSION_LOG, &e->part);
    return end_record(e, err);
}

oc_status oc_events_open(oc_events **out, const char *folder, uint64_t from, oc_error *err) {
    *out = NULL;
    oc_status status = OC_OK;
    oc_events *e = oc_calloc(1, sizeof *e);
    if (e == NULL) return oc_fail_nomem(err, sizeof *e, "an event file");
    e->fd = -1;
    OC_GOTO(create(e, folder, err));
    OC_GOTO(introduce(e, from, err));
    *out = e;
done:
    if (status != OC_OK) oc_events_close(e);
    return status;
}

void oc_events_close(oc_events *e) {
    if (e == NULL) return;
    if (e->fd >= 0) close(e->fd);
    oc_buf_clear(&e->part);
    oc_buf_clear(&e->value);
    oc_buf_clear(&e->summary);
    oc_buf_clear(&e->record);
    oc_free(e->limits);
    oc_free(e->counts);
    oc_free(e->below);
    oc_free(e);
}

oc_status oc_events_remove(const char *folder, oc_error *err) {
    char path[OC_PATH_BYTES];
    oc_path_list list = {0};
    oc_status status = OC_OK;
    OC_TRY(oc_path_list_dir(folder, false, &list, err));
    for (size_t i = 0; i < list.count; i++) {
        if (!oc_starts_with(list.names[i], prefix)) continue;
        OC_GOTO(oc_path_join(path, folder, list.names[i], err));
        OC_GOTO(oc_path_remove_tree(path, err));
    }
done:
    oc_path_list_free(&list);
    return status;
}

/* ---- what they say ----------------------------------------------------------------------------
 */

oc_status oc_events_scalars(oc_events *e, uint64_t step, const oc_scalar *scalars, size_t count,
                            oc_error *err) {
    for (size_t i = 0; i < count; i++) {
        oci_wire_put_text(&e->value, OCI_VALUE_TAG, scalars[i].tag);
        oci_wire_put_float(&e->value, OCI_VALUE_SIMPLE, (float)scalars[i].value);
        oci_events_close_value(e);
    }
    return oci_events_send(e, step, err);
}

oc_status oc_events_image(oc_events *e, uint64_t step, const char *tag, const oc_image *img,
                          int quality, oc_error *err) {
    enum { HEIGHT = 1, WIDTH, CHANNELS, ENCODED };
    oc_buf file = {0};
    oc_status status = OC_OK;
    if (quality > 0)
        OC_GOTO(oc_encode_jpeg(img, quality, &file, err));
    else
        OC_GOTO(oc_encode_png(img, &file, err));
    oci_wire_put_text(&e->value, OCI_VALUE_TAG, tag);
    oci_wire_put_varint(&e->part, HEIGHT, (uint64_t)img->height);
    oci_wire_put_varint(&e->part, WIDTH, (uint64_t)img->width);
    oci_wire_put_varint(&e->part, CHANNELS, (uint64_t)img->channels);
    oci_wire_put_bytes(&e->part, ENCODED, file.data, file.size);
    oci_wire_put_message(&e->value, OCI_VALUE_IMAGE, &e->part);
    oci_events_close_value(e);
    status = oci_events_send(e, step, err);
done:
    oc_buf_clear(&file);
    return status;
}
