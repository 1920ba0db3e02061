"""Flowers as a Caffe user has them: an LMDB of raw photos, one of encoded photos, and lists of files.

usage: solver_peer.py FLOWERS17 FOLDER. Of each of four classes twelve photos train and six test, all
made SIDE x SIDE by OpenCV; python's lmdb writes the stores under keys in the order of the lists, as
convert_imageset does. Ends with 77 where lmdb or OpenCV is absent.

SPDX-License-Identifier: BSD-2-Clause
"""
import os
import sys

try:
    import cv2
    import lmdb
except ImportError as error:
    print("no", error.name)
    sys.exit(77)

SIDE, CLASSES = 48, ("bluebell", "daisy", "sunflower", "windflower")


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def datum(photo, label, encoded):
    """channels 1, height 2, width 3, data 4, label 5, encoded 7"""
    if encoded:
        data = cv2.imencode(".png", photo)[1].tobytes()
    else:
        data = photo.transpose(2, 0, 1).tobytes()
    out = b"\x08\x03\x10" + varint(SIDE) + b"\x18" + varint(SIDE) + b"\x22" + varint(len(data)) + data
    return out + b"\x28" + varint(label) + (b"\x38\x01" if encoded else b"")


def main():
    flowers, out = sys.argv[1:3]
    for part, first, count in (("train", 0, 12), ("test", 12, 6)):
        items = []
        for label, name in enumerate(CLASSES):
            for file in sorted(os.listdir(os.path.join(flowers, name)))[first : first + count]:
                photo = cv2.resize(cv2.imread(os.path.join(flowers, name, file)), (SIDE, SIDE))
                path = "%s_%s.png" % (name, file)
                cv2.imwrite(os.path.join(out, path), photo)
                items.append((path, photo, label))
        with open(os.path.join(out, part + ".txt"), "w") as lines:
            lines.writelines("%s %d\n" % (path, label) for path, _, label in items)
        for form in ("raw", "encoded"):
            store = lmdb.open(os.path.join(out, "%s_%s_lmdb" % (part, form)), map_size=1 << 26)
            with store.begin(write=True) as put:
                for i, (path, photo, label) in enumerate(items):
                    put.put(b"%08d_%s" % (i, path.encode()), datum(photo, label, form == "encoded"))
            store.close()


main()
