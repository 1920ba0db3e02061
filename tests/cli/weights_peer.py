#!/usr/bin/env python3
"""Do imported weights answer as the program does that they come from?

usage: weights_peer.py OCELLUS FOLDER keras|timm     exits 77 where that is not installed
Fresh weights of a network, with statistics of norms that are no ones and zeros, go through a file; a
picture of the network's own size goes through both programs.
SPDX-License-Identifier: BSD-2-Clause
"""
import json
import os
import subprocess
import sys

os.environ["KERAS_BACKEND"] = "torch"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
OCELLUS, FOLDER, PEER = sys.argv[1:4]
MOST = 1e-3  # of a logarithm of a probability; both compute in 32 bits

try:
    import numpy
    from PIL import Image
    import torch
    if PEER == "keras":
        import keras
    else:
        import safetensors.torch
        import timm
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

RNG = numpy.random.default_rng(7)
PHOTO = os.path.join(FOLDER, "photo.png")
PIXELS = RNG.integers(0, 256, (7, 7, 3), dtype=numpy.uint8).repeat(32, 0).repeat(32, 1)
Image.fromarray(PIXELS).save(PHOTO)


def ours(file, *options):
    """Probabilities in the order of the network's outputs."""
    model = os.path.join(FOLDER, "model")
    subprocess.run([OCELLUS, "import", "weights", file, "-o", model, "--resize", "224", *options],
                   check=True)
    out = subprocess.run([OCELLUS, "predict", model, PHOTO, "--top", "1000", "--json"], check=True,
                         capture_output=True, text=True).stdout
    found = numpy.zeros(1000)
    for entry in json.loads(out)["top"]:
        found[int(entry["label"])] = entry["p"]
    return found


def judge(name, known, found):
    worst = numpy.abs(numpy.log(known + 1e-9) - numpy.log(found + 1e-9)).max()
    print(f"{name}: largest difference {worst:.2g}, allowed {MOST}")
    if not worst <= MOST or known.max() > 0.999:
        sys.exit(1)


def old_resnet50():
    """ResNet-50 as Keras had it until version 2.2, under Caffe's names."""
    layers = keras.layers

    def conv_norm(x, name, size, **options):
        x = layers.Conv2D(size[0], size[1], name="res" + name, **options)(x)
        return layers.BatchNormalization(name="bn" + name)(x)

    image = layers.Input((224, 224, 3))
    x = layers.ZeroPadding2D(3)(image)
    x = layers.Conv2D(64, 7, strides=2, name="conv1")(x)
    x = layers.Activation("relu")(layers.BatchNormalization(name="bn_conv1")(x))
    x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
    for stage, (width, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], 2):
        for block in "abcdef"[:blocks]:
            name, first = f"{stage}{block}_branch", block == "a"
            stride = 2 if first and stage > 2 else 1
            y = layers.Activation("relu")(conv_norm(x, name + "2a", (width, 1), strides=stride))
            y = layers.Activation("relu")(conv_norm(y, name + "2b", (width, 3), padding="same"))
            y = conv_norm(y, name + "2c", (4 * width, 1))
            if first:
                x = conv_norm(x, name + "1", (4 * width, 1), strides=stride)
            x = layers.Activation("relu")(layers.add([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(1000, activation="softmax", name="fc1000")(x))


def keras_net(name, form, **options):
    keras.utils.set_random_seed(1)
    net = old_resnet50() if name == "old" else getattr(keras.applications, name)(weights=None, **options)
    for layer in net.layers:
        weights = layer.get_weights()
        if len(weights) == 4:
            shape = weights[0].shape
            layer.set_weights([RNG.uniform(0.5, 1.1, shape), RNG.normal(0, 0.2, shape),
                               RNG.normal(0, 0.2, shape), RNG.uniform(0.8, 1.5, shape)])
        elif len(weights) == 2:
            layer.set_weights([weights[0], RNG.normal(0, 0.05, weights[1].shape)])
    file = os.path.join(FOLDER, f"{name}.{form}")
    (net.save_weights if form == "weights.h5" else net.save)(file)
    pixels = PIXELS.astype(numpy.float32)
    if name.startswith("Mobile"):
        pixels = pixels / 127.5 - 1
    else:
        pixels = pixels[:, :, ::-1] - numpy.array([103.939, 116.779, 123.68], numpy.float32)
    judge(file, numpy.asarray(net.predict(pixels[None], verbose=0))[0], ours(file))


def timm_net(name):
    torch.manual_seed(1)
    net = timm.create_model(name, pretrained=False).eval()
    for key, values in net.named_buffers():
        if key.endswith("running_mean"):
            values.normal_(0, 0.2)
        if key.endswith("running_var"):
            values.uniform_(0.5, 1.5)
    file = os.path.join(FOLDER, f"{name}.safetensors")
    state = {key: value.contiguous() for key, value in net.state_dict().items()}
    safetensors.torch.save_file(state, file)
    mean = numpy.array([0.485, 0.456, 0.406], numpy.float32)
    std = numpy.array([0.229, 0.224, 0.225], numpy.float32)
    pixels = ((PIXELS.astype(numpy.float32) / 255 - mean) / std).transpose(2, 0, 1)
    with torch.no_grad():
        known = net(torch.from_numpy(pixels[None].copy())).softmax(1)[0].numpy()
    judge(file, known, ours(file))
    back = os.path.join(FOLDER, "back.safetensors")
    subprocess.run([OCELLUS, "export", "weights", os.path.join(FOLDER, "model"), "-o", back,
                    "--names", "timm"], check=True)
    given = safetensors.torch.load_file(back)
    net.load_state_dict(given, strict=False)
    lacks = [key for key in state if key not in given and "num_batches" not in key]
    if lacks or any(not torch.equal(given[key], state[key]) for key in given):
        sys.exit(f"{name}: not the same on the way back: {lacks}")


if PEER == "keras":
    keras_net("MobileNet", "h5", alpha=0.25)
    keras_net("MobileNetV2", "weights.h5", alpha=0.35)
    keras_net("MobileNetV2", "keras", alpha=0.35)
    keras_net("ResNet50", "weights.h5")
    keras_net("old", "h5")
else:
    timm_net("mobilenetv2_035")
    timm_net("mobilenetv1_100")
    timm_net("resnet18")
