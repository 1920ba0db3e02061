#!/usr/bin/env python3
"""Small files of weights as PyTorch and h5py write them, for test_weights_file.c.

usage: make_weights_fixtures.py torch NAME | h5 NAME     (needs torch, or h5py and numpy)
The committed ones were made with torch 1.13 (one) and 2.15 (two), and h5py 3.16.
SPDX-License-Identifier: BSD-2-Clause
"""
import collections
import os
import sys

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures")


def make_torch(name):
    import torch

    rows = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    state = collections.OrderedDict()
    state["rows"] = rows
    state["turned"] = rows.t()  # (3, 2), shares the storage of rows
    state["part"] = rows[1, 1:]  # offset 4
    state["half"] = torch.tensor([1.5, -2.0], dtype=torch.float16)
    state["brain"] = torch.tensor([1.5, -2.0], dtype=torch.bfloat16)
    state["double"] = torch.tensor([0.25], dtype=torch.float64)
    state["count"] = torch.tensor(7)
    state["none"] = torch.zeros(0, 4)
    state["bytes"] = torch.tensor([1, 255], dtype=torch.uint8)
    torch.save(state, os.path.join(FOLDER, f"state_{name}.pth"))
    checkpoint = {
        "epoch": 3,
        "lr": 0.5,
        "optimizer": {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"betas": (0.9, 1)}]},
        "state_dict": {"module.rows": torch.nn.Parameter(rows)},
    }
    torch.save(checkpoint, os.path.join(FOLDER, f"checkpoint_{name}.pth"))
    torch.save(rows, os.path.join(FOLDER, f"old_{name}.pth"), _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(1, 1), os.path.join(FOLDER, f"module_{name}.pth"))


def make_h5(name):
    import h5py
    import numpy as np

    kernel = np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3)
    with h5py.File(os.path.join(FOLDER, f"layers_{name}.h5"), "w") as f:
        f.create_dataset("conv/conv/kernel:0", data=kernel)
        f.create_dataset("conv/conv/bias:0", data=np.arange(3, dtype=np.float64))
        f.create_dataset("old/old_W_1:0", data=np.ones((2, 2), np.float16))
        f.create_dataset("old/old_b_1:0", data=np.zeros(2, np.float32))
        f.create_dataset("deep/deep/depthwise_kernel:0", data=np.ones((1, 1, 2, 1), np.float32))
        f.create_dataset("conv/conv/count:0", data=np.arange(3))
    with h5py.File(os.path.join(FOLDER, f"vars_{name}.weights.h5"), "w") as f:
        norm = f.create_group("layers/batch_normalization/vars")
        norm.attrs["name"] = "bn1"
        for i in range(4):
            norm.create_dataset(str(i), data=np.full(2, i, np.float32))
        dense = f.create_group("layers/dense/vars")
        dense.attrs["name"] = "fc"
        dense.create_dataset("0", data=np.ones((2, 3), np.float32))
        dense.create_dataset("1", data=np.zeros(3, np.float32))
        f.create_dataset("optimizer/vars/0", data=np.ones(2, np.float32))
    with h5py.File(os.path.join(FOLDER, f"link_{name}.h5"), "w") as f:
        f["conv/kernel:0"] = h5py.ExternalLink("/etc/hostname", "/x")
    with h5py.File(os.path.join(FOLDER, f"bomb_{name}.h5"), "w") as f:
        f.create_dataset("conv/kernel:0", shape=(1 << 20, 1 << 20), dtype="f4", chunks=(1 << 10, 1 << 10))
    with h5py.File(os.path.join(FOLDER, f"outside_{name}.h5"), "w") as f:
        f.create_dataset("conv/kernel:0", shape=(4,), dtype="f4", external=[("/etc/hostname", 0, 16)])
    with h5py.File(os.path.join(FOLDER, f"circle_{name}.h5"), "w") as f:
        f["a/b/c"] = f["/"]


{"torch": make_torch, "h5": make_h5}[sys.argv[1]](sys.argv[2])
