/* Stopping on request: SIGINT and SIGTERM.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_STOP_INT_H
#define OC_CLI_STOP_INT_H

#include <signal.h>

/* From now on SIGINT, SIGTERM and SIGHUP, unless ignored, set the flag that is returned; a second
 * SIGINT ends the program at once. Call once. */
const volatile sig_atomic_t *oci_stop_install(void);

#endif
