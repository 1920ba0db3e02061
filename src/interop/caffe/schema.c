/* Caffe's messages as tables: the facts of the published caffe.proto (BVLC/caffe), field by field.
 *
 * A message stands behind those that it contains. V1 is the form of layers of 2014 (`layers {
 * type: CONVOLUTION }`), whose parameters are those of today under other numbers.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/caffe_int.h"

#define ONE(n, word, k, value)                                                                     \
    { .number = (n), .name = (word), .kind = (k), .fallback = (value) }
#define MANY(n, word, k)                                                                           \
    { .number = (n), .name = (word), .kind = (k), .repeated = true }

#define INT(n, word, value)   ONE(n, word, OCI_PROTO_INT32, value)
#define INTS(n, word)         MANY(n, word, OCI_PROTO_INT32)
#define UINT(n, word, value)  ONE(n, word, OCI_PROTO_UINT32, value)
#define UINTS(n, word)        MANY(n, word, OCI_PROTO_UINT32)
#define INT64(n, word, value) ONE(n, word, OCI_PROTO_INT64, value)
#define INT64S(n, word)       MANY(n, word, OCI_PROTO_INT64)
#define BOOL(n, word, value)  ONE(n, word, OCI_PROTO_BOOL, value)
#define BOOLS(n, word)        MANY(n, word, OCI_PROTO_BOOL)
#define REAL(n, word, value)  ONE(n, word, OCI_PROTO_FLOAT, value)
#define REALS(n, word)        MANY(n, word, OCI_PROTO_FLOAT)
#define TEXTS(n, word)        MANY(n, word, OCI_PROTO_TEXT)
#define BYTES(n, word)        ONE(n, word, OCI_PROTO_BYTES, 0)
#define FLOATS(n, word)       MANY(n, word, OCI_PROTO_FLOATS)
#define DOUBLES(n, word)      MANY(n, word, OCI_PROTO_DOUBLES)
#define OPAQUE(n, word)       ONE(n, word, OCI_PROTO_OPAQUE, 0)
#define TEXT(n, word, value)                                                                       \
    { .number = (n), .name = (word), .kind = OCI_PROTO_TEXT, .text = (value) }
#define ENUM(n, word, list, value)                                                                 \
    { .number = (n), .name = (word), .kind = OCI_PROTO_ENUM, .words = (list), .fallback = (value) }
#define ENUMS(n, word, list)                                                                       \
    { .number = (n), .name = (word), .kind = OCI_PROTO_ENUM, .words = (list), .repeated = true }
#define MESSAGE(n, word, of)                                                                       \
    { .number = (n), .name = (word), .kind = OCI_PROTO_MESSAGE, .type = &(of) }
#define MESSAGES(n, word, of)                                                                      \
    { .number = (n), .name = (word), .kind = OCI_PROTO_MESSAGE, .type = &(of), .repeated = true }

/* The type `id`, whose fields are the table id_fields. */
#define TYPE(id, word)                                                                             \
    const oci_proto_type id = {.name = (word),                                                     \
                               .fields = id##_fields,                                              \
                               .count = sizeof id##_fields / sizeof *id##_fields,                  \
                               .none = {.type = &id}}

/* ---- numbers ------------------------------------------------------------------------------- */

static const oci_proto_field shape_fields[] = {INT64S(1, "dim")};
static TYPE(shape, "BlobShape");

static const oci_proto_field oci_caffe_blob_fields[] = {
    MESSAGE(7, "shape", shape), FLOATS(5, "data"),   FLOATS(6, "diff"),  DOUBLES(8, "double_data"),
    DOUBLES(9, "double_diff"),  INT(1, "num", 0), /* 1 to 4: the form before `shape` */
    INT(2, "channels", 0),      INT(3, "height", 0), INT(4, "width", 0),
};
TYPE(oci_caffe_blob, "BlobProto");

static const oci_proto_field oci_caffe_datum_fields[] = {
    INT(1, "channels", 0), INT(2, "height", 0),     INT(3, "width", 0),    BYTES(4, "data"),
    INT(5, "label", 0),    FLOATS(6, "float_data"), BOOL(7, "encoded", 0),
};
TYPE(oci_caffe_datum, "Datum");

