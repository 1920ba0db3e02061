#!/bin/sh
# Real photos, where they are: tuning the head of a pretrained network on a slice of flowers17
# reaches its floor; the formats of the world are read.
# SPDX-License-Identifier: BSD-2-Clause
shared=$(realpath "$3/../shared" 2>/dev/null)
if [ ! -d "$shared/data/flowers17" ] || [ ! -f "$shared/models/mobilenet_v2-features.safetensors" ]
then
    echo "skipped: no photos beside the checkout (../shared)"
    exit 77
fi
. "$(dirname "$0")/lib.sh"

mkdir slice
for class in $(find "$shared/data/flowers17" -mindepth 1 -maxdepth 1 -type d | sort | head -n 5); do
    mkdir "slice/$(basename "$class")"
    find "$class" -name '*.jpg' | sort | head -n 30 | while read -r photo; do
        ln -s "$photo" "slice/$(basename "$class")/"
    done
done

claim "the head of mobilenet_v2 tuned on 120 photos of 5 flowers names most of 30 others"
run 0 train slice -o model --from "$shared/models/mobilenet_v2-features.safetensors" --tune head \
    --size 128 --epochs 6 --seed 1 --json
equal "$(field val_images)" 30
run 0 eval model slice --json
equal "$(field n)" 30
at_least "$(field accuracy)" 0.8

claim "the head of squeezenet1_1, whose features are far longer, learns at a rate that suits them"
run 0 train slice -o long --from "$shared/models/squeezenet1_1.safetensors" --tune head --size 128 \
    --epochs 6 --seed 1
says 'the head learns at 0.00'
run 0 eval long slice --json
at_least "$(field accuracy)" 0.8

claim "list files with two ids are read by either column"
run 0 data "$shared/data/groceries/val.txt" --json
equal "$(field images)" 296
run 0 data "$shared/data/groceries/val.txt" --label-column 2 --json
equal "$(field images)" 296

claim "all orientations of a photo are named alike"
run 0 predict model "$shared/data/formats/exif" --json --top 1
equal "$(field top.0.label | sort -u | wc -l)" 1
finish
