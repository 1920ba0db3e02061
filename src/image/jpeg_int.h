/* Between jpeg.c and the reader of its scans.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_IMAGE_JPEG_INT_H
#define OC_IMAGE_JPEG_INT_H

#include "image/image_int.h"

#include <stdio.h>

#include <jpeglib.h>

typedef struct oci_jpeg_scan oci_jpeg_scan; /* its tables and window, kept between images */
OC_MUST_CHECK oc_status oci_jpeg_scan_new(oci_jpeg_scan **out, oc_error *err);
void oci_jpeg_scan_free(oci_jpeg_scan *scan); /* NULL does nothing */

/* Right after jpeg_start_decompress, where the source is all in memory: read this scan in libjpeg's
 * place, if it is of the ordinary kind (one scan, Huffman, no restarts); else leave it to libjpeg.
 * The coefficients are the same. Damage leaves by err->error_exit, which must not return. */
void oci_jpeg_scan_take(oci_jpeg_scan *scan, j_decompress_ptr cinfo);

#endif