static const oci_proto_word variance_words[] = {{"FAN_IN", 0}, {"FAN_OUT", 1}, {"AVERAGE", 2}, {0}};
static const oci_proto_field filler_fields[] = {
    TEXT(1, "type", "constant"), REAL(2, "value", 0),
    REAL(3, "min", 0),           REAL(4, "max", 1),
    REAL(5, "mean", 0),          REAL(6, "std", 1),
    INT(7, "sparse", -1),        ENUM(8, "variance_norm", variance_words, 0),
};
static TYPE(filler, "FillerParameter");

/* ---- when a layer counts, and how it learns ------------------------------------------------ */

static const oci_proto_word phase_words[] = {{"TRAIN", 0}, {"TEST", 1}, {0}};
static const oci_proto_field state_fields[] = {ENUM(1, "phase", phase_words, 1), INT(2, "level", 0),
                                               TEXTS(3, "stage")};
static TYPE(state, "NetState");

static const oci_proto_field rule_fields[] = {
    ENUM(1, "phase", phase_words, 0),
    INT(2, "min_level", 0),
    INT(3, "max_level", 0),
    TEXTS(4, "stage"),
    TEXTS(5, "not_stage"),
};
static TYPE(rule, "NetStateRule");

static const oci_proto_word share_words[] = {{"STRICT", 0}, {"PERMISSIVE", 1}, {0}};
static const oci_proto_field param_fields[] = {TEXT(1, "name", ""),
                                               ENUM(2, "share_mode", share_words, 0),
                                               REAL(3, "lr_mult", 1), REAL(4, "decay_mult", 1)};
static TYPE(param, "ParamSpec");

/* ---- data ---------------------------------------------------------------------------------- */

static const oci_proto_field transform_fields[] = {
    REAL(1, "scale", 1),      BOOL(2, "mirror", 0),   UINT(3, "crop_size", 0),
    TEXT(4, "mean_file", ""), REALS(5, "mean_value"), BOOL(6, "force_color", 0),
    BOOL(7, "force_gray", 0),
};
static TYPE(transform, "TransformationParameter");

static const oci_proto_word backend_words[] = {{"LEVELDB", 0}, {"LMDB", 1}, {0}};
static const oci_proto_field data_fields[] = {
    TEXT(1, "source", ""),
    REAL(2, "scale", 1),
    TEXT(3, "mean_file", ""),
    UINT(4, "batch_size", 0),
    UINT(5, "crop_size", 0),
    BOOL(6, "mirror", 0),
    UINT(7, "rand_skip", 0),
    ENUM(8, "backend", backend_words, 0),
    BOOL(9, "force_encoded_color", 0),
    UINT(10, "prefetch", 4),
};
static TYPE(data, "DataParameter");

static const oci_proto_field image_data_fields[] = {
    TEXT(1, "source", ""),    REAL(2, "scale", 1),     TEXT(3, "mean_file", ""),
    UINT(4, "batch_size", 1), UINT(5, "crop_size", 0), BOOL(6, "mirror", 0),
    UINT(7, "rand_skip", 0),  BOOL(8, "shuffle", 0),   UINT(9, "new_height", 0),
    UINT(10, "new_width", 0), BOOL(11, "is_color", 1), TEXT(12, "root_folder", ""),
};
static TYPE(image_data, "ImageDataParameter");

static const oci_proto_field memory_data_fields[] = {
    UINT(1, "batch_size", 0), UINT(2, "channels", 0), UINT(3, "height", 0), UINT(4, "width", 0)};
static TYPE(memory_data, "MemoryDataParameter");

static const oci_proto_field dummy_data_fields[] = {
    MESSAGES(1, "data_filler", filler),
    UINTS(2, "num"),
    UINTS(3, "channels"),
    UINTS(4, "height"),
    UINTS(5, "width"),
    MESSAGES(6, "shape", shape),
};
static TYPE(dummy_data, "DummyDataParameter");

static const oci_proto_field input_fields[] = {MESSAGES(1, "shape", shape)};
static TYPE(input, "InputParameter");

/* ---- layers -------------------------------------------------------------------------------- */

static const oci_proto_word engine_words[] = {{"DEFAULT", 0}, {"CAFFE", 1}, {"CUDNN", 2}, {0}};

