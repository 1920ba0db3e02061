/* The geometry of a recipe: which part of a picture the network sees, and at which scale.
 *
 * As torchvision: Resize(resize_side) makes the short side that long and truncates the other,
 * CenterCrop rounds its offsets half to even. A squashed picture's are rounded down, as Caffe's.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "data/data_int.h"

enum { MAX_FULL_SIDE = 1 << 26 };

bool oci_view_of(const oc_recipe *recipe, int width, int height, oci_view *out) {
    *out = (oci_view){
        .box = {0, 0, width, height},
        .full_width = recipe->width,
        .full_height = recipe->height,
    };
    if (recipe->fit == OC_FIT_SQUASH) {
        if (recipe->resize_width == 0) return true;
        out->full_width = recipe->resize_width;
        out->full_height = recipe->resize_height;
        out->x = (out->full_width - recipe->width) / 2;
        out->y = (out->full_height - recipe->height) / 2;
        return true;
    }
    int64_t side = recipe->resize_side;
    int64_t full_width = width <= height ? side : side * width / height;
    int64_t full_height = width <= height ? side * height / width : side;
    if (full_width > MAX_FULL_SIDE || full_height > MAX_FULL_SIDE) return false;
    out->full_width = (int)full_width;
    out->full_height = (int)full_height;
    out->x = (int)nearbyint((out->full_width - recipe->width) / 2.0);
    out->y = (int)nearbyint((out->full_height - recipe->height) / 2.0);
    return true;
}
