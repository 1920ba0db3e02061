/* Values for the three colour channels, as typed.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "triple_int.h"

#include <string.h>

enum { TRIPLE_BYTES = 128 };

/* How many numbers `text` lists, at most three of them into out; 0 for anything else. */
static int read_numbers(const char *text, double min, double max, float out[3]) {
    char copy[TRIPLE_BYTES], *rest = NULL;
    size_t size = strlen(text);
    int count = 0;
    if (size >= sizeof copy) return 0;
    memcpy(copy, text, size + 1);
    for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        double value = 0;
        if (count == 3 || !oc_parse_f64(word, min, max, &value)) return 0;
        out[count++] = (float)value;
    }
    return count;
}

oc_status oci_parse_triple(const char *option, const char *text, double min, double max,
                           float out[3], oc_error *err) {
    int count = read_numbers(text, min, max, out);
    if (count == 1) out[1] = out[2] = out[0];
    if (count == 1 || count == 3) return OC_OK;
    return oc_fail(err, OC_EUSAGE,
                   "--%s %s: expected three numbers of %g to %g with commas (for instance "
                   "0.5,0.5,0.5)%s",
                   option, text, min, max,
                   strcmp(option, "mean") == 0 && min == 0 ? ", or imagenet, or measure" : "");
}
