/* The writer of TensorBoard's event files, as its parts see it. Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_TENSORBOARD_EVENTS_INT_H
#define OC_INTEROP_TENSORBOARD_EVENTS_INT_H

#include "interop/interop.h"
#include "interop/wire_int.h"

/* CRC-32C (Castagnoli; RFC 3720, section 12.1 and appendix B.4). */
uint32_t oci_crc32c(const void *bytes, size_t size);
/* As record framing stores it, so that a sum over bytes that hold sums is no weak one. */
uint32_t oci_crc32c_masked(const void *bytes, size_t size);

enum { OCI_SIDE_BUCKETS = 774 };                /* limits 1e-12 * 1.1^i below 1e20 */
enum { OCI_KEY_SHIFT = 16, OCI_KEYS = 0x7F80 }; /* of finite floats without their sign */

/* A message is put together in `part`, closed into `value`, that into `summary`, that into
 * `record`: buffers that are kept, so that a step's numbers take no memory once they have grown. */
struct oc_events {
    int fd;
    char path[OC_PATH_BYTES];
    oc_buf part, value, summary, record;
    double *limits;   /* histograms: (OCI_SIDE_BUCKETS + 1), made for the first */
    uint64_t *counts; /* (2 * OCI_SIDE_BUCKETS + 3) */
    uint16_t *below;  /* (OCI_KEYS) */
};

/* Field numbers of tensorboard/compat/proto/{event,summary}.proto. */
enum {
    OCI_EVENT_WALL_TIME = 1,
    OCI_EVENT_STEP = 2,
    OCI_EVENT_FILE_VERSION = 3,
    OCI_EVENT_SUMMARY = 5,
    OCI_EVENT_SESSION_LOG = 7,
    OCI_SUMMARY_VALUE = 1,
    OCI_VALUE_TAG = 1,
    OCI_VALUE_SIMPLE = 2,
    OCI_VALUE_IMAGE = 4,
    OCI_VALUE_HISTOGRAM = 5,
    OCI_VALUE_TENSOR = 8,
    OCI_VALUE_METADATA = 9
};

/* The value under way becomes one of the summary under way. */
void oci_events_close_value(oc_events *e);
/* The summary under way becomes an event of `step`, on its way to the disk. */
OC_MUST_CHECK oc_status oci_events_send(oc_events *e, uint64_t step, oc_error *err);

#endif
