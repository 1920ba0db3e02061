#!/bin/sh
# Does every header compile alone, and every public one as C++ too?
# usage: scripts/check-headers.sh [HEADER ...]
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- $(find include src tests -name '*.h' | sort)

flags='-fsyntax-only -Wall -Wextra -Wpedantic -Werror -Wno-psabi -Isrc -Iinclude -Itests -D_DEFAULT_SOURCE
    -D_POSIX_C_SOURCE=200809L'
failed=0
for header; do
    # shellcheck disable=SC2086 # lists of words
    gcc -std=c11 -x c $flags -include "$header" /dev/null || failed=1
    case $header in
    include/ocellus/*)
        # shellcheck disable=SC2086
        clang++ -std=c++11 -x c++ $flags -include "$header" /dev/null || failed=1
        ;;
    esac
done
echo "$# headers"
exit $failed
