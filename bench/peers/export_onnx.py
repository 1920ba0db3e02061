"""Write a network of torchvision as an ONNX file for a fixed batch.

usage: export_onnx.py NET BATCH FILE.onnx [SIZE]

SPDX-License-Identifier: BSD-2-Clause
"""
import inspect
import sys

import torch

from common import make_net


def main(name, batch, path, size=224):
    torch.manual_seed(1)
    net = make_net(name).eval()
    # newer versions have a second exporter, which wants more packages and folds no batch norm
    way = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(net, (torch.randn(batch, 3, size, size),), path, opset_version=16,
                      input_names=["pixels"], output_names=["logits"], **way)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], *map(int, sys.argv[4:]))
