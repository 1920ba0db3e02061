#!/bin/sh
# The main path on made-up photos: data, train, eval, predict, info, with the JSON of each.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
tiny photos

claim "data tells what is there"
run 0 data photos
prints "30 photos in 3 classes"
run 0 data photos --json
equal "$(field images)" 30
equal "$(field classes.0.n)" 10
has source parts rejected duplicates remarks

claim "train writes a model folder and one JSON object"
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o model $train_options --json
equal "$(wc -l <.stdout)" 1
equal "$(field classes)" 3
equal "$(field train_images)" 24
equal "$(field val_images)" 6
has best_accuracy best_epoch seconds images_per_second times.data times.forward times.backward \
    times.update rejected
for file in config.json graph.json model.safetensors README.md metrics.json log.jsonl; do
    [ -s "model/$file" ] || fail "no model/$file"
done

claim "train says what was found and what to do next"
says "30 images, 3 classes"
says "held out"
says "next:  ocellus eval model photos"

claim "eval of the training data scores what was held out, and says so"
run 0 eval model photos --json
says "held out"
equal "$(field n)" 6
has accuracy top5 nll macro_precision macro_recall macro_f1 f1a per_class confusion labels rejected \
    seconds ece
equal "$(field labels.0)" "crimson-poppy"
held_out=$(field accuracy)
run 0 eval model photos --part val --json
equal "$(field accuracy)" "$held_out"

claim "eval scores other parts where asked"
run 0 eval model photos --part train --json
equal "$(field n)" 24
run 0 eval model photos --part all --json
equal "$(field n)" 30
run 2 eval model photos --part test
says "no test part"

claim "eval writes a table and a report of one file"
run 0 eval model photos --report report.html
prints "accuracy"
prints "lemon-aster"
says "report.html"
grep -q "</html>" report.html || fail "the report does not end"
! grep -qE '(src|href)="(http|//)' report.html || fail "the report needs the network"

claim "eval of other photos scores them all"
"$binary" synth others --classes 3 --per-class 3 --size 66 --seed 9 2>/dev/null
run 0 eval model others --json
says "scoring all 9 photos"
equal "$(field n)" 9

claim "predict names the classes of a photo, most likely first"
run 0 predict model photos/lemon-daisy/001.jpg --json --top 2
equal "$(field image)" "photos/lemon-daisy/001.jpg"
at_least "$(field top.0.p)" "$(field top.1.p)"
has top.0.label
"$json_get" top.2 <.stdout >/dev/null && fail "more than --top 2"
run 0 predict model photos/lemon-daisy/001.jpg
prints "lemon-daisy"

claim "predict takes folders, one line an image, in natural order"
run 0 predict model photos --json --top 1
equal "$(wc -l <.stdout)" 30
equal "$(field image | head -n 2 | tail -n 1)" "photos/crimson-poppy/002.jpg"

claim "predict takes an image, or a list, from standard input"
last_command="predict model -"
"$binary" predict model - --json <photos/lemon-daisy/001.jpg >.stdout 2>.stderr
equal "$?" 0
equal "$(field image)" "-"
find photos -name '00[1-3].jpg' | sort | "$binary" predict model - --list --json >.stdout 2>.stderr
equal "$?" 0
equal "$(wc -l <.stdout)" 9

claim "the same photo gives the same name, and nearly the same number, alone and in a batch"
run 0 predict model photos/lemon-aster/002.jpg --json
cp .stdout alone
run 0 predict model photos/lemon-aster/001.jpg photos/lemon-aster/002.jpg --json
tail -n 1 .stdout >batch
equal "$("$json_get" top.0.label <batch)" "$("$json_get" top.0.label <alone)"
awk -v a="$("$json_get" top.0.p <batch)" -v b="$("$json_get" top.0.p <alone)" \
    'BEGIN { d = a - b; exit !(d < 1e-5 && d > -1e-5) }' || fail "another probability"

claim "a bad image costs only itself, and the exit code tells"
echo "<html>not found</html>" >page.jpg
run 2 predict model page.jpg photos/lemon-daisy/001.jpg missing.jpg --json
equal "$(wc -l <.stdout)" 3
head -n 1 .stdout | "$json_get" error >/dev/null || fail "no error for page.jpg"
sed -n 2p .stdout | "$json_get" top.0.label >/dev/null || fail "no answer for the good one"
sed -n 3p .stdout | "$json_get" error >/dev/null || fail "no error for missing.jpg"
says "2 of 3 images could not be used"

claim "a full or closed standard output is told, not taken for success"
if [ -w /dev/full ]; then
    last_command="predict > /dev/full"
    "$binary" predict model photos/lemon-daisy/001.jpg >/dev/full 2>.stderr
    equal "$?" 3
    says "standard output"
