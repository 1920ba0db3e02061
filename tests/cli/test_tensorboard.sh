#!/bin/sh
# A run as TensorBoard itself reads it: curves, histograms, pictures, settings; stopped and resumed.
# SPDX-License-Identifier: BSD-2-Clause
peers=${OC_PEERS-$3/build/peers}
"$peers/bin/python" -c "import tensorboard" 2>/dev/null || {
    echo "skipped: no tensorboard in $peers (scripts/peers.sh makes it)"
    exit 77
}
peer=$3/tests/cli/tensorboard_peer.py
. "$(dirname "$0")/lib.sh"

# read_back FOLDER: what TensorBoard finds there
read_back() {
    "$peers/bin/python" "$peer" "$1" >"$work/.stdout" 2>"$work/.stderr" ||
        fail "TensorBoard's reader fails"
}

tiny photos # 24 to train on: three steps of eight an epoch

claim "TensorBoard reads all that a run writes"
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o model $train_options --histograms 2
read_back model
prints "scalars loss/train 1 2 3 4 5 6"
prints "scalars accuracy/train 1 2 3 4 5 6"
prints "scalars learning_rate 1 2 3 4 5 6"
prints "scalars speed/images_per_second 1 2 3 4 5 6"
prints "scalars speed/share_waiting_for_data 1 2 3 4 5 6"
prints "scalars loss/validation 3 6"
prints "scalars accuracy/validation 3 6"
prints "images confusion_matrix"
prints "images mistakes/1"
prints "histograms weights/"
prints "histograms gradients/"
prints "hparam arch thesis"
prints "hparam batch 8.0"
prints "metric accuracy/validation_best"
prints "status 1"

claim "a run that is stopped and resumed is one run"
# shellcheck disable=SC2086
for _ in 1 2 3; do
    # shellcheck disable=SC2086
    run 0 train photos -o other $train_options --stop-after 0.001 --resume
done
# shellcheck disable=SC2086
run 0 train photos -o other $train_options --resume
read_back other
prints "scalars loss/train 1 2 3 4 5 6"
prints "scalars loss/validation 3 6"
prints "status 1"

claim "without a record there is none"
# shellcheck disable=SC2086
run 0 train photos -o model $train_options --tensorboard off
[ -z "$(find model -name '*tfevents*')" ] || fail "there are event files"
# shellcheck disable=SC2086
run 1 train photos -o model $train_options --tensorboard off --histograms 3
says "--histograms"

finish
