/* See spin.c. Private to `cli`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_CLI_SPIN_INT_H
#define OC_CLI_SPIN_INT_H

/* Start the program anew with a short spin for waiting threads, unless the user chose one; returns
 * where that is not possible or already done. First thing in main. */
void oci_spin_briefly(char **argv);

#endif
