"""Inference in PyTorch on data in memory: eval mode, without gradients.

usage: infer_throughput.py NET BATCH [REPS [SECONDS [SIZE]]]

SPDX-License-Identifier: BSD-2-Clause
"""
import sys

import torch

from common import make_net, repeat, report, use_all_cores


def main(name, batch, reps=10, seconds=0.5, size=224):
    use_all_cores()
    torch.manual_seed(1)
    net = make_net(name).to(memory_format=torch.channels_last).eval()
    pixels = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        numbers = repeat(lambda: net(pixels), batch, reps, seconds)
    report(arch=name, mode="infer", batch=batch, size=size, **numbers)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *[f(a) for f, a in zip((int, float, int), sys.argv[3:])])
