#!/bin/sh
# A running server asked by the scripts that are named: test_http.sh OCELLUS JSON_GET SOURCE SCRIPT...
# A script for peers (*_client.py, openapi.py) runs in their environment (scripts/peers.sh). The photo
# is a real one where the tree has them beside it.
# SPDX-License-Identifier: BSD-2-Clause
source=$3
. "$source/tests/cli/lib.sh"
shift 3
python=$(command -v python3) || {
    echo "skipped: no python3"
    exit 77
}
peers=${OC_PEERS-$source/build/peers}/bin/python
tiny photos
# shellcheck disable=SC2086 # a list of options
run 0 train photos -o model $train_options
photos=$(find "$source/../shared/data/flowers17" -name '*_??[05]1.jpg' 2>/dev/null | sort | head -n 9)
[ -n "$photos" ] || photos=$(find "$work/photos" -name '*.jpg' | sort | head -n 9)
ran=0
for script; do
    claim "$script"
    with=$python
    case $script in
        *_client.py | openapi.py)
            with=$peers
            [ -x "$with" ] || {
                echo "$script skipped: no peers in OC_PEERS or build/peers (scripts/peers.sh)"
                continue
            } ;;
    esac
    # shellcheck disable=SC2086 # a list of files
    PYTHONDONTWRITEBYTECODE=1 "$with" "$source/tests/serve/$script" "$binary" model $photos
    code=$?
    [ $code = 77 ] && continue
    ran=1
    [ $code = 0 ] || fail "exit code $code"
done
[ $ran = 1 ] || exit 77
finish
