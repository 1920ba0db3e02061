#!/bin/sh
# Is web/dist what the sources of the page give? Type check, build into a temporary folder, compare
# byte by byte. Exits 77 (skipped) where Node is absent or the packages cannot be had.
# usage: scripts/check-page.sh
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "$(dirname "$0")/../web"
tools/packages.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
node node_modules/typescript/bin/tsc --noEmit
node node_modules/vite/bin/vite.js build --outDir "$tmp/dist" --emptyOutDir --logLevel warn
if ! diff -rq dist "$tmp/dist"; then
    echo 'web/dist is not what its sources give: cd web && npm ci && npm run build'
    exit 1
fi
echo "web/dist: $(find dist -type f | wc -l) files, as their sources give them"
