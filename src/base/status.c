/* The table of statuses, read back.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "ocellus/status.h"

typedef struct status_row {
    const char *name;
    const char *meaning;
    int exit_code;
    int http;
} status_row;

static const status_row rows[OC_STATUS_COUNT] = {
#define STATUS_ROW(name, exit_code, http, meaning) {#name, meaning, exit_code, http},
    OC_STATUS_MAP(STATUS_ROW)
#undef STATUS_ROW
};

/* A value outside the table is a broken promise, and is read as one. */
static const status_row *row_of(oc_status status) {
    unsigned i = (unsigned)status;
    return &rows[i < OC_STATUS_COUNT ? i : (unsigned)OC_EINTERNAL];
}

const char *oc_status_name(oc_status status) {
    return row_of(status)->name;
}

const char *oc_status_meaning(oc_status status) {
    return row_of(status)->meaning;
}

int oc_status_exit_code(oc_status status) {
    return row_of(status)->exit_code;
}

int oc_status_http(oc_status status) {
    return row_of(status)->http;
}
