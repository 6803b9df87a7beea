"""auxbench probe transform against Pillow, bit for bit, on generated photographs of all kinds and on the stored ones.

    transforms.py PROGRAM [IMAGES]      50 unless told

The stored ones are tests/datasets/photographs; their list of what Pillow makes of them, pillow.txt, is held against
Pillow, too.

scripts/test names an interpreter that has Pillow; without one the exit code is 77.
"""

import hashlib
import io
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

import reference

reference.need("numpy", "PIL")

import numpy
from PIL import Image

MEAN = numpy.array([0.485, 0.456, 0.406], numpy.float32)[:, None, None]
STD = numpy.array([0.229, 0.224, 0.225], numpy.float32)[:, None, None]


def centre_crop(image, size=224):
    left, top = round((image.width - size) / 2), round((image.height - size) / 2)
    return image.crop((left, top, left + size, top + size))


def imagenet_eval(image):
    short, long = sorted(image.size)
    longer = int(256 * long / short)
    size = (256, longer) if image.width <= image.height else (longer, 256)
    return centre_crop(image.resize(size, Image.BILINEAR))


def coco_eval(image):
    w, h = image.size
    scale = 800.0 / min(h, w)
    h, w = (800, scale * w) if h < w else (scale * h, 800)
    if max(h, w) > 1333:
        scale = 1333 * 1.0 / max(h, w)
        h, w = h * scale, w * scale
    return image.resize((int(w + 0.5), int(h + 0.5)), Image.BILINEAR)


STORED = pathlib.Path(__file__).resolve().parent.parent / "datasets" / "photographs"
TRANSFORMS = {"imagenet-eval": imagenet_eval,
              "imagenet-eval-square": lambda image: centre_crop(image.resize((256, 256), Image.BILINEAR)),
              "coco-eval": coco_eval}


def photograph(draw, seed):
    """Smooth shapes with noise on them: edges for the decoder, range for the resize."""
    generator = numpy.random.default_rng(seed)
    w, h = draw.choice(((500, 375), (375, 500), (224, 224), (256, 256), (31, 47), (640, 427), (801, 257), (97, 1000), (1, 5)))
    y, x = numpy.mgrid[0:h, 0:w]
    planes = [127 + 120 * numpy.sin(x / draw.uniform(3, 90) + y / draw.uniform(3, 90) + c) for c in range(3)]
    pixels = numpy.stack(planes, -1) + generator.normal(0, draw.choice((0, 5, 40)), (h, w, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8))


def encoded(draw, image):
    """Bytes of a file, in one of the kinds that data sets hold, under an ending that may be wrong."""
    kind = draw.choice(("4:4:4", "4:2:2", "4:2:0", "progressive", "grey", "cmyk", "png", "png-palette", "png-alpha", "png-grey", "png-bit"))
    buffer = io.BytesIO()
    quality = draw.randint(20, 100)
    if kind in ("4:4:4", "4:2:2", "4:2:0"):
        image.save(buffer, "JPEG", quality=quality, subsampling=kind)
    elif kind == "progressive":
        image.save(buffer, "JPEG", quality=quality, progressive=True)
    elif kind == "grey":
        image.convert("L").save(buffer, "JPEG", quality=quality)
    elif kind == "cmyk":
        image.convert("CMYK").save(buffer, "JPEG", quality=quality)
    elif kind == "png-palette":
        image.quantize(32).save(buffer, "PNG")
    elif kind == "png-alpha":
        image.putalpha(image.convert("L"))
        image.save(buffer, "PNG")
    elif kind == "png-grey":
        image.convert("L").save(buffer, "PNG")
    elif kind == "png-bit":
        image.convert("1").save(buffer, "PNG")
    else:
        image.save(buffer, "PNG")
    return kind, buffer.getvalue()


def transformed(name, image):
    pixels = numpy.asarray(TRANSFORMS[name](image)).transpose(2, 0, 1)
    return (pixels.astype(numpy.float32) / numpy.float32(255) - MEAN) / STD


def by_program(program, name, source, target):
    """The pixels, or what the program says instead."""
    done = subprocess.run([program, "probe", "transform", name, "--input", source, "--out", target], capture_output=True, text=True,
                          check=False)
    return read_pixels(target) if done.returncode == 0 else f"exit code {done.returncode}: {done.stderr}"


def difference(found, wanted):
    if isinstance(found, str):
        return found
    if found.shape != wanted.shape:
        return "another shape"
    return "" if (found == wanted).all() else f"{(found != wanted).mean():.1%} of pixels differ"


def stored_photographs(program, target):
    """What is wrong with those that tests/datasets/decode.cc decodes."""
    wrong = []
    for line in (STORED / "pillow.txt").read_text("utf-8").splitlines():
        digest, width, height, name = line.split()
        image = Image.open(STORED / name).convert("RGB")
        if (digest, (int(width), int(height))) != (hashlib.sha256(image.tobytes()).hexdigest()[:16], image.size):
            wrong.append(f"{name}: the list says something else")
        for transform in TRANSFORMS:
            if max(image.size) > 1000 * min(image.size) and transform == "imagenet-eval":
                continue
            if apart := difference(by_program(program, transform, STORED / name, target), transformed(transform, image)):
                wrong.append(f"{name}, {transform}: {apart}")
    return wrong


def read_pixels(path):
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    entry = json.loads(data[8:start])["pixels"]
    begin, end = entry["data_offsets"]
    return numpy.frombuffer(data[start + begin : start + end], numpy.float32).reshape(entry["shape"])


def main():
    program, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "photograph.jpeg"), pathlib.Path(folder, "out.safetensors")
        for seed in range(count):
            draw = random.Random(seed)
            image = photograph(draw, seed)
            kind, data = encoded(draw, image)
            source.write_bytes(data)
            name = list(TRANSFORMS)[seed % len(TRANSFORMS)]
            wanted = transformed(name, Image.open(io.BytesIO(data)).convert("RGB"))
            if apart := difference(by_program(program, name, source, target), wanted):
                wrong.append(f"image {seed} ({kind}, {image.size}), {name}: {apart}")
        wrong += stored_photographs(program, target)
    print("\n".join([*wrong, f"{count} generated images and the stored ones, {len(wrong)} differ"]))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
