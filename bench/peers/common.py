"""What the peers share: threads, networks, repetitions, peak memory, one line of JSON.

SPDX-License-Identifier: BSD-2-Clause
"""
import json
import os
import statistics
import time

CORES = len(os.sched_getaffinity(0))


def make_net(name, classes=1000):
    """Without auxiliary heads, as ours."""
    import torchvision
    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    return getattr(torchvision.models, name)(num_classes=classes, **options)


def prepare(net, pixels, form):
    """The network and its pixels as one of PyTorch's ways to run them: eager, channels_last, or
    compiled (in channels_last, too, which its compiler gains from)."""
    import torch
    if form == "eager":
        return net, pixels
    net = net.to(memory_format=torch.channels_last)
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    return torch.compile(net) if form == "compiled" else net, pixels


def repeat(step, batch, reps, seconds):
    """Images a second of `reps` repetitions, each of as many steps as take about `seconds`; two
    steps warm up. What `ocellus bench` does."""
    for _ in range(2):
        start = time.perf_counter()
        step()
        once = time.perf_counter() - start
    steps = max(1, round(seconds / once))
    rates = []
    for _ in range(reps):
        start = time.perf_counter()
        for _ in range(steps):
            step()
        rates.append(batch * steps / (time.perf_counter() - start))
    return {
        "steps": steps,
        "images_per_second": statistics.median(rates),
        "images_per_second_min": min(rates),
        "images_per_second_max": max(rates),
    }


def peak_rss():
    """Bytes of this process at its largest."""
    with open("/proc/self/status") as stream:
        return next(int(line.split()[1]) * 1024 for line in stream if line.startswith("VmHWM"))


def report(**values):
    print(json.dumps({**values, "peak_rss": peak_rss()}))