static const oci_proto_field convolution_fields[] = {
    UINT(1, "num_output", 0),
    BOOL(2, "bias_term", 1),
    UINTS(3, "pad"),
    UINTS(4, "kernel_size"),
    UINT(5, "group", 1),
    UINTS(6, "stride"),
    MESSAGE(7, "weight_filler", filler),
    MESSAGE(8, "bias_filler", filler),
    UINT(9, "pad_h", 0),
    UINT(10, "pad_w", 0),
    UINT(11, "kernel_h", 0),
    UINT(12, "kernel_w", 0),
    UINT(13, "stride_h", 0),
    UINT(14, "stride_w", 0),
    ENUM(15, "engine", engine_words, 0),
    INT(16, "axis", 1),
    BOOL(17, "force_nd_im2col", 0),
    UINTS(18, "dilation"),
};
static TYPE(convolution, "ConvolutionParameter");

static const oci_proto_field inner_product_fields[] = {
    UINT(1, "num_output", 0),          BOOL(2, "bias_term", 1), MESSAGE(3, "weight_filler", filler),
    MESSAGE(4, "bias_filler", filler), INT(5, "axis", 1),       BOOL(6, "transpose", 0),
};
static TYPE(inner_product, "InnerProductParameter");

static const oci_proto_word pool_words[] = {{"MAX", 0}, {"AVE", 1}, {"STOCHASTIC", 2}, {0}};
static const oci_proto_word round_words[] = {{"CEIL", 0}, {"FLOOR", 1}, {0}};
static const oci_proto_field pooling_fields[] = {
    ENUM(1, "pool", pool_words, 0),
    UINT(2, "kernel_size", 0),
    UINT(3, "stride", 1),
    UINT(4, "pad", 0),
    UINT(5, "kernel_h", 0),
    UINT(6, "kernel_w", 0),
    UINT(7, "stride_h", 0),
    UINT(8, "stride_w", 0),
    UINT(9, "pad_h", 0),
    UINT(10, "pad_w", 0),
    ENUM(11, "engine", engine_words, 0),
    BOOL(12, "global_pooling", 0),
    ENUM(13, "round_mode", round_words, 0),
};
static TYPE(pooling, "PoolingParameter");

static const oci_proto_word region_words[] = {{"ACROSS_CHANNELS", 0}, {"WITHIN_CHANNEL", 1}, {0}};
static const oci_proto_field lrn_fields[] = {
    UINT(1, "local_size", 5), REAL(2, "alpha", 1),
    REAL(3, "beta", 0.75),    ENUM(4, "norm_region", region_words, 0),
    REAL(5, "k", 1),          ENUM(6, "engine", engine_words, 0),
};
static TYPE(lrn, "LRNParameter");

static const oci_proto_word operation_words[] = {{"PROD", 0}, {"SUM", 1}, {"MAX", 2}, {0}};
static const oci_proto_field eltwise_fields[] = {ENUM(1, "operation", operation_words, 1),
                                                 REALS(2, "coeff"), BOOL(3, "stable_prod_grad", 1)};
static TYPE(eltwise, "EltwiseParameter");

static const oci_proto_field relu_fields[] = {REAL(1, "negative_slope", 0),
                                              ENUM(2, "engine", engine_words, 0)};
static TYPE(relu, "ReLUParameter");

static const oci_proto_field prelu_fields[] = {MESSAGE(1, "filler", filler),
                                               BOOL(2, "channel_shared", 0)};
static TYPE(prelu, "PReLUParameter");

static const oci_proto_field sigmoid_fields[] = {ENUM(1, "engine", engine_words, 0)};
static TYPE(sigmoid, "SigmoidParameter");
static const oci_proto_field hyperbolic_fields[] = {ENUM(1, "engine", engine_words, 0)};
static TYPE(hyperbolic, "TanHParameter");

static const oci_proto_field softmax_fields[] = {ENUM(1, "engine", engine_words, 0),
                                                 INT(2, "axis", 1)};
static TYPE(softmax, "SoftmaxParameter");

static const oci_proto_field dropout_fields[] = {REAL(1, "dropout_ratio", 0.5)};
static TYPE(dropout, "DropoutParameter");

static const oci_proto_field concat_fields[] = {UINT(1, "concat_dim", 1), INT(2, "axis", 1)};
static TYPE(concat, "ConcatParameter");

