#!/bin/bash
# Puts the newest PyTorch, torchvision, ONNX Runtime and OpenVINO into a virtual environment of
# their own, for bench/run.sh to measure beside. Nothing outside the folder is changed.
#
#   bench/peers/install.sh [FOLDER]       default: bench/peers/venv; elsewhere, tell run.sh by
#                                         PEERS=FOLDER. PYTHON3 says which interpreter to start from.
#
# PyTorch's own index has builds for the CPU alone (1 GB on disk). Where it cannot be reached, the
# general index serves: its build brings CUDA's libraries along (5 GB), which are not used.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
folder=${1-$(dirname "$0")/venv}
"${PYTHON3-python3}" -m venv "$folder"
pip=$folder/bin/pip
"$pip" install --quiet --upgrade pip
"$pip" install --quiet --retries 1 --index-url https://download.pytorch.org/whl/cpu torch torchvision ||
    "$pip" install --quiet torch torchvision
"$pip" install --quiet numpy pillow onnx onnxruntime openvino
"$folder/bin/python" -c '
import onnxruntime, openvino, torch, torchvision
print("PyTorch", torch.__version__, "torchvision", torchvision.__version__,
      "ONNX Runtime", onnxruntime.__version__, "OpenVINO", openvino.__version__)'
