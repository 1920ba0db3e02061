#!/bin/sh
# Imported weights beside Keras and timm themselves, where these are installed.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
peers=${OC_PEERS-$3/build/peers}
script=$3/tests/cli/weights_peer.py
[ -x "$peers/bin/python" ] || {
    echo "skipped: no peers in OC_PEERS or build/peers (scripts/peers.sh)"
    exit 77
}
tried=0
for peer in keras timm; do
    claim "weights of $peer answer as $peer does"
    mkdir "$work/$peer"
    "$peers/bin/python" "$script" "$binary" "$work/$peer" $peer >.stdout 2>.stderr
    code=$?
    cat .stdout
    [ $code = 77 ] && continue
    tried=1
    [ $code = 0 ] || fail "$peer says otherwise"
done
[ $tried = 1 ] || exit 77
finish
