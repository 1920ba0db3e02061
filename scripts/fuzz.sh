#!/bin/sh
# Run fuzz targets for a while, two at a time. usage: scripts/fuzz.sh BUILD SECONDS
# Seeds come from fuzz/seeds/<target>; what crashes is kept in BUILD/crashes/<target>-*.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "$(dirname "$0")/.."
build=$1
seconds=$2
export build seconds
mkdir -p "$build/crashes" "$build/log"

# The corpus grows in the build folder; the seeds stay as they are.
run='
    name=$1
    corpus=$build/corpus/$name
    mkdir -p "$corpus"
    seeds=fuzz/seeds/$name
    [ -d "$seeds" ] || seeds=
    if "$build/fuzz/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -max_len=65536 -print_final_stats=1 -artifact_prefix="$build/crashes/$name-" \
        "$corpus" $seeds >"$build/log/$name.log" 2>&1; then
        runs=$(sed -n "s/^stat::number_of_executed_units: *//p" "$build/log/$name.log")
        echo "$name: Passed ($runs runs)"
    else
        echo "$name: ***Failed"
        tail -n 30 "$build/log/$name.log"
        exit 1
    fi'

find "$build/fuzz" -maxdepth 1 -type f -name 'fuzz_*' -perm -u+x -exec basename {} \; | sort |
    xargs -P 2 -I '{}' sh -c "$run" fuzz '{}'
