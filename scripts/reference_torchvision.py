#!/usr/bin/env python3
"""Images a second of one training step of torchvision's RetinaNet in eager mode: the opponent of `auxbench bench-training
--model retinanet-resnet18 --flavour torchvision --norm none`.

Takes that verb's options and prints one JSON object of the same form. The batch is ready, as it is there: torchvision's
own resizing, normalising and padding are left out.
"""

import argparse

import torch
import torchvision
from torch import nn
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.retinanet import _default_anchorgen
from torchvision.ops.feature_pyramid_network import LastLevelP6P7
from torchvision.ops.misc import FrozenBatchNorm2d

from reference_training import print_speed
from regular_boxes import regular_boxes

NORMS = {"batch": nn.BatchNorm2d, "frozen": FrozenBatchNorm2d}
LAYOUTS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", choices=[f"retinanet-resnet{depth}" for depth in (18, 34, 50)], default="retinanet-resnet18")
    parser.add_argument("--variant", choices=["fp"], default="fp")
    parser.add_argument("--flavour", choices=["torchvision"], default="torchvision")
    parser.add_argument("--norm", choices=["none"], default="none")
    parser.add_argument("--backbone-norm", choices=list(NORMS), default="batch")
    for name, value in (("image", 320), ("channels", 3), ("classes", 80), ("batch", 4), ("steps", 20), ("threads", 0)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--layout", choices=list(LAYOUTS), default="channels_last")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


class Ready(nn.Module):
    """In place of torchvision's transform: a batch as it is."""

    def forward(self, images, targets):
        return ImageList(images, [tuple(images.shape[-2:])] * len(images)), targets


def make_network(args):
    """retinanet_resnet50_fpn() with the backbone asked for; every layer is trained."""
    backbone = resnet_fpn_backbone(backbone_name=args.model.partition("-")[2], weights=None, norm_layer=NORMS[args.backbone_norm],
                                   trainable_layers=5, returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(256, 256))
    network = RetinaNet(backbone, args.classes, anchor_generator=_default_anchorgen())
    network.transform = Ready()
    return network


def make_step(args):
    device = torch.device(args.device)
    layout = LAYOUTS[args.layout]
    network = make_network(args).to(device, memory_format=layout).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4, fused=True)
    images = torch.rand(args.batch, args.channels, args.image, args.image, device=device).to(memory_format=layout)
    targets = []
    for i in range(args.batch):
        corners, labels = regular_boxes(i, args.image, args.classes)
        targets.append({"boxes": torch.tensor(corners, device=device), "labels": torch.tensor(labels, device=device)})

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = sum(network(images, targets).values())
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def main():
    args = arguments()
    print_speed(args, make_step, torchvision=torchvision.__version__, layout=args.layout)


if __name__ == "__main__":
    main()
