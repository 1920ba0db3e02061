#!/bin/sh
# The text checks against made-up sources: good code passes, each kind of bad code is caught.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
here=$(cd "$(dirname "$0")" && pwd)
house=$(mktemp -d)
trap 'rm -rf "$house"' EXIT
mkdir -p "$house/src/base" "$house/src/nn" "$house/src/cli" "$house/include"
licence='/* SPDX-License-Identifier: BSD-2-Clause */'
failed=0

# build FILE CODE: a house of one file
build() {
    find "$house" -type f -exec rm {} +
    printf '%s\n%b\n' "$licence" "$2" >"$house/$1"
}

passes() {
    build "$1" "$2"
    if ! "$here/check-banned.sh" "$house" >"$house/out"; then
        echo "banned: refused what is allowed: $1: $2"
        cat "$house/out"
        failed=1
    fi
}

caught() {
    build "$1" "$2"
    if "$here/check-banned.sh" "$house" >/dev/null; then
        echo "banned: let through: $1: $2"
        failed=1
    fi
}

long=$(awk 'BEGIN { for (i = 0; i < 70; i++) printf "    x++;\\n" }')
passes src/base/mem.c 'void *p = malloc(3);'
passes src/cli/main.c 'printf("x");'
passes src/nn/a.c 'oc_free(p); /* free(p), printf( */ snprintf(s, n, "strcpy(%s)"); // exit('
passes src/nn/a.c 'static int f(int x) {\n    x++;\n}\n#ifdef A\n#endif'
caught src/nn/a.c 'strcpy(a, b);'
caught src/nn/a.c 'x = atoi (s);'
caught src/nn/a.c 'free(p);'
caught src/nn/a.c 'p = realloc(p, 3);'
caught src/nn/a.c 'printf("x");'
caught src/nn/a.c '/* a */ exit(1); /* b */'
caught src/nn/a.c 'fprintf(stderr, "x");'
caught src/nn/a.c 'static int x __attribute__((unused));'
caught src/nn/a.c 'static int f(int x) {\n#ifdef A\n    x++;\n#endif\n}'
caught src/nn/a.c "static int f(int x) {\n$long}"
caught src/nn/a.c '/* FIXME */'
caught src/nn/a.c '/* SPDX-License-Identifier: BSD-2-Clause */'
caught src/nn/a.c "$(awk 'BEGIN { for (i = 0; i < 600; i++) printf "int x%d;\\n", i }')"
exit $failed
