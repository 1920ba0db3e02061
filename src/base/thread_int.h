/* The reading of a CPU quota, for its test. Private to `base`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_BASE_THREAD_INT_H
#define OC_BASE_THREAD_INT_H

/* Cores that a cgroup v2 `cpu.max` line ("150000 100000", "max 100000") allows, rounded up; 0 when
 * it sets no limit. */
int oci_cpus_by_quota(const char *cpu_max);

#endif
