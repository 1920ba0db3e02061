#!/bin/sh
# A run that was stopped - politely, by time, or by kill -9 - and resumed ends with the same bytes as
# one that never was.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
"$binary" synth photos --classes 3 --per-class 32 --size 66 --seed 5 2>/dev/null
options="--arch thesis --size 66 --epochs 8 --batch 8 --threads 1 --seed 3"
began=$(date +%s%N)
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o whole $options
took=$(($(date +%s%N) - began)) # nanoseconds

# part_of TENTHS: so many tenths of an undisturbed run, in seconds
part_of() { awk -v t="$took" -v n="$1" 'BEGIN { printf "%.3f", t * n / 1e10 }'; }

# same FOLDER: its weights are those of the undisturbed run
same() {
    cmp -s whole/model.safetensors "$1/model.safetensors" || fail "$1 has other weights"
}

# interrupt SIGNAL FOLDER TENTHS: start, send after that part of a run, but not before there is a
# checkpoint, wait; the exit code is in $code
interrupt() {
    # shellcheck disable=SC2086
    "$binary" train photos -o "$2" $options --checkpoint-every 0.001 --resume >.stdout 2>.stderr &
    pid=$!
    sleep "$(part_of "$3")"
    while [ ! -f "$2/checkpoint/current" ] && kill -0 $pid 2>/dev/null; do sleep 0.005; done
    kill -"$1" $pid 2>/dev/null
    wait $pid
    code=$?
}

claim "SIGTERM saves, says how to go on, and the resumed run ends with the same bytes"
interrupt TERM polite 1
equal "$code" 3
says "--resume"
# shellcheck disable=SC2086
run 0 train photos -o polite $options --resume
same polite

claim "kill -9 at several instants costs nothing but time"
begun=0
for instant in 1 3 4 2 6; do
    interrupt KILL killed $instant
    [ "$code" = 0 ] || begun=1
done
equal "$begun" 1
# shellcheck disable=SC2086
run 0 train photos -o killed $options --resume
same killed

claim "--stop-after stops with exit code 0 and can be resumed"
# shellcheck disable=SC2086
run 0 train photos -o timed $options --stop-after "$(part_of 0.08)" --json
has stopped
# shellcheck disable=SC2086
run 0 train photos -o timed $options --resume
same timed

claim "--resume where there is nothing starts afresh"
# shellcheck disable=SC2086
run 0 train photos -o fresh $options --resume
same fresh

claim "resuming with other options is refused and lists what differs"
interrupt KILL mixed 1
run 2 train photos -o mixed --arch thesis --size 66 --epochs 8 --batch 6 --threads 1 --seed 3 --resume
says "batch"

claim "nohup is respected"
# shellcheck disable=SC2086
nohup "$binary" train photos -o deaf $options >/dev/null 2>.stderr &
pid=$!
while [ ! -f deaf/log.jsonl ] && kill -0 $pid 2>/dev/null; do sleep 0.005; done
kill -HUP $pid
wait $pid
equal "$?" 0
same deaf

claim "runs of a moment each get to the end, by way of cached features too"
run 0 train photos -o base $options --json
for i in 1 2 3 4 5 6; do
    run 0 train photos -o inched --from base --tune head --epochs 2 --batch 30 --threads 1 --seed 3 \
        --stop-after 0.001 --resume --json
done
equal "$(field stopped)" false
finish
