"""What the peers share: threads, repetitions, peak memory, one line of JSON.

SPDX-License-Identifier: BSD-2-Clause
"""
import json
import os
import resource
import statistics
import time

import torch
import torchvision


def use_all_cores():
    torch.set_num_threads(len(os.sched_getaffinity(0)))


def make_net(name, classes=1000):
    """Without auxiliary heads, as ours."""
    options = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    return getattr(torchvision.models, name)(num_classes=classes, **options)


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


def report(**values):
    values["peer"] = f"PyTorch {torch.__version__}"
    values["threads"] = torch.get_num_threads()
    values["peak_rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps(values))
