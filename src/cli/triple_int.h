/* A value for each colour channel, as typed: "0.485,0.456,0.406".
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_TRIPLE_INT_H
#define OC_CLI_TRIPLE_INT_H

#include "base/base.h"

/* Three numbers of min..max with commas, or one for all three; OC_EUSAGE names the option. */
OC_MUST_CHECK oc_status oci_parse_triple(const char *option, const char *text, double min,
                                         double max, float out[3], oc_error *err);

#endif
