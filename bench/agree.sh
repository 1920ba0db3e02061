#!/bin/bash
# Does SqueezeNet 1.1, imported, say of photos what PyTorch says of them behind Pillow? A row for
# bench/results/agree.csv. usage: bench/agree.sh [EVERY]     (every EVERY-th photo; default all)
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/.." || exit 3
. bench/lib.sh
have_ocellus
every=${1-1}
weights=$SHARED/models/squeezenet1_1.safetensors
if ! [ -f "$weights" ] || ! "$PYTHON" -c 'import torch, torchvision, PIL' 2>/dev/null; then
    say "agree: skipped: needs $weights, and PyTorch, torchvision and Pillow in $PYTHON"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/crops"
find -L "$SHARED/data/flowers17" "$SHARED/data/landscapes" -type f -name '*.jpg' | sort |
    awk -v every="$every" 'NR % every == 0' >"$work/photos"

# the second model leaves pixels alone: a crop is fed as it is
"$OCELLUS" import weights "$weights" -o "$work/model" >"$work/log" 2>&1 &&
    "$OCELLUS" import weights "$weights" -o "$work/as-is" --resize 224 >"$work/log" 2>&1 &&
    "$PYTHON" bench/peers/imagenet_labels.py run "$weights" "$work/photos" "$work/torch" \
        "$work/crops" 2>"$work/log" &&
    "$OCELLUS" predict "$work/model" - --list --top 1 --json <"$work/photos" >"$work/ours" \
        2>"$work/log" &&
    find "$work/crops" -name '*.png' | sort |
    "$OCELLUS" predict "$work/as-is" - --list --top 1000 --json >"$work/same" 2>"$work/log" ||
    { tail -n 5 "$work/log" >&2; exit 3; }
result=$("$PYTHON" bench/peers/imagenet_labels.py compare "$work/torch" "$work/ours" \
    "$work/same") || exit 3
printf '%s\n' "$result"
get() { printf '%s\n' "$result" | field "$1"; }
append agree row,n,equal,share,equal_same_pixels,worst_logit_same_pixels,reach \
    "squeezenet1_1 photos,$(get n),$(get equal),$(get share),$(get equal_same_pixels),$(get worst_logit_same_pixels),share >= 0.99; logit <= 1e-3"

# as a test: LEAST is the share that must be reached, and logits on the same pixels within 1e-3
[ -z "${LEAST-}" ] || [ "$(calc "($(get share) >= $LEAST && $(get worst_logit_same_pixels) <= 1e-3)")" = 1 ]
