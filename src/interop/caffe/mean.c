/* The mean image that a Caffe user subtracts, as one value a channel.
 *
 * SPDX-License-Identifier: BSD-2-Clause */
#include "interop/caffe/caffe_int.h"

#include <math.h>

enum { MAX_MEAN_BYTES = 256 << 20 };

typedef struct mean_image {
    float *pixels; /* (channels, area) */
    size_t channels, area;
} mean_image;

static oc_status check_channels(const char *path, const oc_shape *shape, int channels,
                                mean_image *out, oc_error *err) {
    size_t count = 0;
    char text[OC_SHAPE_TEXT];
    int first = shape->rank - 3; /* channels, height, width are the last three */
    bool counted = oc_shape_count(shape, &count) && count > 0 && first >= 0;
    if (counted && shape->dim[first] == channels &&
        count == (size_t)(shape->dim[first] * shape->dim[first + 1] * shape->dim[first + 2])) {
        out->channels = (size_t)channels;
        out->area = count / out->channels;
        return OC_OK;
    }
    return oc_fail(err, OC_EMISMATCH, "%s: a mean image of %s, the network takes %d channels", path,
                   oc_shape_text(text, shape), channels);
}

static oc_status read_image(const char *path, const void *bytes, size_t size, int channels,
                            oc_pool *pool, mean_image *out, oc_error *err) {
    const oci_proto *blob = NULL;
    oc_shape shape;
    OC_TRY(oci_proto_parse_bytes(&oci_caffe_blob, bytes, size, path, pool, &blob, err));
    OC_TRY(oci_caffe_blob_shape(blob, "the mean image", &shape, err));
    OC_TRY(check_channels(path, &shape, channels, out, err));
    size_t count = out->channels * out->area;
    if (count > size) { /* each value takes four bytes at least */
        return oc_fail(err, OC_EFORMAT, "%s: %zu values in %zu bytes cannot be", path, count, size);
    }
    out->pixels = oc_calloc(count, sizeof *out->pixels);
    if (out->pixels == NULL) return oc_fail_nomem(err, count * sizeof *out->pixels, path);
    return oci_caffe_blob_read(blob, NULL, "the mean image", count, out->pixels, err);
}

static oc_status reduce(const char *path, const mean_image *image, float mean[3], float *spread,
                        oc_error *err) {
    *spread = 0;
    for (size_t c = 0; c < image->channels; c++) {
        const float *pixels = image->pixels + c * image->area;
        double sum = 0;
        for (size_t i = 0; i < image->area; i++) sum += (double)pixels[i];
        mean[c] = (float)(sum / (double)image->area);
        if (!isfinite(mean[c]))
            return oc_fail(err, OC_EFORMAT, "%s: a mean image that is not finite", path);
        for (size_t i = 0; i < image->area; i++)
            *spread = fmaxf(*spread, fabsf(pixels[i] - mean[c]));
    }
    return OC_OK;
}

oc_status oci_caffe_mean_read(const char *path, int channels, float mean[3], float *spread,
                              oc_error *err) {
    char *bytes = NULL;
    size_t size = 0;
    oc_pool *pool = NULL;
    mean_image image = {0};
    oc_status status = OC_OK;
    OC_GOTO(oc_file_read(path, MAX_MEAN_BYTES, &bytes, &size, err));
    OC_GOTO(oc_pool_new(&pool, err));
    OC_GOTO(read_image(path, bytes, size, channels, pool, &image, err));
    status = reduce(path, &image, mean, spread, err);
done:
    oc_free(image.pixels);
    oc_pool_free(pool);
    oc_free(bytes);
    return status;
}
