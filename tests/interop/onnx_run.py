"""Lets ONNX Runtime run what we exported: NAME.onnx on NAME.in, its first output against NAME.out.

usage: onnx_run.py TOLERANCE FOLDER
SPDX-License-Identifier: BSD-2-Clause
"""
import glob
import os
import sys

import numpy
import onnx
import onnxruntime

TYPES = {"tensor(float)": numpy.float32, "tensor(uint8)": numpy.uint8}


def difference(path):
    onnx.checker.check_model(path, full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    assert isinstance(entry.shape[0], str), f"{path}: the batch is fixed to {entry.shape[0]}"
    stem = path[: -len(".onnx")]
    pixels = numpy.fromfile(stem + ".in", TYPES[entry.type]).reshape([-1] + entry.shape[1:])
    worst = 0.0
    for k, output in enumerate(session.run(None, {entry.name: pixels})):
        wanted = numpy.fromfile(stem + (".out", ".chances")[k], numpy.float32)
        assert output.size == wanted.size, f"{path}: {output.shape} for {wanted.size} values"
        worst = max(worst, float(numpy.abs(output.reshape(-1) - wanted).max()))
    return worst


def main():
    tolerance, failed = float(sys.argv[1]), False
    for path in sorted(glob.glob(os.path.join(sys.argv[2], "*.onnx"))):
        worst = difference(path)
        bad = not worst <= tolerance
        failed |= bad
        print(f"{'FAILED ' if bad else ''}{os.path.basename(path)}: largest difference {worst:.3g}")
    sys.exit(failed)


main()
