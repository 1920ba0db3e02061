#!/bin/sh
# How certain an answer is, what speaks for it, and the photos that stand for the classes: through
# train, info, eval, predict, quantize and the server.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/server.sh"
"$binary" synth photos --classes 3 --per-class 60 --size 66 --seed 5 2>/dev/null || fail "synth"
options="--arch thesis --size 66 --epochs 4 --batch 8 --threads 1 --seed 3"
photo=$(find photos -name '*.jpg' | sort | head -n 1)

claim "train fits a threshold, which info, the card and eval tell"
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o model $options --json
at_least "$(field threshold)" 0.2
threshold=$(field threshold)
run 0 info model --no-speed
prints "unknown: an answer with p below"
run 0 info model --no-speed --json
equal "$(field threshold)" "$threshold"
grep -q "counts as unknown" model/README.md || fail "the card does not tell"
run 0 eval model photos --json
equal "$(field threshold)" "$threshold"
has sure_share sure_accuracy
run 0 eval model photos --report report.html
prints "sure "
grep -q "counts as <b>unknown</b>" report.html || fail "the report does not tell"

claim "predict says what is unknown, where the model has a threshold"
set_threshold() { sed -i "s/\"threshold\": [^,]*/\"threshold\": $1/" model/config.json; }
set_threshold 1
run 0 predict model "$photo"
prints "not sure"
run 0 predict model "$photo" --json
equal "$(field unknown)" true
set_threshold 0.01
run 0 predict model "$photo" --json
equal "$(field unknown)" false
set_threshold 0
run 0 predict model "$photo" --json
! grep -q unknown .stdout || fail "an answer without a threshold is unknown"
set_threshold 1.5
run 2 predict model "$photo"
says "threshold"
set_threshold "$threshold"

claim "too few right answers give no threshold"
tiny few
# shellcheck disable=SC2086 # a list of options
run 0 train few -o small $train_options --json
equal "$(field threshold)" 0.0
! grep -q '"threshold"' small/config.json || fail "there is a threshold"

claim "predict --explain writes a picture a photo"
run 0 predict model "$photo" "$photo" --explain why/here --json --top 1
base=$(basename "$photo")
equal "$(head -n 1 .stdout | "$json_get" explain)" "why/here/0001-$base.png"
for n in 1 2; do
    [ "$(head -c 4 "why/here/000$n-$base.png" | tail -c 3)" = PNG ] || fail "picture $n is no PNG"
done
run 0 predict model "$photo" --explain why
prints "why: why/0001"
"$binary" predict model - --explain piped <"$photo" >.stdout 2>.stderr || fail "from standard input"
[ -s piped/0001-stdin.png ] || fail "no picture of standard input"

claim "a photo that cannot be read has no picture, the others have"
head -c 200 "$photo" >broken.jpg
run 2 predict model broken.jpg "$photo" --explain mixed --json
equal "$(find mixed -name '*.png' | wc -l)" 1
run 3 predict model "$photo" --explain "$photo"

claim "a finished run leaves a small photo of each class"
equal "$(find model/examples -name '*.jpg' | wc -l)" 3
run 0 predict model model/examples --json
equal "$(grep -c '"image"' .stdout)" 3
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o model $options --resume
equal "$(find model/examples -name '*.jpg' | wc -l)" 3

claim "a run that is stopped and goes on leaves the same photos"
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o again $options --stop-after 0.001
[ ! -d again/examples ] || fail "there are examples before the end"
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o again $options --resume
cmp model/examples/1.jpg again/examples/1.jpg || fail "not the same photo"

claim "--no-examples leaves none, not even another run's"
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o again $options --no-examples
[ ! -e again/examples ] || fail "there are examples"

claim "quantize keeps threshold and photos; what it makes can be explained"
run 0 quantize model photos -o int8 --photos 32 --max-drop 100
run 0 info int8 --no-speed --json
equal "$(field threshold)" "$threshold"
cmp model/examples/2.jpg int8/examples/2.jpg || fail "no example"
run 0 predict int8 "$photo" --explain why8
[ -s "why8/0001-$base.png" ] || fail "no picture"

claim "the server gives heat maps where they are asked for, to photos that can be used"
serve model int8
ask 200 "/v1/identify?explain=1&top=1" -F "images=@$photo" -F "images=@broken.jpg" \
    -F "images=@$photo"
for i in 0 2; do
    case $(field "images.$i.explain") in
    data:image/png\;base64,iVBOR*) ;;
    *) fail "photo $i has no picture" ;;
    esac
done
has images.1.error threshold
! "$json_get" images.1.explain <.stdout >.field 2>&1 || fail "a broken photo has a picture"
ask 200 "/v1/identify?model=int8&explain=1" -F "images=@$photo"
has images.0.explain
ask 200 "/v1/identify?explain=0" -F "images=@$photo"
! grep -q explain .stdout || fail "a picture that nobody wants"
ask 400 "/v1/identify?explain=2" -F "images=@$photo"
ask 422 "/v1/identify?explain=1" -F "images=@broken.jpg"
ask 200 /v1/models/model/examples/1
cmp .stdout model/examples/1.jpg || fail "another example"
ask 404 /v1/models/model/examples/3
stop

claim "what is explained is kept as well"
serve model --db kept.db
ask 200 "/v1/identify?explain=1" -F "images=@$photo" -F keep=1
equal "$(field kept)" true
has token images.0.explain
stop
finish
