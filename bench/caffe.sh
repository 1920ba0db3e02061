#!/bin/bash
# How fast Caffe's files come in: a .caffemodel of 553 MB from a cold cache, beside reading and beside
# copying the same file with dd, in turns; and a net's text of 7,000 lines. Prints a table and appends
# to bench/results/caffe.csv. A ratio is the median of the rounds' ratios of bytes a second.
#
#   bench/caffe.sh [--rounds N]
#
# "read and checked" ends before the model is written: names that do not fit stop it there. Needs 2 GB
# of disk below TMPDIR, numpy in PYTHON, and GNU dd, whose iflag=nocache empties the cache of a file.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/.." || exit 3
. bench/lib.sh
. bench/rows.sh

rounds=5 file=caffe status=0
[ "${1-}" != --rounds ] || rounds=${2-5}
have_ocellus
"$PYTHON" -c 'import numpy' 2>/dev/null || { say "caffe: skipped: needs numpy in $PYTHON"; exit 77; }
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
mkdir "$work/turns"

# turn WHO COMMAND...: its seconds and peak MB onto the list of WHO; what it ends with is looked at by
# the caller
turn() {
    local who=$1
    shift
    "$PYTHON" -c 'import resource, subprocess, sys, time
start = time.monotonic()
code = subprocess.run(sys.argv[1:], stdout=sys.stderr).returncode
seconds = time.monotonic() - start
print(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6, code)' \
        "$@" 2>"$work/log" >"$work/one"
    cat "$work/one" >>"$work/turns/$who"
}
cold() {
    rm -rf "$work/model" "$work/copy"
    sync
    dd if="$work/vgg.caffemodel" iflag=nocache count=0 status=none
}
vgg=("$OCELLUS" import caffe --net "$work/vgg.prototxt" --weights "$work/vgg.caffemodel"
    --mean 104,117,123 -o "$work/model")

all_turns() {
    local round
    for ((round = 1; round <= rounds; round++)); do
        cold
        turn read dd if="$work/vgg.caffemodel" of=/dev/null bs=1M
        cold
        turn checked "${vgg[@]}" --labels "$work/one-name.txt"
        [ ! -e "$work/model/config.json" ] || return
        cold
        turn written "${vgg[@]}"
        [ -e "$work/model/config.json" ] || return
        cold
        turn copied dd if="$work/vgg.caffemodel" of="$work/copy" bs=1M conv=fsync
        turn text "$OCELLUS" import caffe --net "$work/long.prototxt" --weights "$work/none" -o "$work/model"
        grep -q "$work/none" "$work/log" || return
        say "round $round of $rounds: read $(tail -n 1 "$work/turns/read" | cut -c 1-5) s, import" \
            "$(tail -n 1 "$work/turns/checked" | cut -c 1-5) s, written too" \
            "$(tail -n 1 "$work/turns/written" | cut -c 1-5) s"
    done
}

# speeds WHO: megabytes a second of its turns; share WHO OTHER: of OTHER's speed
speeds() { column "$1" 1 | awk -v mb="$megabytes" '{ print mb / $1 }'; }
share() {
    # shellcheck disable=SC2046 # numbers
    median $(paste -d ' ' <(column "$1" 1) <(column "$2" 1) | awk '{ print $2 / $1 }')
}
# row METRIC WHO TURNS RATIO REACH
# shellcheck disable=SC2046 # lists of numbers
row() {
    record "$1" "$2" MB/s "$(median $(speeds "$3"))" "$(least $(speeds "$3"))" \
        "$(most $(speeds "$3"))" "$(most $(column "$3" 2))" "$4" "$5"
}

"$PYTHON" bench/peers/caffe_vgg16.py vgg16 "$work/vgg.prototxt" "$work/vgg.caffemodel" &&
    "$PYTHON" bench/peers/caffe_vgg16.py text "$work/long.prototxt" 7000 || exit 3
echo none >"$work/one-name.txt"
megabytes=$(calc "$(wc -c <"$work/vgg.caffemodel") / 1e6")
all_turns || { tail -n 5 "$work/log" >&2; exit 3; }
name="import caffe, $(printf %.0f "$megabytes") MB"
row "$name, read and checked" ocellus checked "$(share checked read)" '>= 0.5'
row "$name, read and checked" 'dd to nowhere' read '' ''
row "$name, written and synced" ocellus written "$(share written read)" '>= 0.5'
row "$name, written and synced" 'dd conv=fsync' copied "$(share written copied)" ''
# shellcheck disable=SC2046
record "its peak memory over its size" ocellus share \
    "$(calc "$(most $(column written 2)) / $megabytes")" '' '' '' '' '<= 2'
# shellcheck disable=SC2046
record "net of $(wc -l <"$work/long.prototxt") lines, whole process" ocellus s "$(median $(column text 1))" \
    "$(least $(column text 1))" "$(most $(column text 1))" '' '' '< 0.05'
exit $status