static const oci_proto_field batch_norm_fields[] = {BOOL(1, "use_global_stats", 0),
                                                    REAL(2, "moving_average_fraction", 0.999),
                                                    REAL(3, "eps", 1e-5)};
static TYPE(batch_norm, "BatchNormParameter");

static const oci_proto_field scale_fields[] = {
    INT(1, "axis", 1),
    INT(2, "num_axes", 1),
    MESSAGE(3, "filler", filler),
    BOOL(4, "bias_term", 0),
    MESSAGE(5, "bias_filler", filler),
};
static TYPE(scale, "ScaleParameter");

static const oci_proto_field bias_fields[] = {INT(1, "axis", 1), INT(2, "num_axes", 1),
                                              MESSAGE(3, "filler", filler)};
static TYPE(bias, "BiasParameter");

static const oci_proto_field flatten_fields[] = {INT(1, "axis", 1), INT(2, "end_axis", -1)};
static TYPE(flatten, "FlattenParameter");

static const oci_proto_field reshape_fields[] = {MESSAGE(1, "shape", shape), INT(2, "axis", 0),
                                                 INT(3, "num_axes", -1)};
static TYPE(reshape, "ReshapeParameter");

static const oci_proto_field power_fields[] = {REAL(1, "power", 1), REAL(2, "scale", 1),
                                               REAL(3, "shift", 0)};
static TYPE(power, "PowerParameter");

static const oci_proto_field clip_fields[] = {REAL(1, "min", 0), REAL(2, "max", 0)};
static TYPE(clip, "ClipParameter");

static const oci_proto_field swish_fields[] = {REAL(1, "beta", 1)};
static TYPE(swish, "SwishParameter");

static const oci_proto_word normalization_words[] = {
    {"FULL", 0}, {"VALID", 1}, {"BATCH_SIZE", 2}, {"NONE", 3}, {0}};
static const oci_proto_field loss_fields[] = {INT(1, "ignore_label", 0), BOOL(2, "normalize", 0),
                                              ENUM(3, "normalization", normalization_words, 1)};
static TYPE(loss, "LossParameter");

static const oci_proto_field accuracy_fields[] = {UINT(1, "top_k", 1), INT(2, "axis", 1),
                                                  INT(3, "ignore_label", 0)};
static TYPE(accuracy, "AccuracyParameter");

static const oci_proto_field layer_fields[] = {
    TEXT(1, "name", ""),
    TEXT(2, "type", ""),
    TEXTS(3, "bottom"),
    TEXTS(4, "top"),
    REALS(5, "loss_weight"),
    MESSAGES(6, "param", param),
    MESSAGES(7, "blobs", oci_caffe_blob),
    MESSAGES(8, "include", rule),
    MESSAGES(9, "exclude", rule),
    ENUM(10, "phase", phase_words, 0),
    BOOLS(11, "propagate_down"),
    MESSAGE(100, "transform_param", transform),
    MESSAGE(101, "loss_param", loss),
    MESSAGE(102, "accuracy_param", accuracy),
    OPAQUE(103, "argmax_param"),
    MESSAGE(104, "concat_param", concat),
    OPAQUE(105, "contrastive_loss_param"),
    MESSAGE(106, "convolution_param", convolution),
    MESSAGE(107, "data_param", data),
    MESSAGE(108, "dropout_param", dropout),
    MESSAGE(109, "dummy_data_param", dummy_data),
    MESSAGE(110, "eltwise_param", eltwise),
    OPAQUE(111, "exp_param"),
    OPAQUE(112, "hdf5_data_param"),
    OPAQUE(113, "hdf5_output_param"),
    OPAQUE(114, "hinge_loss_param"),
    MESSAGE(115, "image_data_param", image_data),
    OPAQUE(116, "infogain_loss_param"),
    MESSAGE(117, "inner_product_param", inner_product),
    MESSAGE(118, "lrn_param", lrn),
    MESSAGE(119, "memory_data_param", memory_data),
    OPAQUE(120, "mvn_param"),
    MESSAGE(121, "pooling_param", pooling),
    MESSAGE(122, "power_param", power),
    MESSAGE(123, "relu_param", relu),
    MESSAGE(124, "sigmoid_param", sigmoid),
    MESSAGE(125, "softmax_param", softmax),
    OPAQUE(126, "slice_param"),
    MESSAGE(127, "tanh_param", hyperbolic),
    OPAQUE(128, "threshold_param"),
    OPAQUE(129, "window_data_param"),
    OPAQUE(130, "python_param"),
    MESSAGE(131, "prelu_param", prelu),
    OPAQUE(132, "spp_param"),
    MESSAGE(133, "reshape_param", reshape),
    OPAQUE(134, "log_param"),
    MESSAGE(135, "flatten_param", flatten),
    OPAQUE(136, "reduction_param"),
    OPAQUE(137, "embed_param"),
    OPAQUE(138, "tile_param"),
    MESSAGE(139, "batch_norm_param", batch_norm),
    OPAQUE(140, "elu_param"),
    MESSAGE(141, "bias_param", bias),
    MESSAGE(142, "scale_param", scale),
    MESSAGE(143, "input_param", input),
    OPAQUE(144, "crop_param"),
    OPAQUE(145, "parameter_param"),
    OPAQUE(146, "recurrent_param"),
    MESSAGE(147, "swish_param", swish),
    MESSAGE(148, "clip_param", clip),
};
static TYPE(layer, "LayerParameter");

