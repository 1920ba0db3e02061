#!/bin/sh
# A model as an ONNX file and back: the same answers; and wrong use.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
tiny photos
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o model $train_options
photo=photos/lemon-daisy/001.jpg

claim "a model that went out comes back with its classes and its recipe"
run 0 export onnx model -o model.onnx --json
equal "$(field kind)" onnx
run 0 import onnx model.onnx -o back --json
has classes width arch
run 0 predict model $photo --engine ref --json
answer=$(cat .stdout)
run 0 predict back $photo --engine ref --json
equal "$(cat .stdout)" "$answer"

claim "so does one whose graph takes bytes, or whose weights lie outside"
run 0 export onnx model -o bytes.onnx --preprocess --softmax
run 0 import onnx bytes.onnx -o back2
run 0 predict back2 $photo --engine ref --json
equal "$(cat .stdout)" "$answer"
run 0 export onnx model -o outside.onnx --external-data
[ -s outside.onnx.data ] || fail "no weights in outside.onnx.data"
run 0 import onnx outside.onnx -o back3
run 0 predict back3 $photo --engine ref --json
equal "$(cat .stdout)" "$answer"

claim "an int8 model goes out, too"
run 0 quantize model photos -o small --photos 16 --batch 2 --max-drop 100
run 0 export onnx small -o small.onnx
run 0 import onnx small.onnx -o back4
run 0 predict small $photo --engine ref --json
answer=$(cat .stdout)
run 0 predict back4 $photo --engine ref --json
equal "$(cat .stdout)" "$answer"

claim "and stays one: its file does not grow"
[ "$(wc -c <back4/model.safetensors)" -lt $(($(wc -c <small/model.safetensors) + 2000)) ] ||
	fail "weights of int8 came back as floats"

claim "wrong use is told"
run 1 export onnx model
says "-o M.onnx"
run 1 export onyx model -o x
says "did you mean onnx"
run 2 export onnx nowhere -o x.onnx
says "nowhere"
run 1 import onnx -o back5
says "FILE.onnx"
head -c 200 model.onnx >cut.onnx
run 2 import onnx cut.onnx -o back5
says "cut.onnx"
run 2 import weights model.onnx -o back5
says "ocellus import onnx"
run 2 import onnx model/model.safetensors -o back5
says "ocellus import weights"
rm outside.onnx.data
run 2 import onnx outside.onnx -o back5
says "outside.onnx.data"
[ ! -e back5/config.json ] || fail "a model was written"
finish
