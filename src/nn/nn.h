/* The face of `nn`: a network as data. Nodes in topological order, one contract per op (attributes,
 * shapes, parameters, multiply-adds), no arithmetic on activations: that is the engines' work.
 *
 * Every activation is 4-D (n, c, h, w); a vector is (n, c, 1, 1). A graph has one input (node 0)
 * and one output (the last node): the features or logits. Softmax and the loss are not nodes of a
 * graph to be trained: the plan of an engine appends them (engine.h). Auxiliary losses are nodes:
 * what they alone depend on serves training and is left out of everything else (oc_graph_prune).
 *
 * Threads: build on one, read from any.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef OC_NN_H
#define OC_NN_H

#include "tensor/tensor.h"

/* X(name, word in graph.json, fewest inputs, most inputs) */
#define OC_OP_MAP(X)                                                                               \
    X(OC_OP_INPUT, "input", 0, 0)                                                                  \
    X(OC_OP_CONV, "conv", 1, 1)                                                                    \
    X(OC_OP_DENSE, "dense", 1, 1)                                                                  \
    X(OC_OP_MAX_POOL, "max_pool", 1, 1)                                                            \
    X(OC_OP_AVG_POOL, "avg_pool", 1, 1)                                                            \
    X(OC_OP_GLOBAL_POOL, "global_avg_pool", 1, 1)                                                  \
    X(OC_OP_ADAPTIVE_POOL, "adaptive_avg_pool", 1, 1)                                              \
    X(OC_OP_BATCH_NORM, "batch_norm", 1, 1)                                                        \
    X(OC_OP_RELU, "relu", 1, 1)                                                                    \
    X(OC_OP_RELU6, "relu6", 1, 1)                                                                  \
    X(OC_OP_SIGMOID, "sigmoid", 1, 1)                                                              \
    X(OC_OP_TANH, "tanh", 1, 1)                                                                    \
    X(OC_OP_DROPOUT, "dropout", 1, 1)                                                              \
    X(OC_OP_LRN, "lrn", 1, 1)                                                                      \
    X(OC_OP_ADD, "add", 2, 2)                                                                      \
    X(OC_OP_CONCAT, "concat", 1, OC_MAX_INPUTS)                                                    \
    X(OC_OP_FLATTEN, "flatten", 1, 1)                                                              \
    X(OC_OP_SOFTMAX, "softmax", 1, 1)                                                              \
    X(OC_OP_AUX_LOSS, "aux_loss", 1, 1)                                                            \
    X(OC_OP_QUANTIZE, "quantize", 1, 1)                                                            \
    X(OC_OP_LEAKY_RELU, "leaky_relu", 1, 1)     /* x > 0 ? x : slope x */                          \
    X(OC_OP_PRELU, "prelu", 1, 1)               /* the same, slopes trained (He et al. 2015) */    \
    X(OC_OP_HARD_SIGMOID, "hard_sigmoid", 1, 1) /* clip(alpha x + beta, 0, 1) */                   \
    X(OC_OP_HARD_SWISH, "hard_swish", 1, 1)     /* x clip(x/6 + 1/2, 0, 1) (Howard et al. 2019) */ \
    X(OC_OP_SILU, "silu", 1, 1)                 /* x sigmoid(x) (Ramachandran et al. 2017) */      \
    X(OC_OP_CLIP, "clip", 1, 1)                 /* of low..high */                                 \
    X(OC_OP_POWER, "power", 1, 1)               /* (shift + scale x)^exponent */                   \
    X(OC_OP_SCALE, "scale", 1, 1)               /* per channel: weight x + bias */                 \
    X(OC_OP_MULTIPLY, "multiply", 2, 2)         /* the second may be (n, c, 1, 1): a gate */       \
    X(OC_OP_MAXIMUM, "maximum", 2, 2)                                                              \
    X(OC_OP_PAD, "pad", 1, 1) /* `value` around */                                                 \
    X(OC_OP_GLOBAL_MAX_POOL, "global_max_pool", 1, 1)

enum { OC_MAX_INPUTS = 16, OC_NAME_BYTES = 128, OC_LEVELS = 256 };
/* Of int8 weights: the largest, and the largest sum of two of one sign that belong to neighbouring
 * input channels (2k, 2k+1), or for a dense layer to neighbouring values in the order (h, w, c) of
 * what was flattened: what sums of pairs in 16 bits allow, 255 * 128 < 2^15. */
