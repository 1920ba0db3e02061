#!/bin/sh
# A run with a record that is killed as it writes, and resumed: its event files tell one run, with
# every step once, to our reader and to TensorBoard's.
# SPDX-License-Identifier: BSD-2-Clause
peers=${OC_PEERS-$3/build/peers}
peer=$3/tests/cli/tensorboard_peer.py
events_of=$(realpath "$(dirname "$2")/events_of")
. "$(dirname "$0")/lib.sh"
tiny photos --per-class 24
options="--arch thesis --size 66 --epochs 3 --batch 2 --threads 1 --seed 3 --histograms 1"

# size_of FOLDER: bytes of its event files
size_of() { cat "$1"/events.out.tfevents.* 2>/dev/null | wc -c; }

# steps_of FOLDER: what our reader finds there
steps_of() {
    "$events_of" "$1" >.unsorted 2>.stderr || fail "a record of $1 is damaged"
    sort .unsorted
}

# kill_at BYTES: go on, until so much of the record is written and there is a checkpoint
kill_at() {
    # shellcheck disable=SC2086 # a list of options
    "$binary" train photos -o killed $options --checkpoint-every 0.001 --resume >.stdout 2>.stderr &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        [ "$(size_of killed)" -lt "$1" ] || [ ! -f killed/checkpoint/current ] || break
    done
    kill -9 $pid 2>/dev/null
    wait $pid
    equal $? 137
}

# cut_a_record: as where the system stopped in the middle of a write
cut_a_record() {
    for last in killed/events.out.tfevents.*; do :; done
    head -c 30 "$last" >.head
    cat .head >>"$last"
}

# shellcheck disable=SC2086
run 0 train photos -o whole $options
whole=$(size_of whole)

claim "killed and resumed, the record has each step once"
for sixth in 1 2 3 4 5; do kill_at $((whole * sixth / 6)); done
cut_a_record
# shellcheck disable=SC2086
run 0 train photos -o killed $options --resume
steps_of whole >steps.whole
steps_of killed >steps.killed
at_least "$(wc -l <steps.whole)" 500
cmp -s steps.whole steps.killed || fail "$(diff steps.whole steps.killed | head -n 3)"
cmp -s whole/model.safetensors killed/model.safetensors || fail "the weights are others"

claim "TensorBoard's reader finds the same"
if "$peers/bin/python" -c "import tensorboard" 2>/dev/null; then
    for one in whole killed; do
        "$peers/bin/python" "$peer" $one >.stdout 2>.stderr || fail "it fails on $one"
        grep -E "^(scalars|images|histograms) " .stdout >"read.$one"
    done
    cmp -s read.whole read.killed || fail "$(diff read.whole read.killed | head -n 3)"
else
    echo "skipped in part: no tensorboard in $peers (scripts/peers.sh)"
fi
finish
