/* Signal handling. The flag below is the one mutable global of the program: a signal handler has no
 * argument through which it could reach anything else.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "stop_int.h"

#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t stop_requested;

static void on_signal(int number) {
    static const char words[] = "\nstopping after this step; Ctrl-C once more ends at once\n";
    if (stop_requested && number == SIGINT) _exit(128 + SIGINT);
    if (!stop_requested) {
        stop_requested = 1;
        ssize_t ignored = write(STDERR_FILENO, words, sizeof words - 1);
        (void)ignored;
    }
}

/* A signal that our parent has us ignore (nohup, a script's background job) stays ignored. */
static void handle(int number) {
    struct sigaction action, before;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler == SIG_IGN) return;
    sigaction(number, &action, NULL);
}

const volatile sig_atomic_t *oci_stop_install(void) {
    handle(SIGINT);
    handle(SIGTERM);
    handle(SIGHUP);                 /* the terminal went away */
    (void)signal(SIGXFSZ, SIG_IGN); /* a file too large is an error of its write */
    return &stop_requested;
}
