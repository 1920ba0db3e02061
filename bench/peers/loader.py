"""Photos a second on one core in torchvision and Pillow, from the bytes of a file to a tensor, as
for prediction and varied as for training.

usage: loader.py FOLDER [SECONDS [SIZE]]

SPDX-License-Identifier: BSD-2-Clause
"""
import io
import pathlib
import sys
import time

import torch
from PIL import Image

from common import report
from photos import eval_transform, train_transform

MOST = 64  # as `ocellus bench --image`


def rate(photos, transform, seconds):
    start = time.perf_counter()
    rounds = spent = 0
    while spent < seconds:
        for bytes_ in photos:
            transform(Image.open(io.BytesIO(bytes_)).convert("RGB"))
        rounds += 1
        spent = time.perf_counter() - start
    return len(photos) * rounds / spent


def main(folder, seconds=2.0, size=224):
    torch.set_num_threads(1)
    paths = sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix.lower() in (".jpg", ".png"))
    photos = [path.read_bytes() for path in paths[:MOST]]
    report(peer=f"torchvision on PyTorch {torch.__version__}", photos=len(photos), size=size,
           plain_per_second_and_core=rate(photos, eval_transform(size), seconds),
           varied_per_second_and_core=rate(photos, train_transform(size), seconds))


if __name__ == "__main__":
    main(sys.argv[1], *[f(a) for f, a in zip((float, int), sys.argv[2:])])
