#!/bin/sh
# Node, npm and chromium, for the tests of the web page: what is missing is installed from Debian's
# packages. The tests are skipped where they cannot be had.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
missing=
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
[ -x "${CHROMIUM-/usr/bin/chromium}" ] || missing="$missing chromium"
[ -n "$missing" ] || exit 0
echo "installs$missing"
sudo=
[ "$(id -u)" -eq 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# shellcheck disable=SC2086 # a list of words
$sudo apt-get install -q -y --no-install-recommends $missing
