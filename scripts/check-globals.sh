#!/bin/sh
# No mutable globals in the rooms: nothing in .data, .bss or thread-local storage of their objects.
# usage: scripts/check-globals.sh BUILD
# Allowed: the counters of the allocation gate (base/mem.c), the signal flag (cli/stop.c).
# SPDX-License-Identifier: BSD-2-Clause
set -eu
build=$1
found=$(find "$build/src" -name 'liboc_*.a' | sort | while read -r library; do
    objdump -t "$library" | awk -v library="$(basename "$library")" '
        /file format/ { object = $1; sub(/:$/, "", object) }
        / (\.data|\.bss|\.tdata|\.tbss|\*COM\*)[ \t]/ && NF >= 4 && $(NF - 1) !~ /^0+$/ &&
            object !~ /^(mem|stop)\.c/ { print library ": " object ": " $NF }'
done)
[ -z "$found" ] || {
    echo "$found"
    exit 1
}