fi
"$binary" predict model photos/lemon-daisy/001.jpg >&- 2>.stderr
equal "$?" 3

claim "a file name that is no UTF-8 still gives valid JSON"
odd=$(printf 'caf\351.jpg')
cp page.jpg "$odd"
run 2 predict model "$odd" --json
has image error

claim "info shows layers, costs, classes and accuracy"
run 0 info model
prints "parameters"
prints "crimson-poppy"
prints "accuracy"
run 0 info model --json
equal "$(field classes.2.label)" "lemon-daisy"
has layers recipe metrics origin parameters multiply_adds
run 0 info --arch squeezenet1_1 --no-speed --json
equal "$(field parameters)" 1235496
equal "$(field file_bytes)" 4941984

claim "info tells memory and speed at a batch size"
run 0 info --arch thesis --batch 4
prints "batch 4"
prints "activations"
run 0 info --arch thesis --batch 64 --json
equal "$(field cost.batch)" 64
large=$(field cost.training.bytes)
run 0 info --arch thesis --batch 4 --no-speed --json
[ "$(field cost.training.bytes)" -lt "$large" ] || fail "a smaller batch takes no less memory"
[ "$(field cost.inference.bytes)" -lt "$(field cost.training.bytes)" ] || fail "training takes no more"
! "$json_get" cost.training.images_per_second <"$work/.stdout" >/dev/null 2>&1 ||
    fail "--no-speed has a speed"

claim "training goes on from a model with other classes, its head replaced"
"$binary" synth more --classes 4 --per-class 6 --size 66 --seed 5 2>/dev/null
run 0 train more -o tuned --from model --tune head --epochs 2 --batch 4 --threads 1 --json
equal "$(field classes)" 4
says "head"

claim "a finished run has nothing to resume and says so"
# shellcheck disable=SC2086
run 0 train photos -o model $train_options --resume
says "finished"

claim "eval reads a list as training did, and scores what that held out"
find photos -name '*.jpg' | sort | awk '{ print $0 ", " NR % 2 ", " int((NR - 1) / 10) }' >list.txt
# shellcheck disable=SC2086
run 0 train list.txt -o listed $train_options --label-column 2 --json
equal "$(field classes)" 3
run 0 eval listed list.txt --json
says "held out"
equal "$(field n)" 6

claim "photos that the model was trained on are known by their bytes, and left out"
cp -r photos grown
cp others/lemon-daisy/001.jpg grown/lemon-daisy/new.jpg
run 0 eval model grown --json
says "24 more were trained on and are left out"
equal "$(field n)" 7
run 0 eval model grown --part all --json
says "trained on 24 of them"
equal "$(field n)" 31
mkdir only
cp -r photos/lemon-daisy only
run 0 eval model only --part all --json
equal "$(field n)" 10

claim "copies on both sides of the split are told"
# shellcheck disable=SC2086
run 0 train photos --val photos -o leaky $train_options --epochs 1
says "of the 30 held-out images are trained on too"

claim "two runs do not train into one folder"
# shellcheck disable=SC2086
"$binary" train photos -o both $train_options --epochs 2000 2>/dev/null &
first=$!
while [ ! -f both/log.jsonl ] && kill -0 $first 2>/dev/null; do sleep 0.05; done
# shellcheck disable=SC2086
run 1 train photos -o both $train_options
says "another run"
kill $first
wait $first

claim "a folder without photos is told, the others are answered"
mkdir empty
run 2 predict model empty photos/lemon-daisy/001.jpg --json
equal "$(wc -l <.stdout)" 2
head -n 1 .stdout | "$json_get" error >/dev/null || fail "no error for the empty folder"

claim "a list may be separated by NULs"
find photos -name '00[1-3].jpg' -print0 | "$binary" predict model - --list --json >.stdout 2>.stderr
equal "$(wc -l <.stdout)" 9

claim "info lists the networks"
run 0 info
prints "resnet50"

claim "a path that is no UTF-8 does not stop a training"
cp -r photos "$odd.d"
# shellcheck disable=SC2086
run 0 train "$odd.d" -o oddly $train_options --epochs 1 --json

claim "parts given by folders are used as they are"
mkdir -p parts/train parts/val
cp -r photos/. parts/train
cp -r others/. parts/val
# shellcheck disable=SC2086
run 0 train parts -o parted $train_options --json
equal "$(field train_images)" 30
equal "$(field val_images)" 9
run 0 eval parted parts --json
says "validation part"
equal "$(field n)" 9

claim "doctor tells what was built in"
run 0 doctor --quick
prints "engine:"
run 0 doctor --quick --json
has version engines machine.cores advice
finish
