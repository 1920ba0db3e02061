# Helpers of the command-line tests: run the binary, hold what it said, fail loudly.
# A test script is called with the binary and the JSON reader; it sources this file first.
# SPDX-License-Identifier: BSD-2-Clause
set -u
binary=$(realpath "$1")
json_get=$(realpath "$2")
work=$(mktemp -d "${TMPDIR:-/tmp}/ocellus-cli-XXXXXX")
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
cd "$work" || exit 1
export OMP_WAIT_POLICY=passive # tests share the cores
failures=0
claims=0
current=nothing

# claim WORDS: what the next checks are about
claim() {
    current=$1
    claims=$((claims + 1))
}

fail() {
    echo "FAILED: $current: $1"
    echo "  command: ${last_command-none}"
    sed 's/^/  stdout: /' "$work/.stdout" 2>/dev/null | head -n 10
    sed 's/^/  stderr: /' "$work/.stderr" 2>/dev/null | tail -n 10
    failures=$((failures + 1))
}

# run CODE ARGUMENTS...: the binary ends with exit code CODE
run() {
    wanted=$1
    shift
    last_command="ocellus $*"
    "$binary" "$@" >"$work/.stdout" 2>"$work/.stderr" </dev/null
    code=$?
    [ "$code" = "$wanted" ] || fail "exit code $code, expected $wanted"
}

says() { grep -qF -- "$1" "$work/.stderr" || fail "standard error does not say \"$1\""; }
prints() { grep -qF -- "$1" "$work/.stdout" || fail "standard output does not say \"$1\""; }
silent() { [ ! -s "$work/.stdout" ] || fail "standard output is not empty"; }

# field PATH: the value in the JSON on standard output, or a failure
field() {
    "$json_get" "$1" <"$work/.stdout" || fail "no $1 in the JSON" >&2
}
# has FIELD...: all are there
has() {
    for name in "$@"; do
        "$json_get" "$name" <"$work/.stdout" >/dev/null || fail "no field $name in the JSON"
    done
}
# equal A B
equal() { [ "$1" = "$2" ] || fail "\"$1\" is not \"$2\""; }
# at_least A B: A >= B, decimals allowed
at_least() {
    awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 >= b + 0) }' || fail "$1 is less than $2"
}

# tiny FOLDER [OPTIONS...]: a made-up data set that trains in a second or two
tiny() {
    folder=$1
    shift
    "$binary" synth "$folder" --classes 3 --per-class 10 --size 66 --seed 5 "$@" 2>/dev/null ||
        fail "synth"
}
train_options="--arch thesis --size 66 --epochs 2 --batch 8 --threads 1 --seed 3"

finish() {
    echo "$((claims - (failures > claims ? claims : failures))) of $claims claims hold"
    exit $((failures > 0))
}
