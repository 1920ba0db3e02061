/* Caffe's messages, and what its parts here share. Private to `interop`.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_CAFFE_CAFFE_INT_H
#define OC_INTEROP_CAFFE_CAFFE_INT_H

#include "interop/caffe/proto_int.h"
#include "nn/nn.h"

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

/* ---- layers -------------------------------------------------------------------------------- */

enum { OCI_CAFFE_MAX_LAYERS = 10000 };

/* A blob: the top-th output of a layer. */
typedef struct oci_caffe_blob_ref {
    int layer, top; /* layer = -1: none */
} oci_caffe_blob_ref;

/* A layer that counts in a phase, in either form; inputs that a net declares by `input:` are layers
 * of type Input. */
typedef struct oci_caffe_layer {
    const oci_proto *m; /* LayerParameter or V1LayerParameter; the net's of such an input */
    const char *name;
    const char *type;            /* today's word: "Convolution", also for V1's CONVOLUTION */
    oci_caffe_blob_ref *bottoms; /* all of earlier layers */
    int bottom_count, top_count;
    const oci_proto *shape; /* BlobShape of an input where there is one */
    int readers;            /* layers that read a top, losses and the like aside */
    bool needed;            /* the output or an auxiliary loss depends on it */
} oci_caffe_layer;

/* The layers of `net` in this phase, in order, in `pool`. OC_EFORMAT for a blob that no earlier
 * layer makes. */
OC_MUST_CHECK oc_status oci_caffe_layers(const oci_proto *net, oci_caffe_phase phase, oc_pool *pool,
                                         oci_caffe_layer **out, size_t *count, oc_error *err);
bool oci_caffe_is(const oci_caffe_layer *layer, const char *type);
bool oci_caffe_is_input(const oci_caffe_layer *layer); /* Input, Data, ImageData, ... */
bool oci_caffe_is_aside(const oci_caffe_layer *layer); /* losses, Accuracy, Silence, ArgMax */
/* The parameters of a layer, such as "convolution_param"; an empty message where V1 has no such. */
const oci_proto *oci_caffe_param_of(const oci_caffe_layer *layer, const char *name);
/* The message of a data layer in which a field of the transformation ("scale") stands: its
 * transform_param, or data_param and image_data_param, where they stood until 2014. */
const oci_proto *oci_caffe_transform_of(const oci_caffe_layer *layer, const char *field);
/* What the rates of learning and of weight decay of the layer's blob-th weights are multiplied by.
 */
void oci_caffe_multipliers(const oci_caffe_layer *layer, int blob, double *lr, double *decay);
/* "net.prototxt:12:3: layer conv1 (Convolution)"; storage is returned. */
char *oci_caffe_place(char storage[OCI_PLACE_BYTES], const oci_caffe_layer *layer);

/* ---- networks ------------------------------------------------------------------------------ */

/* Where the values of a parameter of the graph come from: a blob of a layer, or all are equal. */
typedef struct oci_caffe_source {
    const oci_caffe_layer *layer; /* NULL: all values are `constant` */
    int blob;
    float constant;
} oci_caffe_source;

typedef struct oci_caffe_network {
    oci_caffe_layer *layers; /* of the phase; like all of this but the graph in the pool */
    size_t count;
    const oci_caffe_layer *input; /* where photos come in */
    oc_graph *graph;
    oci_caffe_source *sources; /* one for each parameter of the graph */
} oci_caffe_network;

/* The tree of a net as a graph whose output are the logits: the Softmax behind them, losses and
 * what nothing depends on are left out, in training lesser losses become auxiliary ones. width and
 * height: 0 = what the net says. OC_EUNSUPPORTED lists all layers that have no counterpart here.
 * The tree must outlive `out`, whose graph is the caller's. */
OC_MUST_CHECK oc_status oci_caffe_net_build(oci_caffe_network *out, const oci_proto *tree,
                                            oci_caffe_phase phase, int width, int height,
                                            oc_pool *pool, oc_error *err);

/* ---- weights ------------------------------------------------------------------------------- */

/* The blobs of a .caffemodel: its tree, whose runs are views into the map. All zero is clearable.
 */
typedef struct oci_caffe_weights {
    oc_map map;
    oc_pool *pool;
    const oci_proto *tree;
} oci_caffe_weights;

OC_MUST_CHECK oc_status oci_caffe_weights_open(oci_caffe_weights *out, const char *path,
                                               oc_error *err);
void oci_caffe_weights_close(oci_caffe_weights *weights);

/* What oci_caffe_weights_take left out. */
typedef struct oci_caffe_left {
    size_t missing; /* parameters whose layer the weights lack */
    size_t unused;  /* layers with weights that the network lacks */
} oci_caffe_left;

/* How weights are taken, as bits. */
enum {
    OCI_CAFFE_PARTIAL = 1, /* those whose layer is missing are left out of dst: no error */
    OCI_CAFFE_LEND = 2     /* large ones become views into the file, at any alignment */
};

/* The net's weights into `dst` as F32 under the graph's names, matched by the layers' names. What
 * has been copied leaves memory again. OC_EMISMATCH lists up to ten parameters that are missing, of
 * another shape, or not finite. left may be NULL. After a failure dst may hold a part. */
OC_MUST_CHECK oc_status oci_caffe_weights_take(const oci_caffe_weights *weights,
                                               const oci_caffe_network *net, unsigned how,
                                               oc_tensors *dst, oci_caffe_left *left,
                                               oc_error *err);
/* Values of a blob, whatever form they have. OC_EFORMAT when there are not `count`. `map` is where
 * they lie, to be forgotten behind; or NULL. */
OC_MUST_CHECK oc_status oci_caffe_blob_read(const oci_proto *blob, const oc_map *map,
                                            const char *what, size_t count, float *dst,
                                            oc_error *err);
/* `shape`, or num, channels, height, width. OC_EFORMAT for sizes that cannot be. */
OC_MUST_CHECK oc_status oci_caffe_blob_shape(const oci_proto *blob, const char *what, oc_shape *out,
                                             oc_error *err);

/* ---- how photos were prepared -------------------------------------------------------------- */

/* The mean of each channel of a mean image (.binaryproto), in its order; *spread gets the largest
 * difference of a pixel from its channel's mean. OC_EMISMATCH for another number of channels. */
OC_MUST_CHECK oc_status oci_caffe_mean_read(const char *path, int channels, float mean[3],
                                            float *spread, oc_error *err);

#endif
