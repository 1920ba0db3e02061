"""Steps of training in PyTorch on data in memory: forward, backward, SGD with momentum.

usage: pytorch_train.py NET BATCH eager|channels_last|compiled [REPS [SECONDS [SIZE]]]

SPDX-License-Identifier: BSD-2-Clause
"""
import sys

import torch

from common import CORES, make_net, prepare, repeat, report


def main(name, batch, form, reps=10, seconds=0.5, size=224):
    torch.set_num_threads(CORES)
    torch.manual_seed(1)
    net, pixels = prepare(make_net(name).train(), torch.randn(batch, 3, size, size), form)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)
    loss_of = torch.nn.CrossEntropyLoss()
    labels = torch.randint(0, 1000, (batch,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss_of(net(pixels), labels).backward()
        optimizer.step()

    report(peer=f"PyTorch {torch.__version__}", arch=name, mode="train", form=form, batch=batch,
           size=size, **repeat(step, batch, reps, seconds))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3],
         *[f(a) for f, a in zip((int, float, int), sys.argv[4:])])
