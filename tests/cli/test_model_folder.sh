#!/bin/sh
# A model folder with a missing, truncated or inconsistent file: an error that names it.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
tiny photos
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o model $train_options
photo=photos/lemon-daisy/001.jpg

# broken FILE: predict with the copy in ./copy fails and names FILE
broken() {
    for command in "predict copy $photo" "info copy" "eval copy photos"; do
        # shellcheck disable=SC2086
        run 2 $command
        says "$1"
        silent
    done
}
fresh() {
    rm -rf copy
    cp -r model copy
}

claim "a folder that is no model is told"
run 2 predict photos $photo
says "photos"
run 2 predict $photo $photo

claim "a missing file is named"
for file in config.json graph.json model.safetensors; do
    fresh
    rm copy/$file
    broken $file
done

claim "a truncated file is named"
for file in config.json graph.json model.safetensors; do
    fresh
    size=$(wc -c <model/$file)
    head -c $((size * 2 / 3)) model/$file >copy/$file
    broken $file
done

claim "an empty file is named"
for file in config.json graph.json model.safetensors; do
    fresh
    : >copy/$file
    broken $file
done

claim "weights of another network are told"
fresh
# shellcheck disable=SC2086
run 0 train photos -o other --arch squeezenet1_1 --size 32 --epochs 1 --batch 8 --threads 1
cp other/model.safetensors copy/
run 2 predict copy $photo

claim "two classes of one name are told"
fresh
sed "s/\"lemon-daisy\"/\"lemon-aster\"/" model/config.json >copy/config.json
run 2 predict copy $photo
says "lemon-aster"

claim "a header that claims more bytes than there are is told"
fresh
printf '\377\377\377\377\377\377\377\177' |
    dd of=copy/model.safetensors bs=1 conv=notrunc 2>/dev/null
broken model.safetensors

claim "the report or metrics being absent harms nothing"
fresh
rm -f copy/metrics.json copy/README.md copy/log.jsonl
rm -rf copy/checkpoint
run 0 predict copy $photo
run 0 info copy

claim "a folder that another user may not enter is not taken for a broken one"
fresh
chmod 0 copy
as=
if [ "$(id -u)" = 0 ]; then # whom no mode keeps out
    chmod 755 "$work"
    as="setpriv --reuid 65534 --regid 65534 --clear-groups"
fi
cp "$binary" ocellus
# shellcheck disable=SC2086 # a command and its options
$as ./ocellus predict copy $photo >.stdout 2>.stderr && fail "it predicts"
says "copy/config.json: Permission denied"
finish
