"""Writes datasets/checks/shipped_photographs.cc: small photographs of four kinds and the SHA-256 of what Pillow makes of them.

    dump_shipped.py >datasets/checks/shipped_photographs.cc        with the Pillow and NumPy of tests/parity/requirements.txt

Fingerprints are of imagenet-eval's tensor (docs/data.md), computed here without a line of auxbench.
"""

import hashlib
import io

import numpy
from PIL import Image

MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32)
STD = numpy.array([0.229, 0.224, 0.225], numpy.float32)


def picture(width, height):
    """Slow and fast waves, and an edge: something for the upsampling and something for the resize."""
    y, x = numpy.mgrid[0:height, 0:width]
    planes = [128 + 90 * numpy.sin(x / (2 + 3 * c) + y / 7) + 60 * ((x > y) ^ (c == 1)) - 30 for c in range(3)]
    return Image.fromarray(numpy.clip(numpy.stack(planes, -1), 0, 255).astype(numpy.uint8))


def encoded(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def fingerprint(data):
    image = Image.open(io.BytesIO(data)).convert("RGB")
    longer = int(256 * max(image.size) / min(image.size))
    image = image.resize((256, longer) if image.width <= image.height else (longer, 256), Image.BILINEAR)
    left, top = round((image.width - 224) / 2), round((image.height - 224) / 2)
    pixels = numpy.asarray(image.crop((left, top, left + 224, top + 224)), numpy.float32) / numpy.float32(255)
    tensor = numpy.ascontiguousarray(((pixels - MEAN) / STD).transpose(2, 0, 1))
    return hashlib.sha256(tensor.astype("<f4").tobytes()).hexdigest()


PHOTOGRAPHS = {
    "JPEG, 4:2:0": encoded(picture(66, 49), "JPEG", quality=85, subsampling=2),
    "progressive grey JPEG": encoded(picture(40, 61).convert("L"), "JPEG", quality=80, progressive=True),
    "CMYK JPEG": encoded(picture(35, 27).convert("CMYK"), "JPEG", quality=75),
    "palette PNG": encoded(picture(30, 44).quantize(16), "PNG", optimize=True),
}

print("""// Made by scripts/dump_shipped.py; fingerprints are Pillow's.
#include "datasets/checks/shipped_photographs.h"

namespace auxbench {
namespace {
""")
for number, data in enumerate(PHOTOGRAPHS.values()):
    rows = [data[i:i + 56].hex() for i in range(0, len(data), 56)]
    print(f"constexpr std::string_view kPhotograph{number} =")
    print("\n".join(f'    "{row}"' for row in rows) + ";\n")
print("constexpr ShippedPhotograph kPhotographs[] = {")
for number, (name, data) in enumerate(PHOTOGRAPHS.items()):
    print(f'    {{.name = "{name}", .hex = kPhotograph{number}, .fingerprint = "{fingerprint(data)}"}},')
print("""};

}  // namespace

std::span<const ShippedPhotograph> shipped_photographs() { return kPhotographs; }

}  // namespace auxbench""")
