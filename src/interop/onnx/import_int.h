/* From an ONNX graph to ours: values, the network in the making, and the table of ops. Private to
 * `interop`.
 *
 * The graph is walked once in its order. A value is either known (weights, shapes: it is computed
 * on the spot, for a batch of 1 where the batch is open) or what a layer gives. Layers are added
 * functionally: a pattern such as x * sigmoid(x) becomes a new layer beside the old ones, and what
 * nobody reads in the end is left out. What cannot be represented is noted, its results stay
 * unknown, and all such notes become one error.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_INTEROP_ONNX_IMPORT_INT_H
#define OC_INTEROP_ONNX_IMPORT_INT_H

#include "interop/onnx/read_int.h"
#include "nn/nn.h"

/* ---- the network in the making --------------------------------------------------------------- */

enum { OCI_MAX_LAYER_PARAMS = 4, OCI_LACK_KINDS = 16 };

/* A parameter's values: `count` of them at data, of any alignment. */
typedef struct oci_param_values {
    const void *data; /* NULL = zeros */
    oc_dtype dtype;   /* a float type; I8 where the layer is one of int8 */
    size_t count;
} oci_param_values;

/* Beside our ops: OCI_OP_REVERSE stands for channels in reversed order, which only a recipe can
 * hold. */
enum {
    OCI_OP_REVERSE = OC_OP_COUNT,
    OCI_OP_LOG_SOFTMAX /* at the end alone, where it is dropped */
};

typedef struct oci_layer {
    int op; /* oc_op or one of those above */
    oc_attrs attrs;
    int inputs[OC_MAX_INPUTS];
    int input_count;
    const char *name; /* as wished; made unique in the end */
    oc_shape shape;   /* (1, c, h, w) of its output */
    oci_param_values params[OCI_MAX_LAYER_PARAMS];
    bool serves;          /* the output depends on it */
    const int32_t *picks; /* a conv that gives these channels of its input; NULL = another layer */
} oci_layer;

/* ---- values ---------------------------------------------------------------------------------- */

typedef enum oci_value_kind {
    OCI_VALUE_LACKED, /* not there yet, or of a node that cannot be represented */
    OCI_VALUE_KNOWN,
    OCI_VALUE_LAYER
} oci_value_kind;

/* What an axis of a layer's value in ONNX is in ours. Channels may be parted in two, groups and
 * members of a group, on their way through a shuffle. */
typedef enum oci_axis { OCI_N, OCI_C, OCI_H, OCI_W, OCI_ONE, OCI_GROUP, OCI_MEMBER } oci_axis;

typedef struct oci_known {
    const char *name; /* of the initializer; "" = none */
    oc_shape shape;
    size_t count;
    bool whole;          /* ints; else values */
    int type;            /* whole: OCI_ONNX_INT64 ..; 0 = computed */
    const int64_t *ints; /* in the pool */
    oci_param_values values;
    oci_param_values wholes, steps; /* where the values are rows of int8 times a step a row in a
                                       file of our own; else none */
} oci_known;

typedef struct oci_value {
    oci_value_kind kind;
    bool made; /* by a node before the one at work */
    oci_known known;
    int layer;
    int rank;
    oci_axis axis[OC_MAX_RANK];
    int64_t groups; /* of parted channels; 0 = they are whole */
    bool by_pixel;  /* two axes, flattened from (h, w, c) where our layer has (c, h, w) */
} oci_value;

/* Nodes of one op that cannot be represented for one reason. */
typedef struct oci_lacking {
    char op[40], first[80], why[120];
    size_t count;
} oci_lacking;

typedef struct oci_import {
    const char *where;
    const char *folder; /* of the file, NULL = none */
    oci_onnx_doc doc;
    oc_pool *pool; /* the document's */
    oci_value *values;
    const char **names; /* of values, by number */
    size_t value_count;
    uint32_t *slots; /* hash table: 1 + number of a value */
    size_t slot_count;
    oci_layer *layers;
    size_t layer_count, layer_room;
    const oc_log *log;
    oci_lacking lacks[OCI_LACK_KINDS]; /* what cannot be represented */
    size_t lack_kinds, lack_count;     /* kinds that have a place there; nodes */
    int64_t batch;
    size_t picked;       /* values of weights and lists of layers that pick */
    bool ours;           /* our own export wrote the file */
    size_t int8_floated; /* weights of int8 that became floats */
    int input_type;      /* OCI_ONNX_FLOAT ... */
    int size;            /* side of the input where the file leaves it open */
} oci_import;

/* The value of that name; NULL for "" and for one that nobody makes. */
oci_value *oci_value_of(const oci_import *x, const char *name);
/* Input k of the node, or NULL where it is left out. */
oci_value *oci_input_of(const oci_import *x, const oci_onnx_node *node, size_t k);
bool oci_input_known(const oci_import *x, const oci_onnx_node *node, size_t k);

/* Note that the node cannot be represented. Returns OC_OK: the walk goes on. */
oc_status oci_lack(oci_import *x, const oci_onnx_node *node, const char *why, ...) OC_PRINTF(3, 4);
/* All that has been noted as one error, which names each kind with its first node. */
OC_MUST_CHECK oc_status oci_lacks(const oci_import *x, oc_error *err);

