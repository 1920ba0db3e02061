"""Inference in PyTorch on data in memory: eval mode, without gradients.

usage: pytorch_infer.py NET BATCH eager|channels_last|compiled [REPS [SECONDS [SIZE]]]

SPDX-License-Identifier: BSD-2-Clause
"""
import sys

import torch

from common import CORES, make_net, prepare, repeat, report


def main(name, batch, form, reps=10, seconds=0.5, size=224):
    torch.set_num_threads(CORES)
    torch.manual_seed(1)
    if form == "compiled":
        from torch._inductor import config
        config.freezing = True  # weights are constants: folded and packed
    net, pixels = prepare(make_net(name).eval(), torch.randn(batch, 3, size, size), form)
    with torch.no_grad():
        numbers = repeat(lambda: net(pixels), batch, reps, seconds)
    report(peer=f"PyTorch {torch.__version__}", arch=name, mode="infer", form=form, batch=batch,
           size=size, **numbers)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3],
         *[f(a) for f, a in zip((int, float, int), sys.argv[4:])])
