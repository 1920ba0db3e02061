#!/bin/sh
# Is web/dist what the sources of the page give? Type check, build into a temporary folder, compare
# byte by byte. Exits 77 (skipped) where Node is absent or the packages cannot be had.
# usage: scripts/check-page.sh          SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "$(dirname "$0")/../web"

skip() {
    echo "skipped: $1"
    exit 77
}
command -v node >/dev/null && command -v npm >/dev/null || skip 'node and npm are not installed'
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || skip "node $major is too old, 18 is needed"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# a lock that does not fit its package.json is a failure, a registry out of reach is not
if [ ! -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    if ! npm ci --no-audit --no-fund >"$tmp/npm.log" 2>&1; then
        cat "$tmp/npm.log"
        grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH' "$tmp/npm.log" ||
            exit 1
        skip 'the packages of the build cannot be fetched'
    fi
fi
node node_modules/typescript/bin/tsc --noEmit
node node_modules/vite/bin/vite.js build --outDir "$tmp/dist" --emptyOutDir --logLevel warn
if ! diff -rq dist "$tmp/dist"; then
    echo 'web/dist is not what its sources give: cd web && npm ci && npm run build'
    exit 1
fi
echo "web/dist: $(find dist -type f | wc -l) files, as their sources give them"
