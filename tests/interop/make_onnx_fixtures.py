#!/usr/bin/env python3
"""Small networks as other programs write them as ONNX, with what ONNX Runtime answers, for
test_onnx_fixtures.c.

usage: make_onnx_fixtures.py torch113 | script | dynamo | timm | keras | tf2onnx | int8
       make_onnx_fixtures.py record        (of all: needs onnx and onnxruntime)
The committed ones were made with PyTorch 1.13 (torch113) and 2.15 (script, dynamo), timm 1.0.31,
TensorFlow 2.21 with Keras 3.15 (keras) and tf2onnx 1.17, and ONNX Runtime 1.31 (int8, record).
SPDX-License-Identifier: BSD-2-Clause
"""
import glob
import os
import sys

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures", "onnx")
SIDE, CLASSES, BATCH = 24, 5, 2


def path_of(name):
    return os.path.join(FOLDER, name + ".onnx")


# ---- PyTorch ---------------------------------------------------------------------------------


def torch_nets():
    import torch
    from torch import nn

    class Gate(nn.Module):
        """Squeeze and excitation, as MobileNetV3 has it."""

        def __init__(self, channels):
            super().__init__()
            self.pool = nn.AdaptiveAvgPool2d(1)
            self.fc1 = nn.Conv2d(channels, 4, 1)
            self.fc2 = nn.Conv2d(4, channels, 1)
            self.gate = nn.Hardsigmoid()

        def forward(self, x):
            return x * self.gate(self.fc2(torch.relu(self.fc1(self.pool(x)))))

    class Mobile(nn.Module):
        """ReLU6, depthwise, a gate, hard swish, a sum, a row by flatten(1)."""

        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(
                nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6()
            )
            self.deep = nn.Sequential(
                nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False), nn.BatchNorm2d(8), nn.Hardswish()
            )
            self.gate = Gate(8)
            self.last = nn.Sequential(nn.Conv2d(8, 12, 1, bias=False), nn.BatchNorm2d(12), nn.SiLU())
            self.pool = nn.AdaptiveAvgPool2d(1)
            self.fc = nn.Sequential(nn.Dropout(0.2), nn.Linear(12, CLASSES))

        def forward(self, x):
            x = self.stem(x)
            x = x + self.gate(self.deep(x))
            return self.fc(self.pool(self.last(x)).flatten(1))

    class Plain(nn.Module):
        """Branches joined, both pools with ceil, a channel's own slopes, a row by view(n, -1)."""

        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 8, 5, 2)
            self.pool1 = nn.MaxPool2d(3, 2, ceil_mode=True)
            self.wide = nn.Conv2d(8, 6, 3, padding=1, bias=False)
            self.norm = nn.BatchNorm2d(6)
            self.slope = nn.PReLU(6)
            self.thin = nn.Conv2d(8, 4, 1)
            self.pool2 = nn.AvgPool2d(3, 2, 1)
            self.fc = nn.Linear(10 * 9, CLASSES)

        def forward(self, x):
            x = self.pool1(torch.nn.functional.leaky_relu(self.stem(x), 0.1))
            x = torch.cat([self.slope(self.norm(self.wide(x))), torch.sigmoid(self.thin(x))], 1)
            x = self.pool2(x)
            return self.fc(x.view(x.size(0), -1))

    class Shuffle(nn.Module):
        """A unit of ShuffleNet v2: halves, a branch, joined and shuffled."""

        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU())
            self.units = nn.ModuleList(
                nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.ReLU())
                for _ in range(2)
            )
            self.fc = nn.Linear(8, CLASSES)

        def forward(self, x):
            x = self.stem(x)
            for unit in self.units:
                kept, worked = x.chunk(2, dim=1)
                x = torch.cat((kept, unit(worked)), dim=1)
                n, c, h, w = x.size()
                x = x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)
            return self.fc(x.mean([2, 3]))

    torch.manual_seed(1)
    return {"mobile": Mobile(), "plain": Plain(), "shuffle": Shuffle()}


