#!/bin/sh
# Two forms of one network side by side: what agrees, where a difference begins; and against values
# that PyTorch recorded by the very lines of docs/03-interop.md, where torch and ../shared are there.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
source_dir=$(realpath "$3")
tiny photos
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o model $train_options
photo=photos/lemon-daisy/001.jpg

claim "a model agrees with itself, layer by layer"
run 0 verify model --against model
prints "the same class for 2 of 2 photos"
run 0 verify model --against model --images photos --json
equal "$(field agree)" true
equal "$(field images)" 8
equal "$(field same_class)" 8
equal "$(field layers.0.matched_by)" name

claim "engines agree"
run 0 verify model --against model --engine onednn --images $photo --json
equal "$(field agree)" true

claim "a model agrees with its ONNX file"
run 0 export onnx model -o model.onnx
run 0 verify model --against model.onnx --images photos --json
equal "$(field agree)" true
equal "$(field layers.1.matched_by)" name

claim "two models differ from the first layer on"
# shellcheck disable=SC2086
run 0 train photos -o other $train_options --seed 4
run 2 verify model --against other
prints "<- the first difference"
says "differ"
run 2 verify model --against other --json
equal "$(field agree)" false
has first share difference tolerance

claim "wrong use is told"
run 1 verify model
says "--against"
run 1 verify model --against model --tolerance 2
run 2 verify model --against nothing
says "nothing"
run 2 verify model --against $photo
says "can be compared"
run 2 verify model --against model/model.safetensors
says 'no tensor "input"'
run 1 verify model --against model/model.safetensors --images photos
says "--images"
run 2 verify model --against model --images empty
says "empty"

python=${OC_PEERS-$source_dir/build/peers}/bin/python
weights=$source_dir/../shared/models/squeezenet1_1.safetensors
if [ -f "$weights" ] && "$python" -c "import torchvision, safetensors.torch" 2>/dev/null; then
    claim "SqueezeNet agrees with PyTorch in every layer"
    cp "$weights" .
    sed -n '/^```python$/,/^```$/p' "$source_dir/docs/03-interop.md" | sed '1d;$d' >record.py
    "$python" record.py >.stdout 2>.stderr || fail "the lines of docs/03-interop.md"
    run 0 import weights squeezenet1_1.safetensors -o net
    run 0 verify net --against recorded.safetensors --tolerance 1e-5 --json
    equal "$(field agree)" true
    equal "$(field same_class)" 2
    "$json_get" layers.66.share <.stdout >/dev/null || fail "no 67 layers"
    [ "$(grep -o '"matched_by":"name"' .stdout | wc -l)" -ge 65 ] || fail "few layers by name"
else
    echo "skipped: PyTorch's values (no torchvision and safetensors in $python, or no ../shared)"
fi

finish
