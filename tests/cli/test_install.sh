#!/bin/sh
# What `cmake --install --prefix` puts under a prefix that the build did not know: the program runs from
# there, and systemd finds its unit whole.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
prefix=$work/usr
unit=$prefix/lib/systemd/system/ocellus.service
cmake --install "$(dirname "$binary")" --prefix "$prefix" >install.log 2>&1 || {
    tail -n 5 install.log
    fail "cmake --install"
}

claim "the program runs from where it is installed"
"$prefix/bin/ocellus" --version >.stdout || fail "it does not run"
prints "ocellus 0."

claim "the unit starts that program"
grep -qxF "ExecStart=$prefix/bin/ocellus serve \$OCELLUS_ARGS" "$unit" ||
    fail "$(grep ExecStart= "$unit")"

claim "systemd knows every word of the unit"
if command -v systemd-analyze >/dev/null; then
    systemd-analyze verify --man=no "$unit" >.stdout 2>&1 || fail "systemd-analyze verify"
    silent
else
    echo "no systemd-analyze: left out"
fi
finish
