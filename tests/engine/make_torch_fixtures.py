#!/usr/bin/env python3
"""What PyTorch does, for the engines to be compared with.

  runs      two small networks trained for ten steps: losses, first gradients, last weights. Of each
            tensor the norm and up to 48 evenly spread values. (test_torch.c)
  networks  two steps of one network of each family, torchvision's or, for the two Caffe nets that
            it lacks, written here: losses, logits, and of each first gradient the norm and the
            product with a fixed random vector, all in double precision; and how far torch's own
            gradients in single precision are from these. (test_torch_networks.c)

Weights and batches are not stored: both sides make them from a hash of the tensor's name and the
element's index. Dropout drops nothing, since both sides draw differently.

Made with Debian 12's python3-torch 1.13.1 (which calls itself 1.13.0a0) and python3-torchvision:
  ./make_torch_fixtures.py runs > fixtures/torch_runs.json
  ./make_torch_fixtures.py networks > fixtures/torch_networks.json
SPDX-License-Identifier: BSD-2-Clause"""
import copy
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
    elif name.endswith("weight"):
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


class CaffeAlexNet(nn.Module):
    """AlexNet of two towers, with responses normalised before pooling (BVLC's prototxt)."""

    def __init__(self, classes, side):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 11, 4)
        self.conv2 = nn.Conv2d(96, 256, 5, 1, 2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, 1, 1)
        self.conv4 = nn.Conv2d(384, 384, 3, 1, 1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, 1, 1, groups=2)
        self.fc6 = nn.Linear(256 * side * side, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, classes)

    def forward(self, x):
        for conv in (self.conv1, self.conv2):
            x = F.local_response_norm(F.relu(conv(x)), 5, 1e-4, 0.75, 1)
            x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        for conv in (self.conv3, self.conv4, self.conv5):
            x = F.relu(conv(x))
        x = F.max_pool2d(x, 3, 2, ceil_mode=True).flatten(1)
        return self.fc8(F.relu(self.fc7(F.relu(self.fc6(x)))))


class CnnS(nn.Module):
    """CNN-S (VGG_CNN_S's prototxt)."""

    def __init__(self, classes, side):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 96, 7, 2)
        self.conv2 = nn.Conv2d(96, 256, 5)
        self.conv3 = nn.Conv2d(256, 512, 3, 1, 1)
        self.conv4 = nn.Conv2d(512, 512, 3, 1, 1)
        self.conv5 = nn.Conv2d(512, 512, 3, 1, 1)
        self.fc6 = nn.Linear(512 * side * side, 4096)
        self.fc7 = nn.Linear(4096, 4096)
        self.fc8 = nn.Linear(4096, classes)

    def forward(self, x):
        x = F.local_response_norm(F.relu(self.conv1(x)), 5, 5e-4, 0.75, 2)
        x = F.relu(self.conv2(F.max_pool2d(x, 3, 3, ceil_mode=True)))
        x = F.max_pool2d(x, 2, 2, ceil_mode=True)
        for conv in (self.conv3, self.conv4, self.conv5):
            x = F.relu(conv(x))
        x = F.max_pool2d(x, 3, 3, ceil_mode=True).flatten(1)
        return self.fc8(F.relu(self.fc7(F.relu(self.fc6(x)))))


def narrowed(net, index, side):
    """torchvision's net with the dense layer `index` for features of side x side, as ours has it
    at small sizes, in place of a pool that would blow them up to what it has at 224."""
    old = net.classifier[index]
    channels = old.in_features // (net.avgpool.output_size[0] * net.avgpool.output_size[1])
    net.avgpool = nn.Identity()
    net.classifier[index] = nn.Linear(channels * side * side, old.out_features)
    return net


CLASSES, BATCH, STEP = 5, 4, 0.01  # STEP: how far the first one goes, as a distance


def networks():
    from torchvision import models
    of = {"num_classes": CLASSES}
    yield "alexnet", 95, narrowed(models.alexnet(**of), 1, 2)
    yield "vgg16", 32, narrowed(models.vgg16(**of), 0, 1)
    yield "googlenet_aux", 64, models.googlenet(aux_logits=True, init_weights=False, **of)
    yield "resnet18", 64, models.resnet18(**of)
    yield "resnet50", 96, models.resnet50(**of)
    yield "squeezenet1_1", 64, models.squeezenet1_1(**of)
    yield "mobilenet_v2", 64, models.mobilenet_v2(**of)
    yield "bvlc_alexnet", 99, CaffeAlexNet(CLASSES, 2)
    yield "vgg_s", 99, CnnS(CLASSES, 2)


def loss_of(outputs, labels):
    """Total, the output's own, logits: auxiliary heads count 0.3 each."""
    logits = outputs[0] if isinstance(outputs, tuple) else outputs
    main = total = F.cross_entropy(logits, labels)
    for aux in outputs[1:] if isinstance(outputs, tuple) else ():
        total = total + 0.3 * F.cross_entropy(aux, labels)
    return total, main, logits


def short(x):
    return float(f"{float(x):.6g}")


def summed(name, tensor):
    flat = tensor.detach().double().flatten()
    probe = torch.tensor(hashed("probe " + name, flat.numel()))
    return [short(flat.norm()), short(flat.dot(probe))]


def forward(net, size, step):
    """As loss_of, in the net's own precision."""
    shape = (BATCH, 3, size, size)
    pixels = hashed(f"pixels{step}", int(np.prod(shape))).astype(np.float32).reshape(shape)
    labels = torch.tensor([(3 * i + step) % CLASSES for i in range(BATCH)])
    return loss_of(net(torch.tensor(pixels).to(next(net.parameters()).dtype)), labels)


def gradients(net, size):
    forward(net, size, 1)[0].backward()
    return {k: p.grad.double() for k, p in net.named_parameters()}


def two_steps(name, size, net):
    for key, tensor in net.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            tensor.copy_(fresh(key, tensor))
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0
    net.train()
    single = gradients(copy.deepcopy(net), size)
    net.double()
    total, main, logits = forward(net, size, 1)
    total.backward()
    grads = {k: p.grad for k, p in net.named_parameters()}
    norm = float(sum(g.square().sum() for g in grads.values()).sqrt())
    apart = max(float((single[k] - g).norm()) / (float(g.norm()) + 1e-6 * norm)
                for k, g in grads.items())
    lr = short(STEP / norm)
    torch.optim.SGD(net.parameters(), lr=lr).step()
    total2, main2, _ = forward(net, size, 2)
    return {"net": name, "size": size, "classes": CLASSES, "batch": BATCH, "lr": lr,
            "float_error": short(apart), "losses": [short(main), short(main2)],
            "aux": [short(total - main), short(total2 - main2)],
            "logits": [short(v) for v in logits.flatten()],
            "gradients": {k: summed(k, g) for k, g in grads.items()}}


torch.set_num_threads(1)
if sys.argv[1:] == ["runs"]:
    made = {"torch": torch.__version__, "runs": [run("tiny", Tiny()), run("thesis", Thesis())]}
elif sys.argv[1:] == ["networks"]:
    made = {"torch": torch.__version__, "networks": [two_steps(*n) for n in networks()]}
else:
    sys.exit("usage: make_torch_fixtures.py runs|networks")
json.dump(made, sys.stdout, separators=(",", ":"))
print()
