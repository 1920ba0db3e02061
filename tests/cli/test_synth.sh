#!/bin/sh
# Made-up data: the same seed gives the same files, spoiled ones are listed.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"

claim "there are as many classes and pictures as asked for"
run 0 synth a --classes 3 --per-class 4 --size 32 --seed 7
equal "$(find a -mindepth 1 -type d | wc -l)" 3
equal "$(find a -name '*.jpg' | wc -l)" 12

claim "the same seed gives the same bytes for any number of threads"
run 0 synth b --classes 3 --per-class 4 --size 32 --seed 7 --threads 3
diff -r a b >/dev/null || fail "a and b differ"

claim "another seed gives other pictures of the same classes"
run 0 synth c --classes 3 --per-class 4 --size 32 --seed 8
equal "$(ls c)" "$(ls a)"
! diff -rq a c >/dev/null || fail "a and c do not differ"

claim "spoiled files are listed by path and kind, and exist"
run 0 synth d --classes 3 --per-class 20 --size 32 --spoil 0.25
equal "$(head -n 1 d/spoiled.csv)" "path,kind"
equal "$(tail -n +2 d/spoiled.csv | wc -l)" 15
for kind in corrupt truncated mislabelled duplicate blurred; do
    equal "$(grep -c ",$kind\$" d/spoiled.csv)" 3
done
tail -n +2 d/spoiled.csv | while IFS=, read -r path kind; do
    [ -f "d/$path" ] || echo "d/$path"
done >missing
[ ! -s missing ] || fail "$(cat missing) not there"

claim "every corrupt and truncated file is rejected, and nothing else"
run 0 data d --json
grep -E ',(corrupt|truncated)$' d/spoiled.csv | sed 's/,.*//; s/^/d\//' | sort >listed
i=0
: >found
while "$json_get" "rejected.$i.image" <.stdout >>found; do i=$((i + 1)); done
sort found | cmp -s - listed || fail "rejected: $(tr '\n' ' ' <found)"
at_least "$(field duplicate_count)" 2

claim "a folder that is not empty is left alone unless forced"
run 1 synth a --classes 2 --per-class 2
says "--force"
run 0 synth a --classes 3 --per-class 4 --size 32 --seed 7 --force
diff -r a b >/dev/null || fail "a changed"

claim "numbers out of range are errors"
run 1 synth e --classes 0 --per-class 2
run 1 synth e --size 8
run 1 synth e --spoil 2
run 1 synth e --seed -1
finish
