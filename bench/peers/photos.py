"""A table `path,label,split` as a torchvision data set, with the transforms of fine-tuning.

SPDX-License-Identifier: BSD-2-Clause
"""
import csv
import os

from torchvision import transforms
from torchvision.datasets.folder import default_loader

NORMALIZE = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def train_transform(size=224):
    return transforms.Compose([
        transforms.RandomResizedCrop(size, scale=(0.35, 1)),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        NORMALIZE,
    ])


def eval_transform(size=224):
    return transforms.Compose([
        transforms.Resize(size * 256 // 224),
        transforms.CenterCrop(size),
        transforms.ToTensor(),
        NORMALIZE,
    ])


class Photos:
    """The rows of one part. Paths are relative to the table."""

    def __init__(self, table, part, transform):
        folder = os.path.dirname(os.path.abspath(table))
        with open(table, newline="") as stream:
            rows = list(csv.DictReader(stream))
        self.classes = sorted({row["label"] for row in rows})
        number = {label: i for i, label in enumerate(self.classes)}
        self.items = [(os.path.join(folder, row["path"]), number[row["label"]])
                      for row in rows if row["split"] == part]
        self.transform = transform

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        path, label = self.items[i]
        return self.transform(default_loader(path)), label
