/* The Python of the peers (scripts/peers.sh): other programs that read and write what we do.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_PEERS_H
#define OC_TESTS_PEERS_H

#include "../check.h"

#ifndef OC_SOURCE_DIR /* the build says where the checkout is */
#define OC_SOURCE_DIR "."
#endif

/* The interpreter of OC_PEERS, else of build/peers; false where it is absent. */
static inline bool peers_python(char python[OC_PATH_BYTES]) {
    const char *folder = getenv("OC_PEERS");
    (void)snprintf(python, OC_PATH_BYTES, "%s/bin/python",
                   folder != NULL ? folder : OC_SOURCE_DIR "/build/peers");
    return oc_path_exists(python);
}

/* Runs tests/interop/SCRIPT OPTION FOLDER by it; skips the test where there is none. */
static inline void peers_run(const char *script, const char *option, const char *folder) {
    char python[OC_PATH_BYTES], command[3 * OC_PATH_BYTES];
    if (!peers_python(python)) {
        print_message("skipped: no peers in OC_PEERS or build/peers (scripts/peers.sh)\n");
        skip();
    }
    (void)snprintf(command, sizeof command, "'%s' '" OC_SOURCE_DIR "/tests/interop/%s' %s '%s'",
                   python, script, option, folder);
    if (system(command) != 0) fail_msg("%s", command);
}

#endif
