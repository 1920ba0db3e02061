/* Caffe's messages, and what its parts here share. Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_CAFFE_INT_H
#define OC_INTEROP_CAFFE_INT_H

#include "interop/proto_int.h"

/* The fields and their numbers are the facts of Caffe's published caffe.proto. Of messages that
 * belong to layers which classification nets do not have, only the presence is known. */
extern const oci_proto_type oci_caffe_net;    /* NetParameter: .prototxt, .caffemodel */
extern const oci_proto_type oci_caffe_solver; /* SolverParameter: solver.prototxt */
extern const oci_proto_type oci_caffe_blob;   /* BlobProto: mean .binaryproto */
extern const oci_proto_type oci_caffe_datum;  /* Datum: a record of an LMDB */

/* A text file (.prototxt) as a tree in `pool`. OC_ENOTFOUND, OC_EIO; else as oci_proto_parse_text.
 */
OC_MUST_CHECK oc_status oci_caffe_read_text(const oci_proto_type *type, const char *path,
                                            oc_pool *pool, const oci_proto **out, oc_error *err);

/* Values of Phase. */
typedef enum oci_caffe_phase { OCI_CAFFE_TRAIN = 0, OCI_CAFFE_TEST = 1 } oci_caffe_phase;

#endif
