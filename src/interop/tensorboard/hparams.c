/* What TensorBoard's HPARAMS page lists: the settings of a run, when it began, how it ended.
 * (github.com/tensorflow/tensorboard: plugins/hparams/plugin_data.proto)
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/tensorboard/events_int.h"

enum { PLUGIN_DATA = 1, PLUGIN_NAME = 1, PLUGIN_CONTENT = 2 }; /* of SummaryMetadata */
enum { EXPERIMENT = 2, SESSION_START_INFO, SESSION_END_INFO }; /* of HParamsPluginData */
enum { HPARAM_INFO = 4, METRIC_INFO = 5 };                     /* of Experiment */
enum { INFO_NAME = 1, INFO_TYPE = 4, METRIC_TAG = 2 };
enum { TYPE_TEXT = 1, TYPE_BOOL, TYPE_NUMBER };
enum { START_HPARAMS = 1, START_SECONDS = 5 };
enum { END_STATUS = 1, END_SECONDS = 2, STATUS_SUCCESS = 1 };
enum { MAP_KEY = 1, MAP_VALUE = 2 };
enum { VALUE_NUMBER = 2, VALUE_TEXT = 3, VALUE_BOOL = 4 }; /* of google.protobuf.Value */
enum { TENSOR_DTYPE = 1, TENSOR_SHAPE = 2, DTYPE_FLOAT = 1 };

/* False for what is neither number, text nor truth value. */
static bool put_json(oc_buf *out, const json_t *value) {
    if (json_is_string(value))
        oci_wire_put_text(out, VALUE_TEXT, json_string_value(value));
    else if (json_is_number(value))
        oci_wire_put_double(out, VALUE_NUMBER, json_number_value(value));
    else if (json_is_boolean(value))
        oci_wire_put_varint(out, VALUE_BOOL, json_is_true(value));
    else
        return false;
    return true;
}

/* One entry of the map; `entry` and `text` are scratch. */
static void put_hparam(oc_buf *info, oc_buf *entry, oc_buf *text, const char *key,
                       const json_t *value) {
    if (!put_json(text, value)) return;
    oci_wire_put_text(entry, MAP_KEY, key);
    oci_wire_put_message(entry, MAP_VALUE, text);
    oci_wire_put_message(info, START_HPARAMS, entry);
}

/* A value whose content is `info` as field `kind` of HParamsPluginData. The page asks for a tensor
 * in it and looks at the metadata alone. */
static oc_status send(oc_events *e, const char *tag, uint32_t kind, oc_buf *info, oc_error *err) {
    oc_buf content = {0}, plugin = {0};
    oci_wire_put_message(&content, kind, info);
    oci_wire_put_text(&plugin, PLUGIN_NAME, "hparams");
    oci_wire_put_message(&plugin, PLUGIN_CONTENT, &content);
    oci_wire_put_message(&e->part, PLUGIN_DATA, &plugin);
    oci_wire_put_text(&e->value, OCI_VALUE_TAG, tag);
    oci_wire_put_message(&e->value, OCI_VALUE_METADATA, &e->part);
    oci_wire_put_varint(&e->part, TENSOR_DTYPE, DTYPE_FLOAT);
    oci_wire_put_bytes(&e->part, TENSOR_SHAPE, NULL, 0);
    oci_wire_put_message(&e->value, OCI_VALUE_TENSOR, &e->part);
    oci_events_close_value(e);
    oc_buf_clear(&content);
    oc_buf_clear(&plugin);
    return oci_events_send(e, 0, err);
}

static uint64_t type_of(const json_t *value) {
    if (json_is_string(value)) return TYPE_TEXT;
    return json_is_boolean(value) ? TYPE_BOOL : json_is_number(value) ? TYPE_NUMBER : 0;
}

/* The page's columns. */
static oc_status put_experiment(oc_events *e, const json_t *values, const char *const *metrics,
                                size_t count, oc_error *err) {
    oc_buf experiment = {0}, info = {0}, name = {0};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)values, key, value) {
        if (type_of(value) == 0) continue;
        oci_wire_put_text(&info, INFO_NAME, key);
        oci_wire_put_varint(&info, INFO_TYPE, type_of(value));
        oci_wire_put_message(&experiment, HPARAM_INFO, &info);
    }
    for (size_t i = 0; i < count; i++) {
        oci_wire_put_text(&name, METRIC_TAG, metrics[i]);
        oci_wire_put_message(&info, INFO_NAME, &name);
        oci_wire_put_message(&experiment, METRIC_INFO, &info);
    }
    oc_status status = send(e, "_hparams_/experiment", EXPERIMENT, &experiment, err);
    oc_buf_clear(&experiment);
    oc_buf_clear(&info);
    oc_buf_clear(&name);
    return status;
}

static oc_status put_start(oc_events *e, const json_t *values, oc_error *err) {
    oc_buf info = {0}, entry = {0}, text = {0};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)values, key, value) {
        put_hparam(&info, &entry, &text, key, value);
    }
    oci_wire_put_double(&info, START_SECONDS, oc_clock_wall());
    oc_status status = send(e, "_hparams_/session_start_info", SESSION_START_INFO, &info, err);
    oc_buf_clear(&info);
    oc_buf_clear(&entry);
    oc_buf_clear(&text);
    return status;
}

oc_status oc_events_hparams(oc_events *e, const json_t *values, const char *const *metrics,
                            size_t count, oc_error *err) {
    OC_TRY(put_experiment(e, values, metrics, count, err));
    return put_start(e, values, err);
}

oc_status oc_events_success(oc_events *e, oc_error *err) {
    oc_buf info = {0};
    oci_wire_put_varint(&info, END_STATUS, STATUS_SUCCESS);
    oci_wire_put_double(&info, END_SECONDS, oc_clock_wall());
    oc_status status = send(e, "_hparams_/session_end_info", SESSION_END_INFO, &info, err);
    oc_buf_clear(&info);
    return status;
}
