#!/bin/bash
# How fast ocellus is beside what one would otherwise use on the same machine: PyTorch as the system
# has it and the newest one, ONNX Runtime, OpenVINO, torchvision's loader (peers.sh). In turns (ours,
# theirs, ours, theirs ...), with the same work. A ratio is the median of the rounds' ratios. Prints a
# table and appends to bench/results/speed.csv. A peer that is not here is told as absent.
#
#   bench/run.sh [--quick] [--rounds N] [--beside PEER,...] [--name NAME] [ROW ...]
#
# Rows: limits; train-NET[-bBATCH], infer-NET-bBATCH for each network that torchvision has, too;
#       share-NET; int8 classes loader startup plan finetune. Without any: those that have an aim to reach.
# Peers: old-eager old-channels_last new-eager new-channels_last new-compiled onnxruntime
#       openvino-latency openvino-throughput; old new for the loader. Without --beside: all.
# OCELLUS, SHARED, RESULTS, PYTHON, PEERS say where things are, if not in their usual places (lib.sh).
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/.." || exit 3
. bench/lib.sh
. bench/peers.sh
. bench/rows.sh
. bench/whole.sh

usage='usage: bench/run.sh [--quick] [--rounds N] [--beside PEER,...] [--name NAME] [ROW ...]'
rounds=3 reps=2 seconds=1 epochs=2 share=1 starts=20 finetune_rounds=3 file=speed beside='' rows=()
while [ $# -gt 0 ]; do
    case $1 in
    --quick) rounds=1 seconds=0.5 epochs=1 share=2 starts=10 finetune_rounds=1 ;;
    --rounds) shift && rounds=${1-3} finetune_rounds=${1-3} ;;
    --beside) shift && beside=${1-} ;;
    --name) shift && file=${1-speed} ;;
    -*)
        say "run.sh: unknown option $1; $usage"
        exit 1
        ;;
    *) rows+=("$1") ;;
    esac
    shift
done
[ ${#rows[@]} -gt 0 ] || rows=(limits
    train-resnet50 train-googlenet train-squeezenet1_1 train-mobilenet_v2 train-alexnet train-resnet18
    share-resnet50 share-googlenet share-vgg16
    infer-resnet50-b1 infer-resnet50-b32 infer-mobilenet_v2-b1 infer-mobilenet_v2-b32
    infer-squeezenet1_1-b1 infer-squeezenet1_1-b32
    int8 classes loader plan startup finetune)
for name in "${rows[@]}"; do
    known_row "$name" || {
        say "run.sh: there is no row $name; the rows are listed at the top of bench/run.sh"
        exit 1
    }
done

have_ocellus
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
export TORCHINDUCTOR_CACHE_DIR=$work/inductor # compiled once, in the first round
status=0
find_peers
heading
for name in "${rows[@]}"; do measure "$name"; done
exit $status
