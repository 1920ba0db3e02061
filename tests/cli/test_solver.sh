#!/bin/sh
# A Caffe user's project - solver, train_val, lists - trains as it is: from the project's folder or
# another one, stopped and resumed to the same bytes, fine-tuned from its own weights.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
"$binary" synth photos --classes 3 --per-class 24 --size 56 --seed 5 2>/dev/null
mkdir -p project/lists
label=0
for class in photos/*/; do
    class=$(basename "$class")
    for file in photos/"$class"/*.jpg; do
        name=$(basename "$file")
        case $name in *0.jpg | *5.jpg) list=test ;; *) list=train ;; esac
        echo "$class/$name $label" >>project/lists/$list.txt
    done
    label=$((label + 1))
done

# data PHASE MIRROR BATCH: an ImageData layer
data() {
    cat <<NET
layer {
  name: "photos"
  type: "ImageData"
  top: "data"
  top: "label"
  include { phase: $1 }
  transform_param { mirror: $2 crop_size: 40 mean_value: 104 mean_value: 117 mean_value: 123 scale: 0.017 }
  image_data_param { source: "lists/$(echo "$1" | tr A-Z a-z).txt" root_folder: "../photos/" batch_size: $3
                     new_height: 44 new_width: 44 shuffle: true }
}
NET
}
{
    echo 'name: "Flowers" # as people write them'
    data TRAIN true 12
    data TEST false 7
    cat <<'NET'
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  param { lr_mult: 1 decay_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
  convolution_param { num_output: 16 kernel_size: 5 stride: 2 weight_filler { type: "msra" } } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "pool1" type: "Pooling" bottom: "conv1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
layer { name: "conv2" type: "Convolution" bottom: "pool1" top: "conv2"
  convolution_param { num_output: 16 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu2" type: "ReLU" bottom: "conv2" top: "conv2" }
layer { name: "pool2" type: "Pooling" bottom: "conv2" top: "pool2"
  pooling_param { pool: AVE kernel_size: 3 stride: 2 } }
layer { name: "fc3" type: "InnerProduct" bottom: "pool2" top: "fc3"
  param { lr_mult: 2 } param { lr_mult: 4 decay_mult: 0 }
  inner_product_param { num_output: 4 weight_filler { type: "gaussian" std: 0.01 } } }
layer { name: "accuracy" type: "Accuracy" bottom: "fc3" bottom: "label" top: "accuracy"
  include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc3" bottom: "label" top: "loss" }
NET
} >project/train_val.prototxt
cat >project/solver.prototxt <<'SOLVER'
net: "train_val.prototxt"
test_iter: 2
test_interval: 15
base_lr: 0.01
lr_policy: "step"
gamma: 0.5
stepsize: 30
max_iter: 50
momentum: 0.9
weight_decay: 0.0005
snapshot: 20
snapshot_prefix: "snap/flowers"
random_seed: 5
solver_mode: GPU
SOLVER
options="--threads 1 --workers 1"

claim "a solver trains as it is, from any folder, and its accuracy rises"
# shellcheck disable=SC2086 # a list of options
run 0 train --solver project/solver.prototxt -o whole $options --json
says "50 iterations, batch 12, sgd, lr 0.01 (step), seed 5"
says "judged after every 15 iterations"
at_least "$(field best_accuracy)" 0.6
equal "$(field epochs_done)" 4
equal "$(field classes)" 4
equal "$(field val_images)" "$(grep -c . project/lists/test.txt)"

claim "the model is one like others: eval takes the list, predict a photo"
cd photos || exit 1
run 0 eval ../whole ../project/lists/test.txt --json
at_least "$(field accuracy)" 0.6
cd "$work" || exit 1
run 0 info whole
prints "squashed to 44 x 44 and centre crop"
prints "BGR"

claim "in the solver's own folder it is the same run, and stopped ones resume to the same bytes"
cd project || exit 1
for round in 1 2 3 4; do
    # shellcheck disable=SC2086
    run 0 train --solver solver.prototxt -o ../part $options --resume --stop-after 0.003
done
# shellcheck disable=SC2086
run 0 train --solver solver.prototxt -o ../part $options --resume
cd "$work" || exit 1
cmp -s whole/model.safetensors part/model.safetensors || fail "a resumed run has other weights"

claim "options on the line win over the solver's numbers, and that is told"
sed -i 's/max_iter: 50/max_iter: 4/; s/lr_policy: "step"/lr_policy: "inv" power: 0.75/' \
    project/solver.prototxt
printf 'rose\niris\ndaisy\nlily\n' >names.txt
# shellcheck disable=SC2086
run 0 train --solver project/solver.prototxt -o other $options --lr 0.002 --batch 6 --names names.txt
says "given here instead of by the solver: --batch, --lr"
says "4 iterations, batch 6, sgd, lr 0.002 (inv)"
run 0 predict other photos/"$class"/001.jpg
prints "lily"

claim "what contradicts a solver, or it cannot do, is told"
run 1 train --solver project/solver.prototxt -o other --arch thesis
says "--arch has no place beside --solver"
run 1 train photos --solver project/solver.prototxt -o other
says "one argument too many"
run 1 train photos -o other --weights x.caffemodel
says "--weights goes with --solver"
run 2 train --solver gone.prototxt -o other
says "gone.prototxt"
run 2 train --solver project/solver.prototxt -o other --weights gone.caffemodel
says "gone.caffemodel"
echo "$class/001.jpg 4" >>project/lists/train.txt
run 2 train --solver project/solver.prototxt -o other
says "label 4: the network has 4 outputs"
finish
