/* What one decode may cost: bytes, pixels, scans, seconds.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image/image_int.h"

#include <inttypes.h>

enum { DEFAULT_MAX_SCANS = 100 };
static const uint64_t default_max_bytes = 256u << 20;
static const uint64_t default_max_pixels = 200000000;
static const double default_max_seconds = 10;

oci_budget oci_budget_start(const oc_image_limits *limits) {
    oc_image_limits asked = limits ? *limits : (oc_image_limits){0};
    oci_budget b = {
        .max_bytes = asked.max_bytes ? asked.max_bytes : default_max_bytes,
        .max_pixels = asked.max_pixels ? asked.max_pixels : default_max_pixels,
        .max_scans = asked.max_scans > 0 ? asked.max_scans : DEFAULT_MAX_SCANS,
        .max_seconds = asked.max_seconds > 0 ? asked.max_seconds : default_max_seconds,
    };
    b.deadline = oc_clock_seconds() + b.max_seconds;
    return b;
}

bool oci_budget_late(const oci_budget *budget) {
    return oc_clock_seconds() > budget->deadline;
}

oc_status oci_fail_late(oc_error *err, const oci_budget *budget, const char *format_name) {
    return oc_fail(err, OC_ELIMIT, "%s image takes more than its %.3g s to decode: shrink it",
                   format_name, budget->max_seconds);
}

oc_status oci_check_pixels(const oci_budget *budget, const char *format_name, uint64_t width,
                           uint64_t height, oc_error *err) {
    if (width == 0 || height == 0)
        return oc_fail(err, OC_EFORMAT,
                       "%s header says %" PRIu64 " x %" PRIu64 " pixels: both must be at least 1",
                       format_name, width, height);
    if (width > budget->max_pixels / height)
        return oc_fail(err, OC_ELIMIT,
                       "%s header says %" PRIu64 " x %" PRIu64 " pixels: at most %" PRIu64
                       " are decoded; shrink the image",
                       format_name, width, height, budget->max_pixels);
    return OC_OK;
}
