#!/bin/sh
# What STYLE forbids and a text search can find. usage: scripts/check-banned.sh [ROOT]
# SPDX-License-Identifier: BSD-2-Clause
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "${1-$here/..}"
failed=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

folders=
for folder in include src tests fuzz bench; do
    [ ! -d "$folder" ] || folders="$folders $folder"
done
# shellcheck disable=SC2086 # a list of words
find $folders -name '*.[ch]' | sort >"$tmp/sources"
xargs awk -f "$here/strip-c.awk" <"$tmp/sources" >"$tmp/code"

# forbid WHY PATHS EXCEPT PATTERN: no match of PATTERN in files that match PATHS and not EXCEPT
forbid() {
    if grep -E "^($2)" "$tmp/code" | grep -vE "^($3)" |
        grep -E "^[^:]*:[^:]*:(.*[^A-Za-z0-9_])?($4)" >"$tmp/found"; then
        sed "s|$| <- $1|" "$tmp/found"
        failed=1
    fi
}

forbid 'unsafe libc call' '.' 'none' \
    '(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|strtok|atoi|atol|atof|rand|srand) *\('
forbid 'raw heap: use base/mem.h' 'src/' 'src/base/' \
    '(malloc|calloc|realloc|free|strdup|strndup|aligned_alloc|posix_memalign) *\('
# h5_apart.c: the end of its child process
forbid 'the library never prints or exits' 'src/' 'src/cli/|src/base/error\.c|src/interop/weights/h5_apart\.c' \
    '((printf|puts|putchar|perror|exit|_exit|abort|assert) *\(|stdout|stderr)'
forbid 'compiler extensions live in base/compat.h' 'src/|include/' 'src/base/compat\.h|src/engine/onednn/lanes\.h' \
    '__attribute__'

# no #if inside a function, and no function over 70 lines (clang-format's layout is relied on)
awk -F: '
    { code = $0; sub(/^[^:]*:[^:]*:/, "", code); if ($1 != file) { file = $1; inside = 0 } }
    !inside && code ~ /\) \{$/ && code !~ /^#/ { inside = 1; first = $2 }
    inside && code ~ /^[ ]*#[ ]*(if|ifdef|ifndef)/ { print $1 ":" $2 ": #if inside a function"; bad = 1 }
    inside && code ~ /^}/ {
        inside = 0
        lines = $2 - first + 1
        if (lines > 70) { print $1 ":" first ": function of " lines " lines, at most 70"; bad = 1 }
    }
    END { exit bad }' "$tmp/code" || failed=1

# unfinished business
# shellcheck disable=SC2086
if grep -rnwE 'TODO|FIXME|XXX|HACK' $folders --include='*.[ch]' --include='*.sh' \
    --include='CMakeLists.txt'; then
    echo 'unfinished: finish it or write an issue'
    failed=1
fi

# every file: one licence line, at most 600 lines
while read -r file; do
    [ "$(grep -c 'SPDX-License-Identifier: BSD-2-Clause' "$file")" = 1 ] || {
        echo "$file: not exactly one SPDX line"
        failed=1
    }
    lines=$(wc -l <"$file")
    [ "$lines" -le 600 ] || {
        echo "$file: $lines lines, at most 600"
        failed=1
    }
done <"$tmp/sources"

echo "$(wc -l <"$tmp/sources") files"
exit $failed
