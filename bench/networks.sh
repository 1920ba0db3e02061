#!/bin/bash
# What each network of the zoo costs here: size, memory, speed. Appends a row a network to
# bench/results/zoo.csv; with --table it measures nothing and prints the table of
# docs/05-networks.md from each network's last row.
#
#   bench/networks.sh [NETWORK ...] | --table
#
# Without names: all of them, about ten minutes. OCELLUS and RESULTS say where things are (lib.sh).
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/.." || exit 3
. bench/lib.sh
header=network,size,parameters,multiply_adds,file_bytes,infer_bytes_b32,train_bytes_b32
header=$header,train_b32,infer_b32,infer_b1,estimate_train,estimate_infer

# the last row of each network, in the order of their first ones
table() {
    awk -F, '
    function bytes(b) { return b < 1e9 ? sprintf("%.0f MB", b / 1e6) : sprintf("%.1f GB", b / 1e9) }
    function rate(r) { return r < 20 ? sprintf("%.1f", r) : sprintf("%.0f", r) }
    NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    !($at["network"] in row) { order[++count] = $at["network"] }
    { row[$at["network"]] = $0 }
    END {
        print "| network | input | parameters | multiply-adds | file | memory: infer | train" \
            " | images/s: train | infer 32 | infer 1 |"
        print "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
        for (k = 1; k <= count; k++) {
            split(row[order[k]], v, ",")
            printf "| `%s` | %d | %.1f M | %.0f M | %s | %s | %s | %s | %s | %s |\n",
                v[at["network"]], v[at["size"]], v[at["parameters"]] / 1e6,
                v[at["multiply_adds"]] / 1e6, bytes(v[at["file_bytes"]]),
                bytes(v[at["infer_bytes_b32"]]), bytes(v[at["train_bytes_b32"]]),
                rate(v[at["train_b32"]]), rate(v[at["infer_b32"]]), rate(v[at["infer_b1"]])
        }
    }' "$RESULTS/zoo.csv"
}

# number PATH: out of the JSON in $info
number() { printf '%s' "$info" | "$PYTHON" -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[int(key) if isinstance(value, list) else key]
print(value)' "$1"; }

# speed NETWORK MODE BATCH: images/s; a step of more than 200 G multiply-adds is taken once
speed() {
    local reps=3 work
    work=$(calc "$macs * $3 * ($([ "$2" = train ] && echo 3 || echo 1))")
    [ "$(calc "($work > 2e11)")" = 1 ] && reps=2
    [ "$(calc "($work > 6e11)")" = 1 ] && reps=1
    "$OCELLUS" bench --arch "$1" --mode "$2" --batch "$3" --reps "$reps" --seconds 0.2 --json |
        field images_per_second
}

measure() {
    local train infer one
    info=$("$OCELLUS" info --arch "$1" --json) || return 1
    macs=$(number multiply_adds)
    train=$(speed "$1" train 32) && infer=$(speed "$1" infer 32) && one=$(speed "$1" infer 1)
    [ -n "$train" ] && [ -n "$infer" ] && [ -n "$one" ] || return 1
    append zoo "$header" "$1,$(number input.0),$(number parameters),$macs,$(number file_bytes),$(
        number cost.inference.bytes),$(number cost.training.bytes),$train,$infer,$one,$(
        number cost.training.images_per_second),$(number cost.inference.images_per_second)"
    say "$1: training $train images/s, inference $infer, one by one $one"
}

if [ "${1-}" = --table ]; then
    table
    exit
fi
have_ocellus
names=("$@")
[ $# -gt 0 ] || mapfile -t names < <("$OCELLUS" info --json | "$PYTHON" -c '
import json, sys
print(*(n["name"] for n in json.load(sys.stdin)), sep="\n")')
status=0
for name in "${names[@]}"; do
    measure "$name" || { say "$name: failed" && status=3; }
done
exit $status