enum { OC_INT8_MOST = 127, OC_INT8_PAIR = 128 };

typedef enum oc_op {
#define OC_OP_ENUM(name, word, fewest, most) name,
    OC_OP_MAP(OC_OP_ENUM)
#undef OC_OP_ENUM
        OC_OP_COUNT
} oc_op;

const char *oc_op_name(oc_op op);
bool oc_op_parse(const char *word, oc_op *out);

/* How a fresh layer's weights are drawn; biases start at 0, batch norms at (1, 0, 0, 1). */
typedef enum oc_init {
    OC_INIT_KAIMING_FAN_OUT, /* normal, variance 2/fan_out (He et al. 2015; torchvision's ResNets)
                              */
    OC_INIT_KAIMING_UNIFORM, /* uniform, variance 2/fan_in (torchvision's SqueezeNet) */
    OC_INIT_XAVIER,          /* normal, variance 2/(fan_in+fan_out) (Glorot & Bengio 2010) */
    OC_INIT_NORMAL_001       /* normal, deviation 0.01 (torchvision's classifiers) */
} oc_init;

/* All attributes of all ops, flat; an op reads those that its contract (oc_op_fields) lists.
 * All zero is not always valid: start from oc_attrs_default. */
typedef struct oc_attrs {
    int32_t out; /* conv, dense: output channels */
    int32_t kernel_h, kernel_w;
    int32_t stride_h, stride_w;
    int32_t pad_top, pad_left, pad_bottom, pad_right;
    int32_t dilation_h, dilation_w; /* 1 = none */
    int32_t groups;
    int32_t bias;         /* conv, dense, scale: 0 or 1 */
    int32_t ceil;         /* pools: 1 = the output size is rounded up (Caffe), last window must
                             start inside the input or its left padding */
    int32_t count_pad;    /* avg_pool: 1 = padded zeros count in the divisor (what a window of
                             `ceil` reads beyond the padding never does) */
    int32_t out_h, out_w; /* adaptive_avg_pool: output row i averages the input's rows from
                             floor(i*h/out_h) up to, not including, ceil((i+1)*h/out_h) */
    int32_t size;         /* lrn: channels in the window, odd */
    int32_t channels, height, width; /* input: c, and the size the net was made for */
    int32_t init;                    /* oc_init */
    float epsilon;                   /* batch_norm: added to the variance */
    float momentum;       /* batch_norm: share of the new statistic (torch's convention, 0.1) */
    float p;              /* dropout: probability of a zero; survivors scaled by 1/(1-p) */
    float alpha, beta, k; /* lrn: (k + alpha/size * sum x^2)^-beta; hard_sigmoid: alpha, beta */
    int32_t within;       /* lrn: 1 = the window is size x size pixels of one channel (Caffe's
                             WITHIN_CHANNEL): (k + alpha/size^2 * sum x^2)^-beta */
    float slope;          /* leaky_relu: below 0 */
    float low, high;      /* clip */
    float shift, scale, exponent; /* power */
    int32_t shared;               /* prelu: 1 = one slope for all channels */
    float value;                  /* pad */
    float weight;                 /* aux_loss: the gradient of weight * its softmax loss is added in
                                     training; nobody reads the node */
    int32_t int8; /* conv, dense: 1 = each weight is a whole number up to OC_INT8_MOST
                     times its output channel's OC_PARAM_STEP, pairs up to OC_INT8_PAIR */
    float step;   /* quantize: y = step * (level - zero), level = x/step + zero rounded to
                     the nearest (ties to even) of 0..255 */
    int32_t zero; /* quantize: the level that means 0 */
} oc_attrs;

/* The fields an op reads, for JSON, printing and validation alike. */
typedef struct oc_field {
    const char *name; /* the member's name */
    size_t offset;    /* in oc_attrs */
    bool is_float;
    double fallback; /* value when absent */
    double min, max; /* both allowed */
} oc_field;
const oc_field *oc_op_fields(oc_op op, size_t *count);
double oc_field_get(const oc_field *field, const oc_attrs *attrs);
/* value must be within min..max. */
void oc_field_set(const oc_field *field, oc_attrs *attrs, double value);
oc_attrs oc_attrs_default(oc_op op);
void oc_op_inputs(oc_op op, int *fewest, int *most);

