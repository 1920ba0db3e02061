"""The whole fine-tuning command as a PyTorch user writes it: photos on disk, weights from a file,
random resized crops and flips, SGD with momentum on a cosine, the held-out part scored after each
epoch. Peak memory of the process and its workers is measured from outside (../tree.py).

usage: finetune.py TABLE.csv WEIGHTS.safetensors [--epochs N] [--batch B] [--workers W]

SPDX-License-Identifier: BSD-2-Clause
"""
import argparse
import json
import math
import struct
import time

import torch
from torch.utils.data import DataLoader

from common import CORES, make_net, report
from photos import Photos, eval_transform, train_transform

BODY_LR, HEAD_LR = 0.005, 0.03


def read_safetensors(path):
    with open(path, "rb") as stream:
        header = json.loads(stream.read(struct.unpack("<Q", stream.read(8))[0]))
        data = bytearray(stream.read())
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            assert entry["dtype"] == "F32", (name, entry["dtype"])
            begin, end = entry["data_offsets"]
            flat = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=begin)
            tensors[name] = flat.reshape(entry["shape"]).clone()
    return tensors


def load_body(net, path):
    result = net.load_state_dict(read_safetensors(path), strict=False)
    missing = [name for name in result.missing_keys
               if not name.startswith("classifier.") and not name.endswith("num_batches_tracked")]
    assert not missing and not result.unexpected_keys, (missing, result.unexpected_keys)


def score(net, loader):
    net.eval()
    correct = count = 0
    with torch.no_grad():
        for pixels, labels in loader:
            pixels = pixels.contiguous(memory_format=torch.channels_last)
            correct += (net(pixels).argmax(1) == labels).sum().item()
            count += len(labels)
    return correct / count


def train_epoch(net, loader, optimizer, schedule):
    net.train()
    loss_of = torch.nn.CrossEntropyLoss()
    for pixels, labels in loader:
        pixels = pixels.contiguous(memory_format=torch.channels_last)
        optimizer.zero_grad(set_to_none=True)
        loss_of(net(pixels), labels).backward()
        optimizer.step()
        schedule.step()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("table")
    parser.add_argument("weights")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    start = time.perf_counter()
    torch.set_num_threads(CORES)
    torch.manual_seed(1)
    train = Photos(args.table, "train", train_transform())
    val = Photos(args.table, "val", eval_transform())
    train_loader = DataLoader(train, args.batch, shuffle=True, drop_last=True,
                              num_workers=args.workers, persistent_workers=args.workers > 0)
    val_loader = DataLoader(val, args.batch, num_workers=args.workers)
    net = make_net("mobilenet_v2", len(train.classes))
    load_body(net, args.weights)
    net = net.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD([{"params": net.features.parameters(), "lr": BODY_LR},
                                 {"params": net.classifier.parameters(), "lr": HEAD_LR}],
                                momentum=0.9)
    steps = args.epochs * len(train_loader)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: (1 + math.cos(math.pi * min(step, steps) / steps)) / 2)
    accuracy = []
    for _ in range(args.epochs):
        train_epoch(net, train_loader, optimizer, schedule)
        accuracy.append(score(net, val_loader))
    report(peer=f"PyTorch {torch.__version__}", epochs=args.epochs, batch=args.batch, train_images=len(train), val_images=len(val),
           accuracy=accuracy, best_accuracy=max(accuracy), seconds=time.perf_counter() - start)


if __name__ == "__main__":
    main()
