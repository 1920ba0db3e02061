#!/bin/sh
# Do the #include lines keep to the house? usage: scripts/check-arrows.sh [ROOT]
#   - a room sees rooms on lower floors only, and of them the face: <room>/<room>.h
#   - its own headers, and ocellus/*.h, it may include as it likes
#   - a *_int.h is private to its room; the public headers see ocellus/*.h only
# SPDX-License-Identifier: BSD-2-Clause
set -eu
root=${1-$(dirname "$0")/..}
cd "$root"

grep -rnE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' src include |
    awk -F'"' '
    BEGIN {
        floors = "base:0 tensor:1 image:1 nn:2 engine:3 data:3 dist:3 model:4 zoo:4" \
                 " eval:5 predict:5 interop:5 train:6 serve:7 cli:8"
        count = split(floors, pairs, " ")
        for (i = 1; i <= count; i++) {
            split(pairs[i], pair, ":")
            floor[pair[1]] = pair[2]
        }
    }
    function wrong(why) {
        split($1, place, ":")
        printf "%s:%s: \"%s\": %s\n", place[1], place[2], $2, why
        found++
    }
    {
        split($1, place, ":")
        split(place[1], from, "/")
        parts = split($2, to, "/")
        room = from[1] == "include" ? "include" : from[2]
        if (to[1] == "ocellus") next
        if ($2 ~ /\.\./) { wrong("name it from src/, not by .."); next }
        if (room == "include") { wrong("a public header sees ocellus/ only"); next }
        if (parts == 1 || to[1] == room) next
        if (!(room in floor)) { wrong("room " room " has no floor"); next }
        if (!(to[1] in floor)) { wrong("no such room: " to[1]); next }
        if (floor[to[1]] >= floor[room]) {
            wrong(room " (floor " floor[room] ") may not see " to[1] " (floor " floor[to[1]] ")")
        } else if ($2 != to[1] "/" to[1] ".h") {
            wrong("the face of " to[1] " is " to[1] "/" to[1] ".h")
        }
    }
    END { exit found > 0 }'