/* ---- attributes ----------------------------------------------------------------------------- */

const oci_onnx_attr *oci_attr(const oci_onnx_node *node, const char *name);
int64_t oci_attr_int(const oci_onnx_node *node, const char *name, int64_t fallback);
float oci_attr_float(const oci_onnx_node *node, const char *name, float fallback);
const char *oci_attr_text(const oci_onnx_node *node, const char *name); /* "" = absent */

/* ---- known values --------------------------------------------------------------------------- */

/* The tensor as a value; external values are brought. */
OC_MUST_CHECK oc_status oci_known_of(oci_import *x, oci_onnx_tensor *t, oci_known *out,
                                     oc_error *err);
/* All of it as floats in the pool. */
OC_MUST_CHECK oc_status oci_known_floats(oci_import *x, const oci_known *known, const float **out,
                                         oc_error *err);
void oci_set_known(oci_import *x, const oci_onnx_node *node, const oci_known *known);
/* Room in the pool; OC_ENOMEM. */
OC_MUST_CHECK oc_status oci_import_room(oci_import *x, size_t count, size_t size, void *out_pp,
                                        oc_error *err);
/* Ints of an attribute, or of input k: whichever the opset of the file uses. *count = 0 where there
 * are none. */
OC_MUST_CHECK oc_status oci_ints_of(oci_import *x, const oci_onnx_node *node, const char *attr,
                                    size_t k, const int64_t **out, size_t *count, oc_error *err);

/* ---- values of layers ------------------------------------------------------------------------ */

const oci_layer *oci_layer_of(const oci_import *x, const oci_value *value);
int64_t oci_axis_size(const oci_import *x, const oci_value *value, oci_axis axis);
/* Are its axes these, those of size 1 aside? "nchw", "nhwc", "nc". */
bool oci_is_laid(const oci_import *x, const oci_value *value, const char *order);
/* The place of channels among its axes, -1 where it has none. */
int oci_channel_axis(const oci_value *value);
/* Add a layer that reads `inputs`; its parameters are set by the caller. *out = its number, or -1
 * where it does not fit (which has been noted). */
OC_MUST_CHECK oc_status oci_add_layer(oci_import *x, const oci_onnx_node *node, int op,
                                      const oc_attrs *attrs, const int *inputs, int count, int *out,
                                      oc_error *err);
/* A layer that reads one value and keeps its axes. attrs NULL = the op's defaults. */
OC_MUST_CHECK oc_status oci_add_pointwise(oci_import *x, const oci_onnx_node *node, int op,
                                          const oc_attrs *attrs, const oci_value *from,
                                          oc_error *err);
/* The node's first output is this layer, laid out as `like`, or as (n, c, h, w) where that is NULL.
 */
void oci_set_layer(oci_import *x, const oci_onnx_node *node, int layer, const oci_value *like);
/* The same for output k. */
void oci_set_output(oci_import *x, const oci_onnx_node *node, size_t k, int layer,
                    const oci_value *like);
void oci_set_alias(oci_import *x, const oci_onnx_node *node, const oci_value *value);
/* The layer's name: that of its weight without ".weight", else from the node's. */
const char *oci_layer_name(oci_import *x, const oci_onnx_node *node, const char *weight);

/* ---- ops ------------------------------------------------------------------------------------- */

typedef oc_status oci_take(oci_import *x, const oci_onnx_node *node, oc_error *err);

typedef struct oci_onnx_op {
    const char *name;
    oci_take *take;
} oci_onnx_op;

/* Tables of ops, ended by a NULL name. */
extern const oci_onnx_op oci_ops_layer[], oci_ops_pool[], oci_ops_point[], oci_ops_join[],
    oci_ops_shape[], oci_ops_pick[];

bool oci_folds(const char *op); /* is the op one of these? */
/* Compute a node all whose inputs are known, or which asks for a shape alone; *done tells whether
 * its op is one of those that can be. */
OC_MUST_CHECK oc_status oci_fold(oci_import *x, const oci_onnx_node *node, bool *done,
                                 oc_error *err);

/* Whether the layer adds a term a channel itself, so that another can be merged into it; and the
 * copy of it that does: *out = -1 where it cannot. terms: as many as its channels. */
OC_MUST_CHECK oc_status oci_merge_bias(oci_import *x, const oci_onnx_node *node, int layer,
                                       const float *terms, int *out, oc_error *err);

/* Weights of the layers that pick channels, of those that serve. */
OC_MUST_CHECK oc_status oci_fill_picks(oci_import *x, oc_error *err);

/* ---- the end --------------------------------------------------------------------------------- */

/* What the graph does to its pixels before the first layer, if a recipe can hold it: then *first is
 * the layer that takes the place of the input. */
OC_MUST_CHECK oc_status oci_take_front(oci_import *x, oc_model *model, int *first, oc_error *err);
/* Network and weights of what serves layer `last`, with `first` for the input. */
OC_MUST_CHECK oc_status oci_build_network(oci_import *x, int first, int last, oc_model *model,
                                          oc_error *err);

#endif
