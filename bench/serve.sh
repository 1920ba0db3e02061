#!/bin/bash
# How fast `ocellus serve` answers, beside the loop that it cannot beat (`ocellus bench MODEL --image`),
# in turns on the same photos and threads; a minute of ten times the load that it can bear; and
# its memory. Clients run on the same cores. Prints a table and appends to bench/results/serve.csv.
#
#   bench/serve.sh [--rounds N] [--seconds S]
#
# Needs ../shared (squeezenet1_1's weights, flowers17) and the load tool (build/tests/serve/load).
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/.." || exit 3
. bench/lib.sh
. bench/rows.sh

rounds=3 seconds=6 file=serve status=0
while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2 ;;
    --seconds) seconds=$2 ;;
    *) say "usage: bench/serve.sh [--rounds N] [--seconds S]"; exit 1 ;;
    esac
    shift 2
done
have_ocellus
LOAD=${LOAD-$(dirname "$OCELLUS")/tests/serve/load}
[ -x "$LOAD" ] || { say "serve: skipped: $LOAD is not built"; exit 77; }
have_shared || { say "serve: skipped: needs $FLOWERS and $SHARED/models"; exit 77; }
work=$(mktemp -d) || exit 3
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$work"' EXIT
mkdir "$work/turns" "$work/photos"

# every 25th flower: 55 photos of all kinds
find "$FLOWERS" -name '*.jpg' | sort | awk 'NR % 25 == 1' | xargs cp -t "$work/photos"
"$OCELLUS" import weights "$SHARED/models/squeezenet1_1.safetensors" \
    --labels "$SHARED/models/imagenet-classes.txt" -o "$work/model" 2>"$work/log" || exit 3

# begin OPTIONS...: a server on a port of its own; end: told to stop
begin() {
    "$OCELLUS" serve "$work/model" --listen 127.0.0.1:0 "$@" 2>"$work/serve.log" &
    server=$!
    port=
    for _ in $(seq 100); do
        port=$(sed -n 's/^listening on .*:\([0-9]*\)\/$/\1/p' "$work/serve.log")
        [ -z "$port" ] || return 0
        sleep 0.1
    done
    cat "$work/serve.log" >&2
    exit 3
}
end() {
    kill "$server"
    wait "$server"
    server=
}
# resident [PEAK]: megabytes of the server
resident() { awk -v w="${1-VmRSS:}" '$1 == w { printf "%.1f", $2 * 1024 / 1e6 }' "/proc/$server/status"; }
load() { "$LOAD" "$port" "$@" "$work"/photos/*; }

# A turn: the loop without a server about, then a server loaded fully, then one photo at a time.
one_round() {
    "$OCELLUS" bench "$work/model" --image "$work/photos" --batch 8 --reps 10 --seconds \
        "$(calc "$seconds / 5")" --json >"$work/loop" || return
    begin
    load connections=2 seconds=1 >"$work/warm"
    load connections=16 seconds="$seconds" >"$work/full"
    load connections=1 seconds="$seconds" >"$work/single"
    end
    {
        echo "$(field photos_per_second <"$work/loop") $(field rate <"$work/full")" \
            "$(calc "1000 * $(field median_seconds <"$work/loop")") $(field median_ms <"$work/single")" \
            "$(calc "1000 * $(field p99_seconds <"$work/loop")") $(field p99_ms <"$work/single")"
    } | tee -a "$work/turns/all" | sed 's/^/round: loop, served; median ms; p99 ms: /' >&2
}
values() { awk -v c="$1" '{ print $c }' "$work/turns/all"; }
# beside C D: of columns, row by row, D / C or D - C
quotients() { awk -v c="$1" -v d="$2" '{ print $d / $c }' "$work/turns/all"; }
differences() { awk -v c="$1" -v d="$2" '{ print $d - $c }' "$work/turns/all"; }

for ((round = 1; round <= rounds; round++)); do one_round || exit 3; done
# shellcheck disable=SC2046 # lists of numbers
{
    record 'serve squeezenet1_1 at saturation' ocellus photos/s "$(median $(values 2))" \
        "$(least $(values 2))" "$(most $(values 2))" '' "$(median $(quotients 1 2))" '>= 0.9'
    record 'serve squeezenet1_1 at saturation' 'the loop alone' photos/s "$(median $(values 1))" \
        "$(least $(values 1))" "$(most $(values 1))" '' '' ''
    record 'one photo: served longer than the loop (median)' ocellus ms "$(median $(differences 3 4))" \
        "$(least $(differences 3 4))" "$(most $(differences 3 4))" '' '' '<= 1.5'
    record 'one photo: served longer than the loop (p99)' ocellus ms "$(median $(differences 5 6))" \
        "$(least $(differences 5 6))" "$(most $(differences 5 6))" '' '' '<= 5'
}

begin
load connections=2 seconds=1 >"$work/warm"
load connections=16 seconds="$seconds" >"$work/full"
best=$(field rate <"$work/full")
before=$(resident)
load connections=400 rate="$(calc "10 * $best")" seconds=60 >"$work/over"
cat "$work/over" >&2
load connections=16 seconds=2 >"$work/after"
record 'ten times the load: goodput' ocellus photos/s "$(field rate <"$work/over")" '' '' \
    "$(resident VmHWM:)" "$(calc "$(field rate <"$work/over") / $best")" '>= 0.9'
record 'ten times the load: rate right afterwards' ocellus photos/s "$(field rate <"$work/after")" '' '' \
    "$(resident)" "$(calc "$(field rate <"$work/after") / $best")" '>= 0.9'
end

begin --workers 2
load connections=16 seconds="$seconds" >"$work/full"
record 'resident memory, 2 workers' ocellus MB "$(resident)" '' '' '' '' '<= 120'
end
say "before the overload: $before MB"
exit $status
