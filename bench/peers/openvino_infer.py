"""Inference in OpenVINO on data in memory. For latency one request at a time; for throughput as
many at once as OpenVINO wishes, of which a step waits for all.

usage: openvino_infer.py FILE.onnx latency|throughput [REPS [SECONDS]]

SPDX-License-Identifier: BSD-2-Clause
"""
import sys

import numpy
import openvino

from common import CORES, repeat, report


def main(path, hint, reps=10, seconds=0.5):
    core = openvino.Core()
    compiled = core.compile_model(path, "CPU", {
        "PERFORMANCE_HINT": hint.upper(),
        "INFERENCE_NUM_THREADS": str(CORES),
        "INFERENCE_PRECISION_HINT": "f32",
    })
    shape = list(compiled.input(0).shape)
    at_once = compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS") if hint == "throughput" else 1
    pixels = numpy.random.default_rng(1).standard_normal(shape, dtype=numpy.float32)
    requests = [compiled.create_infer_request() for _ in range(at_once)]
    for request in requests:
        request.set_input_tensor(openvino.Tensor(pixels, shared_memory=True))

    def step():
        for request in requests:
            request.start_async()
        for request in requests:
            request.wait()

    report(peer=f"OpenVINO {openvino.__version__.split('-')[0]}", mode="infer", hint=hint,
           batch=shape[0], at_once=at_once, **repeat(step, shape[0] * at_once, reps, seconds))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *[f(a) for f, a in zip((int, float), sys.argv[3:])])
