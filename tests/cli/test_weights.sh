#!/bin/sh
# Weights files in: an account of each tensor, prefixes, new heads on any layer.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
fixtures=$3/tests/interop/fixtures
tiny photos
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o model $train_options --epochs 1 --arch squeezenet1_1
layer=features.9

claim "a file of weights becomes a model with an account of each tensor"
run 0 import weights model/model.safetensors -o again --size 66 --json
equal "$(field arch)" squeezenet1_1
equal "$(field classes)" 3
equal "$(field report.matched)" 52
equal "$(field report.names)" torchvision
equal "$(field report.tensors.51.match)" matched
run 0 import weights model/model.safetensors -o again --size 66 --report
says "matched: classifier.1.bias 3 from classifier.1.bias"
run 0 predict again photos/lemon-daisy/001.jpg
cmp -s model/model.safetensors again/model.safetensors || fail "the weights are others"

claim "what is missing is told, and what could be meant"
run 2 import weights model/model.safetensors -o other --arch squeezenet1_0
says "missing: features.5.squeeze.weight"
says "and 2 more missing: --report lists all"
says "weights do not fit the network"
[ ! -e other ] || fail "a model was written"
run 2 import weights "$fixtures/state_one.pth" -o other
says "Nearest is"
run 2 import weights model/model.safetensors -o other --strip-prefix student
says "no tensor whose name begins with 'student'"

claim "a program in place of tensors is refused by its name"
run 2 import weights "$fixtures/module_two.pth" -o other
says "asks to call torch.nn.modules.linear.Linear"

claim "a new head stands on any layer"
run 0 train photos -o cut --from model --cut $layer --epochs 1 --batch 8 --threads 1
grep -q new_head cut/graph.json || fail "no new head"
grep -q features.10 cut/graph.json && fail "what was behind the cut is still there"
run 0 predict cut photos/lemon-daisy/001.jpg
run 0 train photos -o cut2 --from model/model.safetensors --cut features.6 --tune head --epochs 1 --size 66 \
    --threads 1
says "tensors matched, 2 missing"
run 0 train photos -o cut3 --from cut --cut features.6 --epochs 1 --batch 8 --threads 1
run 2 train photos -o cut4 --from model --cut feature.9
says "did you mean 'features.9'?"
run 1 train photos -o cut4 --cut features.9
says "--cut features.9 needs a network to cut"

claim "a network that is imported up to a layer takes a new head and names nothing before"
run 0 import weights model/model.safetensors -o body --cut $layer --size 66
prints "features of features.9"
run 2 predict body photos/lemon-daisy/001.jpg
says "ocellus train PHOTOS --from body -o MODEL"
run 2 eval body photos
run 2 export onnx body -o body.onnx
says "names nothing yet"
run 0 info body --no-speed
prints "no classes"
run 0 train photos -o from_body --from body --epochs 1 --batch 8 --threads 1 --seed 3
run 0 train photos -o from_whole --from again --cut $layer --epochs 1 --batch 8 --threads 1 --seed 3
cmp -s from_body/model.safetensors from_whole/model.safetensors || fail "not the same as train --cut"
run 0 export onnx model -o model.onnx
run 0 import onnx model.onnx -o body2 --cut $layer
run 0 train photos -o from_onnx --from body2 --epochs 1 --batch 8 --threads 1
run 1 import onnx model.onnx -o body3 --cut $layer --labels names.txt
says "of which --cut features.9 leaves none"
run 2 import onnx model.onnx -o body3 --cut feature.9
says "did you mean 'features.9'?"
[ ! -e body3 ] || fail "a model was written"

claim "weights go out under names that come back"
run 0 export weights model -o out.safetensors
cmp -s out.safetensors model/model.safetensors || fail "other bytes than the model's"
run 0 export weights model -o half.safetensors --dtype f16
run 0 import weights half.safetensors -o half --size 66 --json
equal "$(field report.matched)" 52
run 0 predict half photos/lemon-daisy/001.jpg
at_least "$(wc -c <out.safetensors)" "$(($(wc -c <half.safetensors) * 2 - 10000))"
run 2 export weights model -o timm.safetensors --names timm
says "timm has no names for squeezenet1_1"
[ ! -e timm.safetensors ] || fail "a file was written"
finish
