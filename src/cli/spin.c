/* How long idle threads of the maths library spin before they sleep.
 *
 * GCC's OpenMP lets a thread that waits at the end of a loop spin for about a millisecond. Alone on
 * the machine that is a little faster than sleeping; beside the loader's threads, or any other
 * program, the spinning takes the core from the very thread that is waited for: measured on two
 * cores with one busy neighbour, training becomes 3 to 15 times slower. A short spin keeps both.
 * The library reads its setting before main, hence the second start of the program, which costs
 * about two milliseconds; a setting of the user's own is left alone.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "spin_int.h"

void oci_spin_briefly(char **argv) {
    static const char short_spin[] = "2000"; /* turns of the loop; the default is 300,000 */
    static const char self[] = "/proc/self/exe";
    char path[OC_PATH_BYTES] = "";
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY")) return;
    if (setenv("GOMP_SPINCOUNT", short_spin, 0) != 0) return;
    ssize_t size = readlink(self, path, sizeof path - 1);
    bool whole = size > 0 && (size_t)size < sizeof path - 1;
    if (whole) execv(path, argv); /* so that ps and pgrep know it by its name, not as "exe" */
    execv(self, argv);            /* comes back only where there is no /proc: then as before */
}
