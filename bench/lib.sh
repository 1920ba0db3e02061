# What the benchmark scripts share: where things are, numbers out of JSON, medians, the results file.
# To be sourced by bash from the repository's root. It prints nothing of its own.
# SPDX-License-Identifier: BSD-2-Clause
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1
OCELLUS=${OCELLUS-build/ocellus}
SHARED=${SHARED-../shared}
RESULTS=${RESULTS-bench/results}
PYTHON=${PYTHON-/usr/bin/python3}
PEERS=${PEERS-bench/peers/venv}
FLOWERS=$SHARED/data/flowers17
WEIGHTS=$SHARED/models/mobilenet_v2-features.safetensors

say() { printf '%s\n' "$*" >&2; }
now() { printf '%s\n' "${EPOCHREALTIME/,/.}"; }

# field NAME < JSON: the number of that name, or nothing
field() { sed -n "s/.*\"$1\": *\(-\{0,1\}[0-9][0-9.eE+-]*\).*/\1/p" | head -n 1; }

# calc EXPRESSION: with awk; nothing where it has no value
calc() { awk "BEGIN { printf \"%.6g\", $1 }" 2>/dev/null; }

# median VALUE...; least VALUE...; most VALUE...
median() {
    printf '%s\n' "$@" | sort -g |
        awk '{ v[NR] = $1 } END { printf "%.6g", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}
least() { printf '%s\n' "$@" | sort -g | awk 'NR == 1 { printf "%.6g", $1 }'; }
most() { printf '%s\n' "$@" | sort -g | awk '{ v = $1 } END { printf "%.6g", v }'; }

have_ocellus() {
    [ -x "$OCELLUS" ] && return 0
    say "$OCELLUS is missing: run \`make\` first"
    exit 3
}
have_shared() { [ -d "$FLOWERS" ] && [ -f "$WEIGHTS" ]; }

machine() {
    local name
    name=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1 | tr ',' ' ')
    printf '%s' "${name:-$(uname -m)}"
}
commit() {
    local id
    id=$(git rev-parse --short HEAD 2>/dev/null) || id=unknown
    git diff --quiet HEAD -- src include cmake CMakeLists.txt 2>/dev/null || id=$id-changed
    printf '%s' "$id"
}

# append FILE HEADER ROW: behind date, machine, cores, commit and version
append() {
    local file=$RESULTS/$1.csv version
    mkdir -p "$RESULTS" || exit 3
    [ -s "$file" ] || printf 'date,machine,cores,commit,version,%s\n' "$2" >"$file"
    version=$("$OCELLUS" --version | tr -d ',' | head -n 1)
    printf '%s,%s,%s,%s,%s,%s\n' "$(date -u +%FT%TZ)" "$(machine)" "$(nproc)" "$(commit)" \
        "$version" "$3" >>"$file"
}

# verdict VALUE OP REACH: "reached", "short", or nothing where there is no value or no aim
verdict() {
    [ -n "$1" ] && [ -n "$3" ] || return 0
    if [ "$(calc "($1 $2 $3)")" = 1 ]; then printf reached; else printf short; fi
}