def settle(net):
    """Statistics of what the layers see, so that no value vanishes or explodes."""
    import torch

    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.momentum = None
    net.train()
    with torch.no_grad():
        net(torch.randn(16, 3, SIDE, SIDE))
    return net.eval()


def forget_places(path):
    """Where each node stood in whose file is left out; the other metadata stay."""
    import onnx

    model = onnx.load(path)
    for node in model.graph.node:
        kept = [p for p in node.metadata_props if not p.key.endswith("stack_trace")]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    onnx.save(model, path)


def export_torch(net, name, dynamo):
    import torch

    pixels = torch.randn(BATCH, 3, SIDE, SIDE)
    if dynamo:
        batch = ({0: torch.export.Dim("batch")},)
        torch.onnx.export(
            net, (pixels,), path_of(name), dynamo=True, dynamic_shapes=batch, external_data=False
        )
        forget_places(path_of(name))
        return
    more = {} if torch.__version__.startswith("1.") else {"dynamo": False}
    axes = {"x": {0: "batch"}, "y": {0: "batch"}}
    torch.onnx.export(
        net, pixels, path_of(name), input_names=["x"], output_names=["y"], dynamic_axes=axes, **more
    )


def make_torch(kind):
    for name, net in torch_nets().items():
        export_torch(settle(net), f"{kind}_{name}", kind == "dynamo")


def make_timm(kind):
    import timm.models.efficientnet as e
    import timm.models.mobilenetv3 as m
    import timm.models.resnet as r
    import torch

    torch.manual_seed(1)
    blocks = [["ds_r1_k3_s1_e1_c8_se0.25"], ["ir_r2_k5_s2_e2_c12_se0.25"]]
    swish = [["ds_r1_k3_s2_e1_c8_se0.25_nre"], ["ir_r2_k3_s1_e2_c8"]]
    nets = {
        "efficientnet": e.EfficientNet(
            e.decode_arch_def(blocks), stem_size=8, num_features=16, num_classes=CLASSES,
            act_layer=torch.nn.SiLU,
        ),
        "mobilenetv3": m.MobileNetV3(
            m.decode_arch_def(swish), stem_size=8, num_features=16, num_classes=CLASSES,
            act_layer=torch.nn.Hardswish,
        ),
        "resnet": r.ResNet(
            r.BasicBlock, [1, 1, 1, 1], num_classes=CLASSES, stem_width=4, stem_type="deep",
            channels=(4, 8, 8, 12), avg_down=True,
        ),
    }
    for name, net in nets.items():
        export_torch(settle(net), f"{kind}_{name}", False)


# ---- Keras and TensorFlow --------------------------------------------------------------------


def keras_nets():
    import keras
    import numpy as np
    from keras import layers as l

    keras.utils.set_random_seed(1)

    def mobile():
        x = start = keras.Input((SIDE, SIDE, 3))
        x = l.Rescaling(1 / 127.5, offset=-1)(x)
        x = l.Conv2D(8, 3, 2, "same", use_bias=False)(x)
        x = l.ReLU(6.0)(l.BatchNormalization()(x))
        x = l.ZeroPadding2D(((0, 1), (0, 1)))(x)
        x = l.DepthwiseConv2D(3, 2, "valid", use_bias=False)(x)
        x = y = l.Activation("hard_swish")(l.BatchNormalization()(x))
        gate = l.GlobalAveragePooling2D(keepdims=True)(x)
        gate = l.Conv2D(8, 1, activation="sigmoid")(l.Conv2D(4, 1, activation="relu")(gate))
        x = l.Add()([l.Multiply()([x, gate]), y])
        x = l.Dropout(0.2)(l.GlobalAveragePooling2D()(x))
        return keras.Model(start, l.Dense(CLASSES, activation="softmax")(x))

    def plain():
        x = start = keras.Input((SIDE, SIDE, 3))
        x = l.Conv2D(6, 3, padding="same", activation="relu")(x)
        x = l.MaxPooling2D(3, 2, "same")(x)
        a = l.SeparableConv2D(4, 3, padding="same", activation="swish")(x)
        b = l.AveragePooling2D(3, 1, "same")(x)
        x = l.AveragePooling2D(2, 2)(l.Concatenate()([a, l.LeakyReLU(negative_slope=0.2)(b)]))
        x = l.Dense(8, activation="relu")(l.Flatten()(x))
        return keras.Model(start, l.Dense(CLASSES, activation="softmax")(x))

    for name, net in (("mobile", mobile()), ("plain", plain())):
        for layer in net.layers:
            if isinstance(layer, l.BatchNormalization):
                layer.momentum = 0.0
        net(np.random.default_rng(1).uniform(0, 255, (8, SIDE, SIDE, 3)).astype("f4"), training=True)
        yield name, net


