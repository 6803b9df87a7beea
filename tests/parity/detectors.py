"""auxbench probe detector on torchvision's own retinanet_resnet50_fpn and fcos_resnet50_fpn with random weights.

    detectors.py PROGRAM

The same raw weights by name give the same losses and boxes to 1e-5, in shares of the numbers' size: outputs are of
float64, boxes are decoded in float32. scripts/test names an interpreter that has torchvision where there is one;
without one the exit code is 77.
"""

import pathlib
import subprocess
import sys
import tempfile

import reference

reference.need("torch", "torchvision", "safetensors")

import torch
from safetensors.torch import load_file, save_file

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import reference_detection

NORMS = {"retinanet": "none", "fcos": "group"}
BATCH = ("input", "sizes", "boxes.", "classes.")
TOLERANCE = 1e-5


def distances(found, wanted):
    """In shares of the larger of the number and 1."""
    return (found - wanted).abs() / wanted.abs().clamp(min=1)


def distance(found, wanted):
    """The largest. Rows of boxes are taken by the nearest: two scores that differ in the last digit may change places."""
    if wanted.dim() == 0:
        return distances(found, wanted).item()
    between = distances(found[None], wanted[:, None]).amax(dim=2)
    nearest = between.argmin(dim=1)
    assert len(set(nearest.tolist())) == len(wanted), "one box stands for two"
    return between.amin(dim=1).max().item() if len(wanted) else 0.0


def compare(kind, program, folder):
    wanted = reference_detection.torchvision_numbers(kind)
    batch = {name: tensor for name, tensor in wanted.items() if name.startswith(BATCH)}
    results = {name: tensor for name, tensor in wanted.items() if name.startswith(("loss_", "detections."))}
    save_file({name: tensor for name, tensor in wanted.items() if name not in batch | results}, folder / "weights")
    save_file(batch, folder / "batch")
    subprocess.run([program, "probe", "detector", f"{kind}-resnet50", "--flavour", "torchvision", "--norm", NORMS[kind],
                    "--weights", folder / "weights", "--input", folder / "batch", "--out", folder / "out"], check=True)
    found = load_file(folder / "out")
    boxes = 0
    for name, tensor in results.items():
        assert found[name].shape == tensor.shape, f"{kind}: {name} has shape {found[name].shape}, not {tensor.shape}"
        off = distance(found[name], tensor)
        assert off < TOLERANCE, f"{kind}: {name} is {off:.1e} off"
        boxes += len(tensor) if name.startswith("detections.") else 0
    assert boxes > 30, f"{kind}: {boxes} boxes are no comparison"
    print(f"{kind}: {len(results)} results, {boxes} boxes, within {TOLERANCE}")


def main():
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        for kind in NORMS:
            compare(kind, sys.argv[1], pathlib.Path(scratch))


if __name__ == "__main__":
    main()