/* ---- layers of 2014 ------------------------------------------------------------------------ */

static const oci_proto_word v1_words[] = {{"NONE", 0},
                                          {"ACCURACY", 1},
                                          {"BNLL", 2},
                                          {"CONCAT", 3},
                                          {"CONVOLUTION", 4},
                                          {"DATA", 5},
                                          {"DROPOUT", 6},
                                          {"EUCLIDEAN_LOSS", 7},
                                          {"FLATTEN", 8},
                                          {"HDF5_DATA", 9},
                                          {"HDF5_OUTPUT", 10},
                                          {"IM2COL", 11},
                                          {"IMAGE_DATA", 12},
                                          {"INFOGAIN_LOSS", 13},
                                          {"INNER_PRODUCT", 14},
                                          {"LRN", 15},
                                          {"MULTINOMIAL_LOGISTIC_LOSS", 16},
                                          {"POOLING", 17},
                                          {"RELU", 18},
                                          {"SIGMOID", 19},
                                          {"SOFTMAX", 20},
                                          {"SOFTMAX_LOSS", 21},
                                          {"SPLIT", 22},
                                          {"TANH", 23},
                                          {"WINDOW_DATA", 24},
                                          {"ELTWISE", 25},
                                          {"POWER", 26},
                                          {"SIGMOID_CROSS_ENTROPY_LOSS", 27},
                                          {"HINGE_LOSS", 28},
                                          {"MEMORY_DATA", 29},
                                          {"ARGMAX", 30},
                                          {"THRESHOLD", 31},
                                          {"DUMMY_DATA", 32},
                                          {"SLICE", 33},
                                          {"MVN", 34},
                                          {"ABSVAL", 35},
                                          {"SILENCE", 36},
                                          {"CONTRASTIVE_LOSS", 37},
                                          {"EXP", 38},
                                          {"DECONVOLUTION", 39},
                                          {0}};

static const oci_proto_field v1_layer_fields[] = {
    OPAQUE(1, "layer"), /* the form before this one */
    TEXTS(2, "bottom"),
    TEXTS(3, "top"),
    TEXT(4, "name", ""),
    ENUM(5, "type", v1_words, 0),
    MESSAGES(6, "blobs", oci_caffe_blob),
    REALS(7, "blobs_lr"),
    REALS(8, "weight_decay"),
    MESSAGE(9, "concat_param", concat),
    MESSAGE(10, "convolution_param", convolution),
    MESSAGE(11, "data_param", data),
    MESSAGE(12, "dropout_param", dropout),
    OPAQUE(13, "hdf5_data_param"),
    OPAQUE(14, "hdf5_output_param"),
    MESSAGE(15, "image_data_param", image_data),
    OPAQUE(16, "infogain_loss_param"),
    MESSAGE(17, "inner_product_param", inner_product),
    MESSAGE(18, "lrn_param", lrn),
    MESSAGE(19, "pooling_param", pooling),
    OPAQUE(20, "window_data_param"),
    MESSAGE(21, "power_param", power),
    MESSAGE(22, "memory_data_param", memory_data),
    OPAQUE(23, "argmax_param"),
    MESSAGE(24, "eltwise_param", eltwise),
    OPAQUE(25, "threshold_param"),
    MESSAGE(26, "dummy_data_param", dummy_data),
    MESSAGE(27, "accuracy_param", accuracy),
    OPAQUE(29, "hinge_loss_param"),
    MESSAGE(30, "relu_param", relu),
    OPAQUE(31, "slice_param"),
    MESSAGES(32, "include", rule),
    MESSAGES(33, "exclude", rule),
    OPAQUE(34, "mvn_param"),
    REALS(35, "loss_weight"),
    MESSAGE(36, "transform_param", transform),
    MESSAGE(37, "tanh_param", hyperbolic),
    MESSAGE(38, "sigmoid_param", sigmoid),
    MESSAGE(39, "softmax_param", softmax),
    OPAQUE(40, "contrastive_loss_param"),
    OPAQUE(41, "exp_param"),
    MESSAGE(42, "loss_param", loss),
    TEXTS(1001, "param"),
    ENUMS(1002, "blob_share_mode", share_words),
};
static TYPE(v1_layer, "V1LayerParameter");

