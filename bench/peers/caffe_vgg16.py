"""A Caffe net with weights, for measuring its import: VGG-16, 553 MB, or a long text.

usage: caffe_vgg16.py vgg16 NET WEIGHTS     NET.prototxt and WEIGHTS.caffemodel, random from a fixed seed
       caffe_vgg16.py text NET LINES        a net of so many lines, without weights

SPDX-License-Identifier: BSD-2-Clause
"""
import sys

import numpy as np

STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
INPUT = 'name: "VGG16"\ninput: "data"\ninput_dim: 1\ninput_dim: 3\ninput_dim: 224\ninput_dim: 224\n'
LAYER = 'layer {\n  bottom: "%s"\n  top: "%s"\n  name: "%s"\n  type: "%s"\n%s}\n'
CONV = "  convolution_param {\n    num_output: %d\n    pad: 1\n    kernel_size: 3\n  }\n"
POOL = "  pooling_param {\n    pool: MAX\n    kernel_size: 2\n    stride: 2\n  }\n"
DENSE = "  inner_product_param {\n    num_output: %d\n  }\n"


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def head(number, size):
    return varint(number << 3 | 2) + varint(size)


def put(number, payload):
    return head(number, len(payload)) + payload


def write_layer(out, name, *blobs):
    """name 1, blobs 7 (shape 7, data 5), of layer 100"""
    heads = []
    for values in blobs:
        inner = put(7, put(1, b"".join(varint(n) for n in values.shape))) + head(5, values.nbytes)
        heads.append(head(7, len(inner) + values.nbytes) + inner)
    first = put(1, name.encode())
    size = len(first) + sum(len(h) + b.nbytes for h, b in zip(heads, blobs))
    out.write(head(100, size) + first)
    for begin, values in zip(heads, blobs):
        out.write(begin)
        out.write(values)


def vgg16(net_path, weights_path):
    rng = np.random.default_rng(1)

    def weights(*shape):
        scale = np.float32((2 / np.prod(shape[1:])) ** 0.5)
        return rng.standard_normal(shape, np.float32) * scale, np.zeros(shape[0], np.float32)

    text, last, channels = INPUT, "data", 3
    with open(weights_path, "wb") as out:
        for stage, widths in enumerate(STAGES, 1):
            for i, width in enumerate(widths, 1):
                name = "conv%d_%d" % (stage, i)
                text += LAYER % (last, name, name, "Convolution", CONV % width)
                text += LAYER % (name, name, "relu%d_%d" % (stage, i), "ReLU", "")
                write_layer(out, name, *weights(width, channels, 3, 3))
                last, channels = name, width
            text += LAYER % (last, "pool%d" % stage, "pool%d" % stage, "Pooling", POOL)
            last = "pool%d" % stage
        for name, width, inputs in (("fc6", 4096, 25088), ("fc7", 4096, 4096), ("fc8", 1000, 4096)):
            text += LAYER % (last, name, name, "InnerProduct", DENSE % width)
            if name != "fc8":
                text += LAYER % (name, name, "relu_" + name, "ReLU", "")
            write_layer(out, name, *weights(width, inputs))
            last = name
    with open(net_path, "w") as out:
        out.write(text + LAYER % ("fc8", "prob", "prob", "Softmax", ""))


def long_text(net_path, lines):
    text, last, i = INPUT, "data", 0
    end = LAYER % ("%s", "all", "all", "Pooling", "  pooling_param {\n    pool: AVE\n    global_pooling: true\n  }\n")
    while text.count("\n") < lines - end.count("\n"):
        i += 1
        text += LAYER % (last, "conv%d" % i, "conv%d" % i, "Convolution", CONV % 64)
        text += LAYER % ("conv%d" % i, "conv%d" % i, "relu%d" % i, "ReLU", "")
        last = "conv%d" % i
    with open(net_path, "w") as out:
        out.write(text + end % last)


if sys.argv[1] == "vgg16":
    vgg16(sys.argv[2], sys.argv[3])
else:
    long_text(sys.argv[2], int(sys.argv[3]))
