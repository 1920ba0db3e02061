"""Small Caffe nets of every kind of layer, run by OpenCV's reader of Caffe models and by ours.

usage: caffe_peer.py OCELLUS FOLDER. Each net is written as .prototxt and .caffemodel (by the few
lines of protobuf's wire format below, packed or not, in old shapes or new), imported, and asked
about one photo of the network's own size; the probabilities must agree within 1e-4 and their
logarithms within 1e-3. Ends with 77 where OpenCV 4 is absent.

SPDX-License-Identifier: BSD-2-Clause
"""
import json
import os
import struct
import subprocess
import sys

try:
    import cv2
    import numpy as np

    cv2.dnn.readNetFromCaffe
except (ImportError, AttributeError):
    print("no OpenCV 4 with its dnn module")
    sys.exit(77)

SIDE = 23
MEAN = (104.0, 117.0, 123.0)
CLASSES = 6


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def put(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def blob(values, form):
    flat = values.astype("<f4").ravel()
    if form == "old":
        shape = (1,) * (4 - values.ndim) + values.shape
        out = b"".join(varint(i + 1 << 3) + varint(n) for i, n in enumerate(shape))
    else:
        out = put(7, put(1, b"".join(varint(n) for n in values.shape)))
    if form == "double":
        return out + put(8, flat.astype("<f8").tobytes())
    if form == "loose":
        return out + b"".join(b"\x2d" + struct.pack("<f", v) for v in flat)
    return out + put(5, flat.tobytes())


class Net:
    """A chain of layers; `x` is the blob at its end."""

    def __init__(self, v1=False, form="new"):
        self.rng = np.random.default_rng(7)
        self.text, self.data, self.v1, self.form = "", b"", v1, form
        self.x, self.channels = "data", 3
        self.text = 'input: "data" input_dim: 1 input_dim: 3 input_dim: %d input_dim: %d\n' % (SIDE, SIDE)

    def layer(self, kind, name, params="", bottoms=None, top=None, blobs=(), v1_type=None):
        bottoms = bottoms or [self.x]
        top = top or name
        word = (v1_type or kind.upper()) if self.v1 else '"%s"' % kind
        lines = ['name: "%s" type: %s' % (name, word)]
        lines += ['bottom: "%s"' % b for b in bottoms] + ['top: "%s"' % top, params]
        self.text += "%s {\n  %s\n}\n" % ("layers" if self.v1 else "layer", "\n  ".join(lines))
        if blobs:
            number, body = (6, 4) if self.v1 else (7, 1)
            message = put(body, name.encode())
            message += b"".join(put(number, blob(b, self.form)) for b in blobs)
            self.data += put(2 if self.v1 else 100, message)
        self.x = top
        return self

    def weights(self, *shape):
        fan = int(np.prod(shape[1:])) if len(shape) > 1 else 4
        return self.rng.normal(0, 1.4 / fan**0.5, shape).astype(np.float32)

    def conv(self, name, out, kernel=(3, 3), group=1, extra="", bias=True, bottom=None):
        blobs = [self.weights(out, self.channels // group, *kernel)]
        if bias:
            blobs.append(self.weights(out))
        text = "convolution_param { num_output: %d kernel_h: %d kernel_w: %d group: %d bias_term: %s %s }"
        text %= out, kernel[0], kernel[1], group, str(bias).lower(), extra
        self.layer("Convolution", name, text, [bottom] if bottom else None, blobs=blobs)
        self.channels = out
        return self

    def dense(self, name, out, inputs):
        blobs = [self.weights(out, inputs), self.weights(out)]
        text = "inner_product_param { num_output: %d }" % out
        return self.layer("InnerProduct", name, text, blobs=blobs, v1_type="INNER_PRODUCT")

    def end(self, side=None):
        """Logits of what is there: side x side a channel, or its mean where side is None."""
        if side is None:
            self.layer("Pooling", "all", "pooling_param { pool: AVE global_pooling: true }")
        values = self.channels * (side * side if side else 1)
        self.dense("fc", CLASSES, values)
        return self.layer("Softmax", "prob")


def first(**options):
    """Three channels of 0..255 become eight of about 1."""
    net = Net(**options)
    net.layer("Power", "scaled", "power_param { scale: 0.01 shift: 0.1 }")
    return net.conv("conv1", 8, extra="stride: 2 pad: 1")  # 12 x 12


def pool(kind, rest, side):
    net = first().layer("Pooling", "pool", "pooling_param { pool: %s %s }" % (kind, rest))
    return net.end(side)


def split_and(kind, params, third=False):
    net = first()
    net.layer("ReLU", "relu1", top="conv1")
    for name in ("a", "b") + (("c",) if third else ()):
        net.channels = 8
        net.conv(name, 8, (1, 1), bottom="conv1")
    net.layer(kind, "joined", params, ["a", "b"] + (["c"] if third else []))
    if kind == "Concat":
        net.channels = 24 if third else 16
    return net.end(12)


def norm(scale, bias=True, in_place=True):
    net = first()
    top = "conv1" if in_place else None
    blobs = [net.weights(8), abs(net.weights(8)) + 1, np.array([2.5], np.float32)]
    net.layer("BatchNorm", "bn", "batch_norm_param { eps: 1e-4 use_global_stats: true }", top=top, blobs=blobs)
    if scale:
        blobs = [net.weights(8) + 1] + ([net.weights(8)] if bias else [])
        text = "scale_param { bias_term: %s }" % str(bias).lower()
        net.layer("Scale", "scale", text, top=top, blobs=blobs)
    return net.layer("ReLU", "relu", top=net.x).end(12)


def prelu(shared):
    net = first()
    slopes = np.array([0.3], np.float32) if shared else abs(net.weights(8))
    return net.layer("PReLU", "p", "prelu_param { channel_shared: %s }" % str(shared).lower(), blobs=[slopes]).end(12)


def reshaped():
    net = first()
    net.layer("Split", "split")
    net.layer("Reshape", "flat", "reshape_param { shape { dim: 0 dim: -1 } }")
    return net.end(12)


def twice_dense():
    net = first()
    net.dense("ip1", 12, 8 * 144).layer("TanH", "tanh")
    net.layer("Dropout", "drop", "dropout_param { dropout_ratio: 0.4 }", top="tanh")
    net.dense("fc", CLASSES, 12)
    return net.layer("Softmax", "prob")


def depthwise():
    net = first()
    net.conv("dw", 8, (3, 3), group=8, extra="pad: 1", bias=False)
    return net.conv("pw", 10, (1, 1)).end(12)


def plain(form="new", v1=False):
    net = first(form=form, v1=v1)
    net.layer("ReLU", "relu1", top="conv1")
    net.layer("Pooling", "pool1", "pooling_param { pool: MAX kernel_size: 3 stride: 2 }")
    net.layer("LRN", "norm1", "lrn_param { local_size: 5 alpha: 0.3 beta: 0.75 }")
    return net.end(6)


NETS = {
    "plain": plain,
    "old_shapes": lambda: plain(form="old"),
    "v1_layers": lambda: plain(form="old", v1=True),
    "numbers_one_by_one": lambda: plain(form="loose"),
    "max_ceil": lambda: pool("MAX", "kernel_size: 3 stride: 2", 6),
    "max_padded": lambda: pool("MAX", "kernel_size: 3 stride: 2 pad: 1", 7),
    "max_oblong": lambda: pool("MAX", "kernel_h: 2 kernel_w: 2 stride_h: 3 stride_w: 3 pad_h: 1 pad_w: 1", 5),
    "ave_ceil": lambda: pool("AVE", "kernel_size: 3 stride: 2", 6),
    "ave_padded": lambda: pool("AVE", "kernel_size: 3 stride: 2 pad: 1", 7),
    "ave_wide": lambda: pool("AVE", "kernel_size: 5 stride: 3 pad: 2", 5),
    "max_global": lambda: first().layer("Pooling", "g", "pooling_param { pool: MAX global_pooling: true }").end(1),
    "ave_global": lambda: first().end(),
    "lrn_within": lambda: first()
    .layer("LRN", "n", "lrn_param { local_size: 3 alpha: 2 beta: 0.75 norm_region: WITHIN_CHANNEL }")
    .end(12),
    "leaky": lambda: first().layer("ReLU", "r", "relu_param { negative_slope: 0.2 }", top="conv1").end(12),
    "prelu": lambda: prelu(False),
    "prelu_shared": lambda: prelu(True),
    "sigmoid": lambda: first().layer("Sigmoid", "s").end(12),
    "tanh_dense_dropout": twice_dense,
    "concat": lambda: split_and("Concat", "concat_param { axis: 1 }", True),
    "sum": lambda: split_and("Eltwise", "", True),
    "sum_weighed": lambda: split_and("Eltwise", "eltwise_param { coeff: 0.5 coeff: -1.5 }"),
    "product": lambda: split_and("Eltwise", "eltwise_param { operation: PROD }"),
    "maximum": lambda: split_and("Eltwise", "eltwise_param { operation: MAX }", True),
    "norm_scale": lambda: norm(True),
    "norm_scale_apart": lambda: norm(True, in_place=False),
    "norm_scale_no_bias": lambda: norm(True, bias=False),
    "norm_alone": lambda: norm(False),
    "scale_alone": lambda: (lambda n: n.layer("Scale", "sc", "scale_param { bias_term: true }",
                                              blobs=[n.weights(8), n.weights(8)]))(first()).end(12),
    "dilated_oblong": lambda: first().conv("c2", 6, (3, 2), extra="dilation: 2 pad_h: 2 pad_w: 1").end(),
    "groups": lambda: first().conv("c2", 6, (3, 3), group=2, extra="pad: 1").end(12),
    "depthwise": depthwise,
    "reshaped": reshaped,
    "flattened": lambda: first().layer("Flatten", "f").end(12),
    "power": lambda: first().layer("Sigmoid", "s").layer(
        "Power", "p", "power_param { power: 1.5 scale: 2 shift: 0.5 }").end(12),
}


def ours(binary, folder, photo):
    model = os.path.join(folder, "model")
    command = [binary, "import", "caffe", "--net", folder + "/net.prototxt", "--weights", folder + "/net.caffemodel"]
    command += ["--mean", "%g,%g,%g" % MEAN, "--fit", "squash", "-o", model]
    subprocess.run(command, check=True, capture_output=True)
    command = [binary, "predict", model, photo, "--json", "--top", str(CLASSES)]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    scores = {int(t["label"]): t["p"] for t in json.loads(out)["top"]}
    return np.array([scores[i] for i in range(CLASSES)])


def theirs(folder, photo):
    net = cv2.dnn.readNetFromCaffe(folder + "/net.prototxt", folder + "/net.caffemodel")
    pixels = cv2.imread(photo).astype(np.float32) - np.array(MEAN, np.float32)
    net.setInput(pixels.transpose(2, 0, 1)[None])
    return net.forward().ravel()


def main():
    binary, work = sys.argv[1:3]
    photo = os.path.join(work, "photo.png")
    noise = np.random.default_rng(3).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    cv2.imwrite(photo, noise)
    failed = 0
    for name, make in NETS.items():
        folder = os.path.join(work, name)
        os.mkdir(folder)
        net = make()
        with open(folder + "/net.prototxt", "w") as out:
            out.write(net.text)
        with open(folder + "/net.caffemodel", "wb") as out:
            out.write(net.data)
        try:
            a, b = ours(binary, folder, photo), theirs(folder, photo)
        except subprocess.CalledProcessError as error:
            print("FAILED %s: %s" % (name, error.stderr))
            failed += 1
            continue
        apart, ratio = abs(a - b).max(), abs(np.log(a) - np.log(b)).max()
        good = apart < 1e-4 and ratio < 1e-3
        failed += not good
        print("%-7s %-20s p %.1e log p %.1e (%.3f..%.3f)" % ("ok" if good else "FAILED", name, apart, ratio, a.min(), a.max()))
    sys.exit(failed > 0)


main()
