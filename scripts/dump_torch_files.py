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


def types():
    """Types that torch got later, and tensors that carry more than numbers."""
    small = torch.tensor([0.0, 0.5, -2.0, 448.0])
    attributed = torch.arange(3.0)
    attributed.note = "an attribute"
    stateful = torch.nn.Parameter(torch.arange(4.0))
    stateful.note = "an attribute"
    return {"u16": torch.tensor([1, 65535], dtype=torch.uint16), "u32": torch.tensor([1, 2**32 - 1], dtype=torch.uint32),
            "u64": torch.tensor([[1, 2], [3, 4]], dtype=torch.uint64).t(), "e4m3": small.to(torch.float8_e4m3fn),
            "e5m2": small.to(torch.float8_e5m2), "complex": torch.tensor([1 + 2j], dtype=torch.complex64),
            "attributed": attributed, "stateful": stateful, "buffer": torch.nn.Buffer(torch.arange(2.0))}


def refused():
    """Name of the file, contents: what is refused by name."""
    yield "conjugate", {"weight": torch.tensor([1 + 2j]).conj()}
    yield "complex128", {"weight": torch.tensor([1 + 2j], dtype=torch.complex128)}
    yield "quantized", {"weight": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}
    yield "sparse", {"weight": torch.eye(2).to_sparse()}
    yield "subclass", {"weight": torch.arange(2.0).as_subclass(Subclass)}
    yield "module", torch.nn.Linear(2, 1)


class Subclass(torch.Tensor):
    pass


def main():
    folder = pathlib.Path(sys.argv[1])
    for zipped, ending in ((True, ""), (False, "-legacy")):
        for name, contents in (("weights", weights()), ("checkpoint", checkpoint()), ("views", views()), ("types", types()), *refused(),
                               ("hostile", {"weight": Hostile()})):
            torch.save(contents, folder / f"{name}{ending}.pth", _use_new_zipfile_serialization=zipped)


if __name__ == "__main__":
    main()
