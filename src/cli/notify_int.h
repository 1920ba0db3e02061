/* Word to the init system that started us (systemd's sd_notify protocol). Private to `cli`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_NOTIFY_INT_H
#define OC_CLI_NOTIFY_INT_H

/* Sends `state` ("READY=1", "STOPPING=1") to the socket that $NOTIFY_SOCKET names; without one, or
 * where nobody listens, it does nothing: the word is a courtesy. */
void oci_notify(const char *state);

#endif
