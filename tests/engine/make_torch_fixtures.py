#!/usr/bin/env python3
"""Train two small networks for ten steps with PyTorch and write what happened: losses, first
gradients, last weights. test_torch.c does the same with every engine and compares.

Weights and batches are not stored: both sides make them from a hash of the tensor's name and the
element's index. Of each tensor the norm and up to 48 evenly spread values are stored.

Made with Debian 12's python3-torch 1.13.1 (which calls itself 1.13.0a0):
  ./make_torch_fixtures.py > fixtures/torch_runs.json
SPDX-License-Identifier: BSD-2-Clause"""
import json
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

STEPS, SAMPLES = 10, 48


def hashed(name, count):
    """`count` numbers in -1..1 that depend on name and index alone."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 & 0xFFFFFFFF  # FNV-1a
    x = np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(seed)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**31 - 1


def fresh(name, tensor):
    u = hashed(name, tensor.numel())
    if name.endswith("running_mean"):
        u = 0 * u
    elif name.endswith("running_var"):
        u = 0 * u + 1
    elif tensor.dim() > 1:
        u = u * np.sqrt(3 / tensor[0].numel())
    elif name.startswith("bn") and name.endswith("weight"):
        u = 1 + 0.25 * u
    else:
        u = 0.1 * u
    return torch.tensor(u.astype(np.float32)).reshape(tensor.shape)


class Tiny(nn.Module):
    size, classes, batch, lr, l2 = 13, 5, 6, 0.05, 1e-3

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False)
        self.bn2 = nn.BatchNorm2d(8)
        self.conv3 = nn.Conv2d(8, 12, 1)
        self.fc = nn.Linear(12, self.classes)

    def forward(self, x):
        x = F.relu6(self.bn1(self.conv1(x)))
        x = F.relu6(self.bn2(self.conv2(x)))
        x = F.relu(self.conv3(x))
        return self.fc(x.mean((2, 3)))


class Thesis(nn.Module):
    size, classes, batch, lr, l2 = 66, 4, 4, 0.003, 5e-5

    def __init__(self):
        super().__init__()
        self.cnn1 = nn.Conv2d(3, 20, 4, 2)
        self.cnn2 = nn.Conv2d(20, 40, 5)
        self.cnn3 = nn.Conv2d(40, 70, 5)
        self.ffn1 = nn.Linear(70, 200)
        self.output = nn.Linear(200, self.classes)

    def forward(self, x):
        for conv in (self.cnn1, self.cnn2, self.cnn3):
            x = F.max_pool2d(F.relu(conv(x)), 2)
        return self.output(F.relu(self.ffn1(x.flatten(1))))


def sampled(tensor):
    flat = tensor.detach().double().flatten()
    step = flat.numel() // SAMPLES + 1
    return {"norm": float(flat.norm()), "values": [float(f"{v:.7g}") for v in flat[::step]]}


def run(name, net):
    values = {k: v for k, v in net.state_dict().items() if not k.endswith("num_batches_tracked")}
    for key, tensor in values.items():
        tensor.copy_(fresh(key, tensor))
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=net.lr, momentum=0.9, weight_decay=net.l2)
    losses, gradients = [], {}
    for step in range(1, STEPS + 1):
        shape = (net.batch, 3, net.size, net.size)
        pixels = hashed(f"pixels{step}", int(np.prod(shape))).astype(np.float32)
        labels = torch.tensor([(3 * i + step) % net.classes for i in range(net.batch)])
        optimizer.zero_grad()
        loss = F.cross_entropy(net(torch.tensor(pixels).reshape(shape)), labels)
        loss.backward()
        losses.append(float(loss))
        if step == 1:
            gradients = {k: sampled(p.grad) for k, p in net.named_parameters()}
        optimizer.step()
    return {"net": name, "size": net.size, "classes": net.classes, "batch": net.batch,
            "lr": net.lr, "l2": net.l2, "losses": losses, "gradients": gradients,
            "final": {k: sampled(v) for k, v in values.items()}}


torch.set_num_threads(1)
runs = [run("tiny", Tiny()), run("thesis", Thesis())]
json.dump({"torch": torch.__version__, "runs": runs}, sys.stdout, separators=(",", ":"))
print()
