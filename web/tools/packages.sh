#!/bin/sh
# The packages that the page is built and tested with, as package-lock.json names them, into
# web/node_modules. Exits 77 where Node is absent or too old, or no registry can be reached.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "$(dirname "$0")/.."

skip() {
    echo "skipped: $1"
    exit 77
}
command -v node >/dev/null && command -v npm >/dev/null || skip 'node and npm are not installed'
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 18 ] || skip "node $major is too old, 18 is needed"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# tests may come here side by side
exec 9>.packages.lock
flock 9
[ ! node_modules/.package-lock.json -nt package-lock.json ] || exit 0
if ! npm ci --no-audit --no-fund >"$log" 2>&1; then
    cat "$log"
    # a lock that does not fit is a failure, a registry out of reach is not
    grep -qE 'ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH' "$log" || exit 1
    skip 'the packages cannot be fetched'
fi
touch node_modules/.package-lock.json
