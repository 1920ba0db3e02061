#!/bin/sh
# The programs whose files we read and write, for the tests that let them have their say: into a
# virtual environment of their own. usage: scripts/peers.sh [FOLDER]     (default: build/peers)
# Tests find it there or by OC_PEERS=FOLDER, and are skipped without it.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
folder=${1-$(dirname "$0")/../build/peers}
packages="numpy tritonclient[http] schemathesis onnx onnxruntime tensorboard opencv-python-headless<5 lmdb"
mark=$folder/packages.txt
[ "$(cat "$mark" 2>/dev/null)" != "$packages" ] || exit 0
"${PYTHON3-python3}" -m venv "$folder"
# shellcheck disable=SC2086 # a list of words
"$folder/bin/pip" install --quiet --disable-pip-version-check $packages
echo "$packages" >"$mark"