def make_keras(kind):
    for name, net in keras_nets():
        net.export(path_of(f"{kind}_{name}"), format="onnx", verbose=False)


def make_tf2onnx(kind):
    import tensorflow as tf
    import tf2onnx

    for name, net in keras_nets():
        spec = (tf.TensorSpec((None, SIDE, SIDE, 3), tf.float32, name="input"),)
        call = tf.function(lambda x, net=net: net(x, training=False), input_signature=spec)
        path = path_of(f"{kind}_{name}")
        tf2onnx.convert.from_function(call, input_signature=spec, opset=15, output_path=path)


# ---- int8, by ONNX Runtime -------------------------------------------------------------------


def make_int8(kind):
    import onnxruntime.quantization as q

    class Photos(q.CalibrationDataReader):
        def __init__(self, session_input):
            self.left = [{session_input: pixels((BATCH, 3, SIDE, SIDE), 1)}]

        def get_next(self):
            return self.left.pop() if self.left else None

    for word, form in (("bytes", q.QuantType.QUInt8), ("signed", q.QuantType.QInt8)):
        q.quantize_static(
            path_of("script_mobile"), path_of(f"{kind}_{word}"), Photos("x"), q.QuantFormat.QDQ,
            per_channel=True, activation_type=form, weight_type=q.QuantType.QInt8,
        )


# ---- what ONNX Runtime answers ---------------------------------------------------------------


def pixels(shape, scale):
    import numpy as np

    values = np.random.default_rng(7).integers(0, 256, shape)
    return (values if scale > 1 else (values - 128) / 64).astype("f4")


def scores_of(model):
    """The name of the first output, or of what its softmax reads."""
    last = [n for n in model.graph.node if model.graph.output[0].name in n.output][0]
    while last.op_type in ("Softmax", "Identity"):
        last = [n for n in model.graph.node if last.input[0] in n.output][0]
    return last.output[0]


def record(_):
    import onnx
    import onnxruntime
    import numpy as np
    from safetensors.numpy import save_file

    options = onnxruntime.SessionOptions()  # as written: int8 kernels round elsewhere
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    for path in sorted(glob.glob(path_of("*"))):
        model = onnx.load(path)
        scores = scores_of(model)
        if scores != model.graph.output[0].name:
            model.graph.output.append(onnx.helper.make_tensor_value_info(scores, 1, None))
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        shape = [BATCH] + session.get_inputs()[0].shape[1:]
        name = os.path.basename(path)[:-5]
        scaled = name in ("keras_mobile", "tf2onnx_mobile")  # has its own Rescaling
        x = pixels(shape, 255 if scaled else 1)
        y = session.run([scores], {session.get_inputs()[0].name: x})[0]
        planes = x if shape[1] == 3 else x.transpose(0, 3, 1, 2)
        planes = planes / 127.5 - 1 if scaled else planes  # behind what becomes the recipe
        kept = {"input": np.ascontiguousarray(planes.astype("f4" if scaled else "f2")), "output": y}
        save_file(kept, path[:-5] + ".safetensors")
        print(name, os.path.getsize(path), float(abs(y).max()))


MAKERS = {
    "torch113": make_torch,
    "script": make_torch,
    "dynamo": make_torch,
    "timm": make_timm,
    "keras": make_keras,
    "tf2onnx": make_tf2onnx,
    "int8": make_int8,
    "record": record,
}
MAKERS[sys.argv[1]](sys.argv[1])
