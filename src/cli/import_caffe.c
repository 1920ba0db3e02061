/* `ocellus import caffe --net FILE --weights FILE`: a classifier of Caffe.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "import_int.h"
#include "triple_int.h"

/* A file, or values as Caffe's users write them: in the network's order, of pixels 0..255. */
static oc_status read_mean(const oci_import_flags *flags, oc_caffe_files *files, oc_error *err) {
    if (flags->mean == NULL) return OC_OK;
    if (oc_path_extension(flags->mean)[0] != '\0' && oc_path_is_file(flags->mean)) {
        files->mean_file = flags->mean;
        return OC_OK;
    }
    files->has_mean = true;
    if (oci_parse_triple("mean", flags->mean, -1e4, 1e4, files->mean, NULL) == OC_OK) return OC_OK;
    return oc_fail(err, OC_EUSAGE,
                   "--mean %s: no such file; expected a .binaryproto or three numbers with commas "
                   "in the order B,G,R (for instance 104,117,123)",
                   flags->mean);
}

static oc_status read_caffe(const oci_import_flags *flags, oc_model *model, oc_error *err) {
    oc_caffe_files files = {.net = flags->net,
                            .weights = flags->weights,
                            .rgb = flags->order == 0,
                            .width = flags->size,
                            .height = flags->size};
    if (flags->source != NULL || flags->net == NULL || flags->weights == NULL) {
        return oc_fail(err, OC_EUSAGE,
                       "import caffe: give the network and its weights as --net deploy.prototxt "
                       "--weights FILE.caffemodel");
    }
    OC_TRY(read_mean(flags, &files, err));
    return oc_caffe_import(model, &files, flags->log, err);
}

const oci_import_kind oci_import_caffe = {.name = "caffe", .reads_mean = true, .read = read_caffe};
