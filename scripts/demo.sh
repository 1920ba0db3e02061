#!/bin/sh
# The whole path on made-up photos: draw them, look at them, train, measure, name a few; then what to
# do with photos of your own. Everything lands in demo/, which may be deleted. A minute or two.
#   OCELLUS  the program (build/ocellus)     DEMO  the folder (demo)     EPOCHS  of training (80)
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "$(dirname "$0")/.."
ocellus=${OCELLUS-build/ocellus}
demo=${DEMO-demo}

[ -x "$ocellus" ] || {
    echo "$ocellus is not there: run \`make\` first"
    exit 3
}

# step WORDS -- COMMAND...: say it, show it, do it
step() {
    printf '\n== %s\n' "$1"
    shift 2
    echo "   \$ $*"
    "$@"
}

rm -rf "$demo/flowers" "$demo/more" "$demo/model" "$demo/report.html"
mkdir -p "$demo"
step "drawing 8 kinds of made-up flowers, 60 photos of each" -- \
    "$ocellus" synth "$demo/flowers" --classes 8 --per-class 60 --size 96 --seed 1
step "what is in them, and will it train?" -- "$ocellus" data "$demo/flowers"
step "training a small network from scratch, a fifth of the photos held out" -- \
    "$ocellus" train "$demo/flowers" -o "$demo/model" --arch thesis --epochs "${EPOCHS-80}" --seed 1
step "how good is it on the photos that were held out?" -- \
    "$ocellus" eval "$demo/model" "$demo/flowers" --report "$demo/report.html"
"$ocellus" synth "$demo/more" --classes 8 --per-class 1 --size 96 --seed 2026 2>/dev/null
step "naming photos that it has never seen" -- "$ocellus" predict "$demo/model" --top 2 \
    "$demo/more/crimson-poppy/001.jpg" "$demo/more/lemon-daisy/001.jpg" \
    "$demo/more/violet-lily/001.jpg"

cat <<END

== what now
   The report with its confusion matrix and the worst mistakes: open $demo/report.html
   The model is the folder $demo/model; its card is $demo/model/README.md

   With photos of your own, one folder per class:
     $ocellus data PHOTOS                              is there enough, is it clean?
     $ocellus train PHOTOS -o MODEL --from WEIGHTS     fine-tune a pretrained network
     $ocellus eval MODEL PHOTOS --report report.html   how good is it?
     $ocellus predict MODEL PHOTO.jpg                  what is on it?

   WEIGHTS is a file of a network trained on ImageNet, such as mobilenet_v2 or resnet50: PyTorch's
   .pth, .safetensors or Keras' .h5. docs/03-interop.md, "Fetched once, used offline", says where such
   files come from. Without --from a network starts from nothing, which takes ten times the photos.
END
