"""Writes the small files of torch.save that tests/base/torch_file.cc reads: scripts/bench-training --python names an
interpreter that has the whole of torch.

    dump_torch_files.py FOLDER
"""

import argparse
import os
import pathlib
import sys

import torch


class Hostile:
    """What a pickle may do to who loads it by executing it."""

    def __reduce__(self):
        return os.system, ("exit 1",)


def weights():
    """Numbers that a test can tell: 0, 1, 2 .. over all tensors in order."""
    shapes = {"conv1.weight": (2, 1, 3, 3), "bn1.weight": (2,), "bn1.bias": (2,), "fc.weight": (3, 4), "fc.bias": (3,)}
    found, first = {}, 0
    for name, shape in shapes.items():
        count = int(torch.tensor(shape).prod())
        found[name] = torch.arange(first, first + count, dtype=torch.float32).reshape(shape)
        first += count
    found["bn1.num_batches_tracked"] = torch.tensor(7)
    return found


def checkpoint():
    module = torch.nn.Linear(4, 3)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    module(torch.ones(1, 4)).sum().backward()
    optimizer.step()
    return {"epoch": 3, "best": torch.tensor(1.5), "args": argparse.Namespace(lr=0.1), "optimizer": optimizer.state_dict(),
            "state_dict": weights()}


def views():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    return {"transposed": base.t(), "slice": base[1:3, 2:5], "half": base.half()[0], "brain": base.bfloat16()[0],
            "flags": torch.tensor([True, False]), "empty": torch.zeros(0, 3), "parameter": torch.nn.Parameter(base[0].clone())}


def main():
    folder = pathlib.Path(sys.argv[1])
    for zipped, ending in ((True, ""), (False, "-legacy")):
        for name, contents in (("weights", weights()), ("checkpoint", checkpoint()), ("views", views()),
                               ("hostile", {"weight": Hostile()})):
            torch.save(contents, folder / f"{name}{ending}.pth", _use_new_zipfile_serialization=zipped)


if __name__ == "__main__":
    main()
