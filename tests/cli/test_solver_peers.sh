#!/bin/sh
# A solver over real photos in stores that python's lmdb wrote, raw and encoded, and over a list of the
# same photos: they train, and to the same bytes.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
peers=${OC_PEERS-$3/build/peers}
flowers=$3/../shared/data/flowers17
skip() {
    echo "skipped: $1"
    exit 77
}
[ -x "$peers/bin/python" ] || skip "no peers in OC_PEERS or build/peers (scripts/peers.sh)"
[ -d "$flowers" ] || skip "$flowers is absent"
flowers=$(realpath "$flowers")
"$peers/bin/python" "$3/tests/cli/solver_peer.py" "$flowers" "$work" >peer.txt 2>&1
code=$?
[ $code != 77 ] || skip "$(cat peer.txt)"
[ $code = 0 ] || { cat peer.txt && exit 1; }
"$binary" data test_raw_lmdb >data.txt 2>&1 || {
    ! grep -q "not built in" data.txt || skip "liblmdb is not built in"
}

# data FORM PHASE BATCH: the layer that gives the photos
data() {
    part=$(echo "$2" | tr A-Z a-z)
    case $1 in
    list) kind=ImageData param="image_data_param { source: 'list_$part.txt'" ;;
    *) kind=Data param="data_param { backend: LMDB source: '${part}_$1_lmdb'" ;;
    esac
    cat <<NET
layer { name: "data" type: "$kind" top: "data" top: "label" include { phase: $2 }
  transform_param { mirror: true crop_size: 40 mean_value: 104 mean_value: 117 mean_value: 123 scale: 0.017 }
  $param batch_size: $3 } }
NET
}
cp train.txt list_train.txt
cp test.txt list_test.txt
for form in raw encoded list; do
    {
        data $form TRAIN 12
        data $form TEST 8
        cat <<'NET'
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 24 kernel_size: 5 stride: 2 weight_filler { type: "msra" } } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { pool: AVE kernel_size: 9 stride: 9 } }
layer { name: "fc" type: "InnerProduct" bottom: "pool1" top: "fc" param { lr_mult: 1 } param { lr_mult: 2 }
  inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "accuracy" type: "Accuracy" bottom: "fc" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }
NET
    } >$form.prototxt
    cat >solver.prototxt <<SOLVER
net: "$form.prototxt" test_iter: 3 test_interval: 20 base_lr: 0.02 lr_policy: "fixed" max_iter: 160
momentum: 0.9 weight_decay: 0.0005 random_seed: 3
SOLVER
    claim "a solver trains on real photos: $form"
    run 0 train --solver solver.prototxt -o $form --threads 1 --workers 1 --json
    equal "$(field train_images)" 48
    equal "$(field val_images)" 24
    equal "$(field rejected)" 0
    at_least "$(field best_accuracy)" 0.5
done
claim "the way photos are kept changes nothing"
cmp -s raw/model.safetensors encoded/model.safetensors || fail "encoded photos train to other weights"
cmp -s raw/model.safetensors list/model.safetensors || fail "a list trains to other weights"
finish
