/* One list of cases for every engine: single ops with odd attributes and sizes, and small networks.
 * What a case means is in harness.h.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_TESTS_ENGINE_CASES_H
#define OC_TESTS_ENGINE_CASES_H

#include "nn/nn.h"

typedef struct engine_case {
    const char *name;
    int n, c, h, w; /* of the input */
    oc_op op;       /* one op behind a layer that scales each channel, so that its input has a
                       gradient that shows */
    oc_attrs attrs; /* of op; 0 = the op's default where 0 is not allowed */
    int (*net)(oc_build *b, int x); /* or a whole network behind the input, returning its end */
    bool freeze_stats;
    bool fixed_prefix; /* the first half of the parameters is not trained */
} engine_case;

extern const engine_case CASES[];
extern const size_t CASE_COUNT;

#endif