/* ---- nets and solvers ---------------------------------------------------------------------- */

static const oci_proto_field oci_caffe_net_fields[] = {
    TEXT(1, "name", ""),      MESSAGES(2, "layers", v1_layer),   TEXTS(3, "input"),
    INTS(4, "input_dim"),     BOOL(5, "force_backward", 0),      MESSAGE(6, "state", state),
    BOOL(7, "debug_info", 0), MESSAGES(8, "input_shape", shape), MESSAGES(100, "layer", layer),
};
TYPE(oci_caffe_net, "NetParameter");

static const oci_proto_word format_words[] = {{"HDF5", 0}, {"BINARYPROTO", 1}, {0}};
static const oci_proto_word mode_words[] = {{"CPU", 0}, {"GPU", 1}, {0}};
static const oci_proto_word solver_words[] = {
    {"SGD", 0}, {"NESTEROV", 1}, {"ADAGRAD", 2}, {"RMSPROP", 3}, {"ADADELTA", 4}, {"ADAM", 5}, {0}};

static const oci_proto_field oci_caffe_solver_fields[] = {
    TEXT(1, "train_net", ""),
    TEXTS(2, "test_net"),
    INTS(3, "test_iter"),
    INT(4, "test_interval", 0),
    REAL(5, "base_lr", 0),
    INT(6, "display", 0),
    INT(7, "max_iter", 0),
    TEXT(8, "lr_policy", ""),
    REAL(9, "gamma", 0),
    REAL(10, "power", 0),
    REAL(11, "momentum", 0),
    REAL(12, "weight_decay", 0),
    INT(13, "stepsize", 0),
    INT(14, "snapshot", 0),
    TEXT(15, "snapshot_prefix", ""),
    BOOL(16, "snapshot_diff", 0),
    ENUM(17, "solver_mode", mode_words, 1),
    INT(18, "device_id", 0),
    BOOL(19, "test_compute_loss", 0),
    INT64(20, "random_seed", -1),
    MESSAGE(21, "train_net_param", oci_caffe_net),
    MESSAGES(22, "test_net_param", oci_caffe_net),
    BOOL(23, "debug_info", 0),
    TEXT(24, "net", ""),
    MESSAGE(25, "net_param", oci_caffe_net),
    MESSAGE(26, "train_state", state),
    MESSAGES(27, "test_state", state),
    BOOL(28, "snapshot_after_train", 1),
    TEXT(29, "regularization_type", "L2"),
    ENUM(30, "solver_type", solver_words, 0),
    REAL(31, "delta", 1e-8),
    BOOL(32, "test_initialization", 1),
    INT(33, "average_loss", 1),
    INTS(34, "stepvalue"),
    REAL(35, "clip_gradients", -1),
    INT(36, "iter_size", 1),
    ENUM(37, "snapshot_format", format_words, 1),
    REAL(38, "rms_decay", 0.99),
    REAL(39, "momentum2", 0.999),
    TEXT(40, "type", "SGD"),
    BOOL(41, "layer_wise_reduce", 1),
    TEXTS(42, "weights"),
};
TYPE(oci_caffe_solver, "SolverParameter");
