#!/bin/sh
# From a trained model to an int8 one that every command takes.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
tiny photos
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o model $train_options --epochs 15
photo=photos/lemon-daisy/001.jpg

claim "quantize measures both models and writes a smaller one"
run 0 quantize model photos -o small --photos 16 --batch 2 --max-drop 100 --json
has model n accuracy_before accuracy_after drop_points agreement speedup images_per_second_after
at_least "$(field bytes_before)" "$(field bytes_after)"
equal "$(field model)" small
[ -f small/model.safetensors ] || fail "no weights in small"
grep -q '"op": "quantize"' small/graph.json || fail "graph.json has no quantize node"
grep -q '"quantization"' small/config.json || fail "config.json does not tell of it"

claim "every command takes the int8 model"
run 0 predict small $photo --json
prints '"top"'
run 0 predict small $photo --engine ref --json
prints '"top"'
run 0 eval small photos --part all --json
has accuracy nll
run 0 info small
run 0 bench small --batch 1 --reps 1 --seconds 0 --layers
prints "images/s"

claim "it is not trained on, nor quantised again"
run 2 train photos -o other --from small --epochs 1
says "quantised"
run 2 quantize small photos -o other
says "already"
[ ! -e other/model.safetensors ] || fail "other was written"

claim "too large a drop writes nothing"
mkdir -p grey/a grey/b # photos that show a layer nothing of what it will see
base64 -d >grey/a/1.png <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAADklEQVR42mOohwIGyhgAd4QfwYuWm4wAAAAASUVORK5CYII=
PNG
cp grey/a/1.png grey/b/2.png
run 2 quantize model grey -o other --eval photos --max-drop 0
says "nothing was written"
[ ! -e other/model.safetensors ] || fail "other was written"

claim "wrong use is told"
run 1 quantize model photos
says "-o OUT"
run 1 quantize model -o other
run 1 quantize model photos -o other --ranges largest
says "mse"
run 2 quantize nowhere photos -o other
says "nowhere"
finish
