#!/usr/bin/env python3
"""scripts/dump_detectors.py [FOLDER]: writes names and shapes of torchvision's detectors, a line a tensor, into FOLDER
(tests/models/torchvision). Needs torch and torchvision; the files say what any version from 0.13 on has."""

import pathlib
import sys

from torchvision.models import detection


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent.parent / "tests/models/torchvision")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("retinanet_resnet50_fpn", "fcos_resnet50_fpn"):
        network = getattr(detection, name)(weights=None, weights_backbone=None, num_classes=91)
        lines = [" ".join([key, *map(str, tensor.shape)]) for key, tensor in sorted(network.state_dict().items())]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")


main()
