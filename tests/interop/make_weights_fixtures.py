#!/usr/bin/env python3
"""Small files of weights as PyTorch, Keras and h5py write them, for test_weights_file.c; and what
timm and Keras call the tensors of their networks, for test_pretrained.c.

usage: make_weights_fixtures.py torch NAME | h5 NAME | keras NAME | names NAME
The committed ones were made with torch 1.13 (one) and 2.15 (two), h5py 3.16, Keras 3.15 and timm 1.0.31.
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
    make_script_checkpoint(name, rows)
    torch.save(rows, os.path.join(FOLDER, f"old_{name}.pth"), _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(1, 1), os.path.join(FOLDER, f"module_{name}.pth"))


def make_script_checkpoint(name, rows):
    """What training scripts put beside the state: a tensor, options, numbers of numpy, a path."""
    import argparse
    import pathlib

    import numpy as np
    import torch

    beside = {
        "best": torch.tensor(3.0),
        "args": argparse.Namespace(lr=0.5, out="runs"),
        "accuracy": np.float64(0.5),
        "history": np.arange(3),
        "counts": collections.Counter("aab"),
        "lists": collections.defaultdict(list, a=[1]),
        "last": collections.deque([1, 2], maxlen=3),
        "folder": pathlib.Path("a/b"),
        "state_dict": {"rows": rows},
    }
    torch.save(beside, os.path.join(FOLDER, f"script_{name}.pth"))


def make_keras(name):
    """One net in the three forms of Keras 3, and in that of 3.0, which had no names of layers."""
    os.environ["KERAS_BACKEND"] = "torch"
    import h5py
    import keras
    import numpy as np

    layers = keras.layers
    net = keras.Sequential([
        layers.Input((8, 8, 2)),
        layers.Conv2D(3, (1, 2), name="first"),
        layers.BatchNormalization(name="norm"),
        layers.DepthwiseConv2D(1, use_bias=False, name="deep"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2, name="last"),
    ])
    count = 0
    for variable in net.variables:
        values = np.arange(count, count + np.prod(variable.shape), dtype=np.float32)
        variable.assign(values.reshape(variable.shape))
        count += values.size
    for form in ("weights.h5", "keras", "h5"):
        file = os.path.join(FOLDER, f"net_{name}.{form}")
        (net.save_weights if form == "weights.h5" else net.save)(file)
    numbered = os.path.join(FOLDER, f"numbered_{name}.weights.h5")
    net.save_weights(numbered)
    with h5py.File(numbered, "r+") as f:
        f.visititems(lambda _, item: item.attrs.pop("name", None) and None)


def make_names(name):
    """NAMING NETWORK, then a line a tensor: its name and shape."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import timm

    lines = []
    for theirs, ours in (("mobilenetv2_100", "mobilenet_v2"), ("mobilenetv1_100", "mobilenet_v1"),
                         ("vgg16", "vgg16"), ("resnet50", "resnet50")):
        lines.append(f"= timm {ours}")
        for key, tensor in timm.create_model(theirs).state_dict().items():
            if not key.endswith("num_batches_tracked"):
                lines.append(f"{key} {'x'.join(map(str, tensor.shape))}")
    for theirs, ours in (("MobileNetV2", "mobilenet_v2"), ("MobileNet", "mobilenet_v1"),
                         ("VGG16", "vgg16"), ("ResNet50", "resnet50")):
        lines.append(f"= keras {ours}")
        for layer in getattr(keras.applications, theirs)(weights=None).layers:
            for variable in layer.weights:
                lines.append(f"{layer.name}/{variable.name} {'x'.join(map(str, variable.shape))}")
    with open(os.path.join(FOLDER, f"names_{name}.txt"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


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
    make_hostile_h5(name)


def make_hostile_h5(name):
    import h5py
    import numpy as np

    with h5py.File(os.path.join(FOLDER, f"virtual_{name}.h5"), "w") as f:
        layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
        layout[:] = h5py.VirtualSource("/etc/hostname", "x", shape=(4,))
        f.create_virtual_dataset("conv/kernel:0", layout)
    with h5py.File(os.path.join(FOLDER, f"soft_{name}.h5"), "w") as f:
        f.create_dataset("conv/bias:0", data=np.zeros(2, np.float32))
        f["conv/kernel:0"] = h5py.SoftLink("/conv/bias:0")
    with h5py.File(os.path.join(FOLDER, f"overflow_{name}.h5"), "w") as f:
        f.create_dataset("conv/kernel:0", shape=(1 << 31, 1 << 31, 4), dtype="f4", chunks=(1, 1, 4))
    with h5py.File(os.path.join(FOLDER, f"pieces_{name}.h5"), "w") as f:  # 2 numbers in pieces of 1 GB
        f.create_dataset("conv/kernel:0", shape=(2,), maxshape=(None,), dtype="f4", chunks=(1 << 28,))
    with h5py.File(os.path.join(FOLDER, f"many_{name}.h5"), "w") as f:  # one layer under many names
        f.create_dataset("layer/kernel:0", data=np.zeros(1024, np.float32))
        for i in range(8):
            f[f"layer{i}"] = f["layer"]


{"torch": make_torch, "h5": make_h5, "keras": make_keras, "names": make_names}[sys.argv[1]](sys.argv[2])