typedef struct oc_node {
    const char *name; /* unique, torchvision's module path where there is one: "features.0.0" */
    oc_op op;
    int inputs[OC_MAX_INPUTS]; /* earlier nodes */
    int input_count;
    oc_attrs attrs;
    int first_param; /* index of its parameters in the graph's table */
    int param_count;
} oc_node;

/* What a parameter is. Order within a node: weight, bias, mean, variance. */
typedef enum oc_param_kind {
    OC_PARAM_WEIGHT, /* conv (out, in/groups, kh, kw), dense (out, in) */
    OC_PARAM_BIAS,   /* (out) */
    OC_PARAM_SCALE,  /* batch_norm and scale ".weight" (c) */
    OC_PARAM_SHIFT,  /* batch_norm and scale ".bias" (c) */
    OC_PARAM_MEAN,   /* batch_norm ".running_mean" (c): a statistic, not trained by gradient */
    OC_PARAM_VAR,    /* batch_norm ".running_var" (c): biased in use, unbiased when stored;
                        0 of a single value */
    OC_PARAM_SLOPE,  /* prelu ".weight" (c), or (1) where shared */
    OC_PARAM_STEP    /* int8 conv and dense ".weight_scale" (out): not trained */
} oc_param_kind;

typedef struct oc_param {
    const char *name; /* node name + ".weight" and so on */
    int node;
    oc_param_kind kind;
    oc_shape shape; /* as torch stores it */
    int64_t fan_in, fan_out;
} oc_param;
bool oc_param_trained(oc_param_kind kind); /* has a gradient */

typedef struct oc_graph oc_graph;
OC_MUST_CHECK oc_status oc_graph_new(oc_graph **out, oc_error *err);
void oc_graph_free(oc_graph *graph);
OC_MUST_CHECK oc_status oc_graph_copy(const oc_graph *graph, oc_graph **out, oc_error *err);

/* Append a node and its parameters; names and inputs are copied; attrs NULL = the op's defaults.
 * OC_EFORMAT for a taken or empty name, an input that is not earlier, a wrong number of inputs, an
 * attribute out of range, channel counts that do not fit; OC_ELIMIT for sizes beyond all measure. A
 * net too deep for the size it was made for is not an error here: oc_graph_shapes tells. *index
 * (may be NULL) gets its number. Nodes and parameters borrowed before are no longer valid. */
OC_MUST_CHECK oc_status oc_graph_add(oc_graph *graph, oc_op op, const char *name, const int *inputs,
                                     int input_count, const oc_attrs *attrs, int *index,
                                     oc_error *err);

int oc_graph_node_count(const oc_graph *graph);
const oc_node *oc_graph_node(const oc_graph *graph, int i); /* borrowed */
int oc_graph_find(const oc_graph *graph, const char *name); /* -1 when absent */
int oc_graph_param_count(const oc_graph *graph);
const oc_param *oc_graph_param(const oc_graph *graph, int i); /* borrowed */
int oc_graph_channels(const oc_graph *graph, int node);       /* of its output; 0 until known: a
                                                                 flatten depends on the size */

/* Output shape (n, c, h, w) of every node for an input of n x h x w; shapes has node_count entries.
 * OC_EUNSUPPORTED when the net cannot take the size: names the node, and the smallest square size
 * that works. */
OC_MUST_CHECK oc_status oc_graph_shapes(const oc_graph *graph, int n, int h, int w,
                                        oc_shape *shapes, oc_error *err);
/* Output shape of one node for those of its `count` inputs, before it is in any graph: a dense
 * layer takes what comes. h = w = 0 where a size does not fit. OC_EFORMAT, OC_ELIMIT as
 * oc_graph_add. */
OC_MUST_CHECK oc_status oc_op_shape(oc_op op, const char *name, const oc_attrs *attrs,
                                    const oc_shape *inputs, int count, oc_shape *out,
                                    oc_error *err);
/* Smallest h = w up to 4096 at which every node has an output, or 0. */
int oc_graph_smallest(const oc_graph *graph);
/* Multiply-adds of node i given all shapes (0 for ops without any worth counting). */
uint64_t oc_graph_macs(const oc_graph *graph, int i, const oc_shape *shapes);

