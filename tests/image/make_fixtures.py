#!/usr/bin/env python3
"""Makes fixtures/resize.bin and fixtures/decode.bin: what Pillow makes of the same input. Also the
seeds of fuzz_image and fuzz_exif.

Run once, by hand, with Pillow (Debian: python3-pil); its version is stored in the files. The tests
read the files and need no Python.

Both files: "OCFX", version text (16 bytes), count (u32), entries. All integers little-endian.
resize entry: u32 source width, height, channels; f32 box[4] (left, upper, right, lower);
              u32 width, height, filter (0 nearest, 1 bilinear, 2 bicubic); pixels.
decode entry: name (24 bytes); u32 file size, width, height, channels; file; pixels.
The sources of resize are not stored: see pattern(), which the test computes too.

SPDX-License-Identifier: BSD-2-Clause
"""
import io
import pathlib
import struct
import zlib

import PIL
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent / "fixtures"
SEEDS = pathlib.Path(__file__).parent.parent.parent / "fuzz" / "seeds"
SEEDED = ("jpeg-422-optimised jpeg-progressive jpeg-grey jpeg-cmyk jpeg-exif-6 png-rgba png-palette-trns "
          "png-adam7 png-sixteen png-exif-6 webp-lossy webp-alpha webp-exif-8").split()
FILTERS = [Image.NEAREST, Image.BILINEAR, Image.BICUBIC]


def pattern(width, height, channels):
    """Gradients, edges and a fine checker: every path of a resampler shows on it."""
    out = bytearray()
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                edge = 90 if (x // 5 + y // 7) % 2 else 0
                out.append((x * 7 + y * 13 + c * 29 + x * y // 3 + edge) % 256)
    mode = {1: "L", 3: "RGB", 4: "CMYK"}[channels]  # Pillow premultiplies RGBA, CMYK is plain
    return Image.frombytes(mode, (width, height), bytes(out))


RESIZES = [
    # source, box (None: the whole), size
    ((64, 48, 3), None, (23, 17)),
    ((64, 48, 3), None, (79, 61)),
    ((64, 48, 3), None, (64, 20)),
    ((64, 48, 3), None, (20, 48)),
    ((64, 48, 3), None, (1, 1)),
    ((64, 48, 3), (3.25, 1.5, 50.75, 40.125), (31, 29)),
    ((64, 48, 3), (10, 20, 42, 44), (32, 24)),
    ((64, 48, 3), (10, 20, 14, 23), (40, 30)),
    ((64, 48, 1), None, (23, 71)),
    ((64, 48, 1), (0.5, 0.5, 63.5, 47.5), (40, 11)),
    ((40, 30, 4), None, (17, 19)),
    ((7, 5, 3), None, (33, 31)),
    ((3, 2, 3), None, (9, 8)),
    ((1, 1, 3), None, (5, 4)),
    ((401, 3, 3), None, (7, 3)),
    ((3, 401, 3), None, (3, 7)),
    ((200, 150, 3), None, (40, 30)),
]


def header(count):
    return b"OCFX" + ("Pillow " + PIL.__version__).encode().ljust(16, b"\0") + struct.pack("<I", count)


def resize_entry(source, box, size, index):
    image = pattern(*source)
    box = box or (0, 0, source[0], source[1])
    made = image.resize(size, FILTERS[index], box=box)
    return struct.pack("<3I4f3I", *source, *box, *size, index) + made.tobytes()


def chunk(kind, body):
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def adam7(image):
    """An interlaced PNG, which Pillow reads but does not write."""
    width, height = image.size
    rows = bytearray()
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                           (1, 0, 2, 2), (0, 1, 1, 2)):
        for y in range(y0, height, dy):
            if x0 >= width:
                continue
            rows += b"\0" + b"".join(bytes(image.getpixel((x, y))) for x in range(x0, width, dx))
    head = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 1)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows)))
            + chunk(b"IEND", b""))


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def oriented(image, kind, orientation, **options):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image, kind, exif=exif, **options)


def decode_files():
    photo = pattern(31, 19, 3)
    alpha = photo.copy()
    alpha.putalpha(pattern(31, 19, 1))
    palette = photo.quantize(16)
    sixteen = Image.frombytes("I;16", (9, 5), bytes(range(90)))
    yield "jpeg-420", saved(photo, "JPEG", quality=85)
    yield "jpeg-444", saved(photo, "JPEG", quality=90, subsampling=0)
    yield "jpeg-422-optimised", saved(photo, "JPEG", subsampling=1, optimize=True)
    yield "jpeg-progressive", saved(photo, "JPEG", progressive=True)
    yield "jpeg-grey", saved(photo.convert("L"), "JPEG")
    yield "jpeg-cmyk", saved(photo.convert("CMYK"), "JPEG", quality=95)
    for i in range(1, 9):
        yield f"jpeg-exif-{i}", oriented(photo, "JPEG", i)
    yield "png-rgb", saved(photo, "PNG")
    yield "png-rgba", saved(alpha, "PNG")
    yield "png-grey", saved(photo.convert("L"), "PNG")
    yield "png-grey-alpha", saved(alpha.convert("LA"), "PNG")
    yield "png-bilevel", saved(photo.convert("1"), "PNG")
    yield "png-palette", saved(palette, "PNG")
    yield "png-palette-trns", saved(palette, "PNG", transparency=3)
    yield "png-adam7", adam7(photo)
    yield "png-sixteen", saved(sixteen, "PNG")
    yield "png-exif-6", oriented(photo, "PNG", 6)
    yield "webp-lossy", saved(photo, "WEBP", quality=80)
    yield "webp-lossless", saved(photo, "WEBP", lossless=True)
    yield "webp-alpha", saved(alpha, "WEBP", lossless=True, exact=True)
    yield "webp-exif-8", oriented(photo, "WEBP", 8, lossless=True)


def on_white(data):
    """Upright RGB over white; 16-bit grey keeps its high byte."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    if image.mode.startswith("I"):
        image = Image.frombytes("L", image.size, bytes(v >> 8 for v in image.getdata()))
    if image.mode == "CMYK":
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")


def decode_entry(name, data):
    image = on_white(data)
    return (struct.pack("<24s4I", name.encode(), len(data), *image.size, 3) + data +
            image.tobytes())


def write_seeds():
    """fuzz_image reads one byte of options in front of the file."""
    for kind in ("fuzz_image", "fuzz_exif"):
        (SEEDS / kind).mkdir(parents=True, exist_ok=True)
    for i, (name, data) in enumerate((n, d) for n, d in decode_files() if n in SEEDED):
        (SEEDS / "fuzz_image" / name).write_bytes(bytes([i % 8]) + data)
    for order in "<>":
        block = struct.pack(order + "2sHIHHHIHH", b"II" if order == "<" else b"MM", 42, 8, 1, 0x0112,
                            3, 1, 6, 0)
        name = "little" if order == "<" else "big"
        (SEEDS / "fuzz_exif" / name).write_bytes(block)
        (SEEDS / "fuzz_exif" / (name + "-jpeg")).write_bytes(b"Exif\0\0" + block)


def main():
    HERE.mkdir(exist_ok=True)
    resizes = [resize_entry(*r, i) for r in RESIZES for i in range(3)]
    decodes = [decode_entry(*d) for d in decode_files()]
    for name, entries in (("resize.bin", resizes), ("decode.bin", decodes)):
        (HERE / name).write_bytes(header(len(entries)) + b"".join(entries))
    write_seeds()


if __name__ == "__main__":
    main()
