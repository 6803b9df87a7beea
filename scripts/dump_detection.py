#!/usr/bin/env python3
"""Writes tests/parity/detection-*.safetensors: what plain PyTorch computes in float64 for two steps of tiny detectors.

Each file holds `model.NAME` and `aux.NAME` (the start), `input`, of image I `boxes.I` and `classes.I`; of step 1 `loss`,
the modules' terms `aux_loss_heads` and `aux_loss_backbone`, of level L `classes.L`, `boxes.L`, `centreness.L`, and
`grad.model.NAME`, `grad.aux.NAME`; `totals`, the whole loss of either step.
The metadata say which network it is (reference_detection.py).

Seeds are tried until one is fit for comparison, as in dump_parity.py. Needs torch, safetensors and numpy.
"""

import argparse
import pathlib

import torch

import reference_detection as detection
from dump_parity import MARGIN, STEEPEST, Margins, save_file

COMMON = {"model": "resnet18", "width": "0.015625", "classes": "3", "channels": "6", "tower": "2", "quantizer": "none",
          "bits": "32", "where": "all", "predict": "levels", "pyramid": "false", "lr": "1e-3", "steps": "2"}
CASES = {
    "retinanet-detectron2": {"norm": "batch", "heads": "shared"},
    "retinanet-torchvision": {"norm": "none", "heads": "unshared", "predict": "last"},
    "fcos-detectron2": {"norm": "per-level", "heads": "shared", "pyramid": "true"},
    "fcos-torchvision": {"norm": "batch", "heads": "unshared", "where": "heads"},
    "retinanet-detectron2-w2a2": {"norm": "batch", "heads": "unshared", "quantizer": "dorefa", "bits": "2"},
}
HEIGHT, WIDTH = 64, 96
BOXES = (3, 0, 2)  # of each image


def metadata_of(case):
    kind, flavour = case.split("-")[:2]
    return COMMON | {"kind": kind, "flavour": flavour} | CASES[case]


def place(module):
    """Norms and biases away from where they start, so that a swapped or forgotten one shows."""
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.weight.data.uniform_(0.4, 0.9)
            part.bias.data.uniform_(0, 0.6)


def random_boxes(count):
    extent = torch.tensor([WIDTH, HEIGHT], dtype=torch.float32)
    low = torch.rand(count, 2, dtype=torch.float32) * (extent - 16)
    return torch.cat([low, low + 10 + torch.rand(count, 2, dtype=torch.float32) * (extent - low - 10)], dim=1)


def start(metadata, seed):
    torch.manual_seed(seed)
    detector, modules = detection.make(detection.options_of(metadata))
    place(detector)
    place(modules)
    tensors = {"input": torch.randn(len(BOXES), 3, HEIGHT, WIDTH, dtype=torch.float32)}
    for i, count in enumerate(BOXES):
        tensors |= {f"boxes.{i}": random_boxes(count), f"classes.{i}": torch.randint(3, (count,))}
    for prefix, module in (("model.", detector), ("aux.", modules)):
        tensors |= detection.named(prefix, module.state_dict().items())
    return detector, modules, tensors


def first_fit(case):
    metadata = metadata_of(case)
    for seed in range(500):
        detector, modules, tensors = start(metadata, seed)
        with Margins() as margins:
            detection.watch = margins.watch
            found = detection.train(detector, modules, detection.options_of(metadata), tensors)
            detection.watch = None
        steepest = max(tensor.abs().max().item() for name, tensor in found.items() if name.startswith("grad."))
        if margins.smallest > MARGIN and steepest < STEEPEST:
            return tensors | found, metadata | {"seed": str(seed), "margin": f"{margins.smallest:.1e}"}
    raise SystemExit(f"{case}: no seed is fit for comparison")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = pathlib.Path(__file__).resolve().parent.parent / "tests" / "parity"
    parser.add_argument("--out", type=pathlib.Path, default=default)
    parser.add_argument("case", nargs="*", default=list(CASES))
    args = parser.parse_args()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    for case in args.case:
        tensors, metadata = first_fit(case)
        path = args.out / f"detection-{case}.safetensors"
        save_file(tensors, path, metadata)
        print(f"{path.name}: {path.stat().st_size // 1024} KiB, seed {metadata['seed']}, margin {metadata['margin']}")


if __name__ == "__main__":
    main()
