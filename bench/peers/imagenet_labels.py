#!/usr/bin/env python3
"""SqueezeNet 1.1 as an ImageNet classifier in PyTorch behind Pillow, and how far another program's
answers agree with it.

usage: imagenet_labels.py run WEIGHTS LIST OUT CROPS    photos of LIST (a path a line) -> OUT, JSON
                                                        lines; each crop as a PNG in CROPS
       imagenet_labels.py compare OUT PHOTOS SAME       `predict --json` over the photos, and over
                                                        the crops with all classes -> one JSON line
The crops are the pixels that PyTorch saw: on them answers can differ by arithmetic alone.
SPDX-License-Identifier: BSD-2-Clause
"""
import json
import math
import os
import struct
import sys


def load(path):
    import numpy
    import torch
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(size))
        data = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data[begin:end], dtype=numpy.float32).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors


def crop(path):
    """Short side 256, antialiased bilinear, centre 224: torchvision's usual evaluation."""
    from PIL import Image, ImageOps
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    width, height = image.size
    short, long = min(width, height), max(width, height)
    other = int(256 * long / short)
    size = (256, other) if width <= height else (other, 256)
    image = image.resize(size, Image.BILINEAR)
    left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    return image.crop((left, top, left + 224, top + 224))


def run(weights, photos, out, crops):
    import numpy
    import torch
    import torchvision
    net = torchvision.models.squeezenet1_1(num_classes=1000)
    net.load_state_dict(load(weights))
    net.eval()
    mean = numpy.array([0.485, 0.456, 0.406], numpy.float32)
    std = numpy.array([0.229, 0.224, 0.225], numpy.float32)
    with open(photos) as names, open(out, "w") as lines, torch.no_grad():
        for number, path in enumerate(names.read().splitlines()):
            image = crop(path)
            image.save(os.path.join(crops, f"{number:06d}.png"), compress_level=1)
            pixels = (numpy.asarray(image, numpy.float32) / 255 - mean) / std
            logits = net(torch.from_numpy(pixels.transpose(2, 0, 1)[None].copy()))[0]
            lines.write(json.dumps({"image": path, "logits": logits.tolist()}) + "\n")



def compare(torchs, photos, same):
    """Classes are numbered by imports without names: "0", "1", ..."""
    equal = equal_same = n = 0
    worst = 0.0
    margins = []
    with open(torchs) as a, open(photos) as b, open(same) as c:
        for line, photo, twin in zip(a, b, c):
            known = json.loads(line)["logits"]
            top = max(range(len(known)), key=known.__getitem__)
            ours, exact = json.loads(photo), json.loads(twin)
            n += 1
            if "top" not in ours or "top" not in exact:
                continue
            equal += int(ours["top"][0]["label"]) == top
            equal_same += int(exact["top"][0]["label"]) == top
            if int(ours["top"][0]["label"]) != top:
                first, second = sorted(known)[:-3:-1]
                margins.append(round(first - second, 4))
            # logits up to a constant: the last one's, which softmax takes away
            base = max(known)
            total = base + math.log(sum(math.exp(x - base) for x in known))
            for entry in exact["top"]:
                if entry["p"] > 1e-30:
                    logit = math.log(entry["p"]) + total
                    worst = max(worst, abs(logit - known[int(entry["label"])]))
    print(json.dumps({"n": n, "equal": equal, "share": equal / n, "equal_same_pixels": equal_same,
                      "worst_logit_same_pixels": worst, "margins_where_different": margins}))


{"run": run, "compare": compare}[sys.argv[1]](*sys.argv[2:])
