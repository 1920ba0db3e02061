/* A datagram to the socket that $NOTIFY_SOCKET names: "ready" only when it is true, so that
 * `systemctl start` waits for the server and fails with it.
 *
 * The protocol is one line of sd_notify(3), which promises that it stays; a library for it would
 * bring half a dozen more into a server.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "notify_int.h"

/* A path, or with '@' in front a name without a file; false where it does not fit. */
static bool fill_address(struct sockaddr_un *address, socklen_t *size, const char *name) {
    size_t length = strlen(name);
    if ((name[0] != '/' && name[0] != '@') || length >= sizeof address->sun_path) return false;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, name, length);
    if (name[0] == '@') address->sun_path[0] = '\0';
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return true;
}

void oci_notify(const char *state) {
    struct sockaddr_un address;
    socklen_t size = 0;
    const char *name = getenv("NOTIFY_SOCKET");
    if (name == NULL || !fill_address(&address, &size, name)) return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
    (void)close(fd);
}