/* The head: the last conv or dense node that the output depends on, which gives one output per
 * class. -1 when there is none. The cut is the node whose output the head reads, seen through
 * dropout: everything up to it is the body. */
int oc_graph_head(const oc_graph *graph);
int oc_graph_cut_node(const oc_graph *graph);
int oc_graph_classes(const oc_graph *graph);
/* Is `node` the head, or the last conv or dense node before an auxiliary loss? */
bool oc_graph_is_head(const oc_graph *graph, int node);
/* serves[i] := whether the graph's output depends on node i; node_count entries. The others serve
 * auxiliary losses alone. Returns whether all do. */
bool oc_graph_serves(const oc_graph *graph, bool *serves);
/* A copy of the nodes that the output depends on, in their order: no auxiliary losses. */
OC_MUST_CHECK oc_status oc_graph_prune(const oc_graph *graph, oc_graph **out, oc_error *err);
/* Set the number of outputs of all heads (their parameter shapes follow). Borrowed nodes and
 * parameters are no longer valid, whatever the result; on failure the graph is unchanged. */
OC_MUST_CHECK oc_status oc_graph_set_classes(oc_graph *graph, int classes, oc_error *err);
/* Split at `node` (through which alone the rest sees it, else OC_EUNSUPPORTED): *body ends with it;
 * *rest starts with an input of its shape at an h x w input image. Names are kept; what does not
 * serve the output is left out of both. */
OC_MUST_CHECK oc_status oc_graph_split(const oc_graph *graph, int node, int h, int w,
                                       oc_graph **body, oc_graph **rest, oc_error *err);

/* A copy of what the layer `name` depends on, with it, which is its output. OC_ENOTFOUND with a
 * suggestion where there is no such layer. */
OC_MUST_CHECK oc_status oc_graph_upto(const oc_graph *graph, const char *name, oc_graph **out,
                                      oc_error *err);
/* The same and a new head behind: the mean over the
 * map where it gives one at h x w, then a dense layer "new_head" of `classes` outputs. OC_ENOTFOUND
 * with a suggestion where there is no such layer. */
OC_MUST_CHECK oc_status oc_graph_cut(const oc_graph *graph, const char *name, int classes, int h,
                                     int w, oc_graph **out, oc_error *err);

/* Fresh values for all parameters, keyed by (seed, name): independent of order. Adds each to `set`
 * as F32 unless it is there already, whatever its shape. A dense layer behind a flatten has the
 * shape that follows from the input node's size. */
OC_MUST_CHECK oc_status oc_graph_init(const oc_graph *graph, uint64_t seed, oc_tensors *set,
                                      oc_error *err);

/* ---- building, with a sticky error, so that a network reads like its paper ---------------------
 */

/* All zero but graph is ready. After a failure further calls do nothing and return -1. */
typedef struct oc_build {
    oc_graph *graph;
    oc_status status;
    oc_error error;
} oc_build;

/* Each returns the new node's index. `kernel` etc. are square; use oc_build_node for the rest. */
int oc_build_node(oc_build *b, oc_op op, const char *name, const int *inputs, int input_count,
                  const oc_attrs *attrs);
int oc_build_input(oc_build *b, int channels, int height, int width);
int oc_build_conv(oc_build *b, int x, const char *name, int out, int kernel, int stride, int pad,
                  int groups, bool bias, oc_init init);
int oc_build_dense(oc_build *b, int x, const char *name, int out, oc_init init);
int oc_build_batch_norm(oc_build *b, int x, const char *name);
int oc_build_act(oc_build *b, int x, const char *name, oc_op op); /* relu, relu6, sigmoid, tanh */
int oc_build_max_pool(oc_build *b, int x, const char *name, int kernel, int stride, int pad,
                      bool ceil);
int oc_build_global_pool(oc_build *b, int x, const char *name);
int oc_build_dropout(oc_build *b, int x, const char *name, float p);
int oc_build_add(oc_build *b, int x, int y, const char *name);
int oc_build_concat(oc_build *b, const int *inputs, int count, const char *name);
int oc_build_flatten(oc_build *b, int x, const char *name);
int oc_build_aux_loss(oc_build *b, int x, const char *name, float weight);

#endif
