"""Steps of training in PyTorch on data in memory: forward, backward, SGD with momentum.

usage: train_throughput.py NET BATCH [REPS [SECONDS [SIZE]]]

SPDX-License-Identifier: BSD-2-Clause
"""
import sys

import torch

from common import make_net, repeat, report, use_all_cores


def main(name, batch, reps=10, seconds=0.5, size=224):
    use_all_cores()
    torch.manual_seed(1)
    net = make_net(name).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)
    loss_of = torch.nn.CrossEntropyLoss()
    pixels = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(0, 1000, (batch,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss_of(net(pixels), labels).backward()
        optimizer.step()

    report(arch=name, mode="train", batch=batch, size=size, **repeat(step, batch, reps, seconds))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *[f(a) for f, a in zip((int, float, int), sys.argv[3:])])
