#!/bin/sh
# The arrow check against made-up houses: a good one passes, each kind of violation is caught.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
here=$(cd "$(dirname "$0")" && pwd)
house=$(mktemp -d)
trap 'rm -rf "$house"' EXIT
mkdir -p "$house/src/base" "$house/src/nn" "$house/src/data" "$house/src/engine/ref" \
    "$house/src/predict" "$house/src/eval" "$house/src/odd" "$house/include/ocellus"
failed=0

# build FILE LINE: a house whose only #include worth a look is LINE in FILE
build() {
    find "$house" -type f -exec rm {} +
    echo '#include "ocellus/status.h"' >"$house/src/base/error.h"
    echo "$2" >"$house/$1"
}

passes() {
    build "$1" "$2"
    if ! "$here/check-arrows.sh" "$house"; then
        echo "arrows: refused what is allowed: $1: $2"
        failed=1
    fi
}

caught() {
    build "$1" "$2"
    if "$here/check-arrows.sh" "$house" >/dev/null; then
        echo "arrows: let through: $1: $2"
        failed=1
    fi
}

passes src/nn/graph.c '#include "base/base.h"'
passes src/nn/graph.c '#include "nn/nn_int.h"'
passes src/nn/graph.c '#include "ocellus/status.h"'
passes src/engine/ref/conv.c '#include "engine/engine_int.h"'
passes src/predict/predict.h '#include "model/model.h"'
passes src/eval/eval.h '#include "data/data.h"'
caught src/base/mem.c '#include "nn/nn.h"'
caught src/data/csv.c '#include "engine/engine.h"'
caught src/predict/predict.c '#include "eval/eval.h"'
caught src/nn/graph.c '#include "base/mem.h"'
caught src/engine/ref/conv.c '#  include "nn/nn_int.h"'
caught src/nn/graph.c '#include "../base/base.h"'
caught src/nn/graph.c '#include "attic/attic.h"'
caught src/odd/odd.c '#include "base/base.h"'
caught include/ocellus/model.h '#include "base/base.h"'
exit $failed
