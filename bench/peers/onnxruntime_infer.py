"""Inference in ONNX Runtime on data in memory, all graph optimisations on.

usage: onnxruntime_infer.py FILE.onnx [REPS [SECONDS]]

SPDX-License-Identifier: BSD-2-Clause
"""
import sys

import numpy
import onnxruntime

from common import CORES, repeat, report


def main(path, reps=10, seconds=0.5):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = CORES
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = True
    options.enable_mem_pattern = True
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    shape = session.get_inputs()[0].shape
    pixels = numpy.random.default_rng(1).standard_normal(shape, dtype=numpy.float32)
    report(peer=f"ONNX Runtime {onnxruntime.__version__}", mode="infer", batch=shape[0],
           **repeat(lambda: session.run(None, {"pixels": pixels}), shape[0], reps, seconds))


if __name__ == "__main__":
    main(sys.argv[1], *[f(a) for f, a in zip((int, float), sys.argv[2:])])
