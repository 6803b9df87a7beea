#!/usr/bin/env python3
"""Writes tests/parity/*.safetensors: what plain PyTorch computes in float64 for two steps of a tiny network.

Each file holds `model.NAME` and `aux.NAME` (the start), `input`, `labels`, of step 1 `logits`, `aux_logits`, `loss`,
`aux_loss`, `grad.model.NAME`, `grad.aux.NAME`, and `after.model.NAME`, `after.aux.NAME` after two steps of Adam
(lr 1e-3, no weight decay) on loss + aux_loss. The metadata say which network it is.

Files aid-NAME hold the same for the rivals of the auxiliary module (reference_aids.py), smaller: `model.NAME` and
`aid.AID.NAME`, the start; `input`, `labels`; of step 1 `logits`, `grad.NAME`; `totals`, the whole loss of
either step. A teacher that learns does so at its own rate.

Seeds are tried until one is fit for comparison: no rounding, clip or ReLU within 1e-7 of changing its mind, and no
norm over a channel so nearly constant that its gradient multiplies rounding errors.
Needs torch, safetensors and numpy: scripts/bench-training --python prints an interpreter that has them.
"""

import argparse
import pathlib

import torch
from safetensors.torch import save_file

import reference_aids
import reference_networks as reference
from reference_networks import AuxiliaryModule, Precision, ResNet, losses

MARGIN = 1e-7
STEEPEST = 30.0
PRECISIONS = {
    "fp": (Precision(), "none", "conv-input"),
    "dorefa-w2a2": (Precision(bits=2), "dorefa", "conv-input"),
    "dorefa-relu6-official-w2a2": (Precision(bits=2, at_output=True), "dorefa-relu6-official", "block-output"),
}
MODELS = {"resnet18": 2 / 64, "resnet50": 1 / 64}
AID_WIDTH = 1 / 64


class Margins:
    """The smallest distance of any value to a place where a rounding, a clip or a ReLU changes its mind."""

    def __init__(self):
        self.smallest = float("inf")

    def watch(self, distances):
        if distances.numel():
            self.smallest = min(self.smallest, distances.abs().min().item())

    def __enter__(self):
        self.saved = reference.grid, reference.F.relu, reference.F.relu6, torch.Tensor.clamp
        grid, relu, relu6, clamp = self.saved

        def watched_grid(x, steps):
            scaled = x * steps
            self.watch(scaled - scaled.floor() - 0.5)
            return grid(x, steps)

        def watched_kinks(function, *kinks):
            def watched(x, *args):
                for kink in kinks:
                    # A value that a ReLU has set to exactly 0 is no decision.
                    off = x - kink
                    self.watch(off[off != 0])
                return function(x, *args)

            return watched

        reference.grid = watched_grid
        reference.F.relu = watched_kinks(relu, 0)
        reference.F.relu6 = watched_kinks(relu6, 0, 6)
        torch.Tensor.clamp = watched_kinks(clamp, 0, 1)
        return self

    def __exit__(self, *_):
        reference.grid, reference.F.relu, reference.F.relu6, torch.Tensor.clamp = self.saved


def make(model, precision, seed):
    torch.manual_seed(seed)
    network = ResNet(model, channels=1, classes=10, stem="small", stem_stride=2, width=MODELS[model],
                     precision=precision)
    auxiliary = AuxiliaryModule(network)
    place_norms(network, auxiliary, precision)
    return network, auxiliary, torch.randn(8, 1, 24, 24), torch.randint(10, (8,))


def place_norms(network, auxiliary, precision):
    # Norms away from 1 and 0, so that a swapped or forgotten one shows, and centred in the quantizers' range, so that
    # few channels fall silent.
    spread = 3 if precision.at_output else 1
    for name, module in (*network.named_modules(), *auxiliary.named_modules()):
        if isinstance(module, torch.nn.BatchNorm2d):
            ends_block = name.endswith(("bn3", "downsample.1")) or "norm" in name
            module.weight.data.uniform_(0.3, 0.7).mul_(spread)
            module.bias.data.uniform_(-0.3, 0.3).add_(0 if ends_block else 0.4).mul_(spread)


def named(prefix, module, values):
    return {f"{prefix}.{name}": value.detach().clone().contiguous() for name, value in values(module)}


def states(prefix, network, auxiliary):
    items = lambda module: module.state_dict().items()
    return named(f"{prefix}model", network, items) | named(f"{prefix}aux", auxiliary, items)


def gradients(network, auxiliary):
    items = lambda module: ((name, p.grad) for name, p in module.named_parameters())
    return named("grad.model", network, items) | named("grad.aux", auxiliary, items)


def two_steps(network, auxiliary, images, labels):
    tensors = {"input": images, "labels": labels} | states("", network, auxiliary)
    optimizer = torch.optim.Adam([*network.parameters(), *auxiliary.parameters()], lr=1e-3)
    for step in range(2):
        optimizer.zero_grad()
        logits, loss, aux_logits, aux_loss = losses(network, auxiliary, images, labels)
        (loss + aux_loss).backward()
        if step == 0:
            outputs = {"logits": logits, "loss": loss, "aux_logits": aux_logits, "aux_loss": aux_loss}
            tensors |= {name: value.detach().clone() for name, value in outputs.items()}
            tensors |= gradients(network, auxiliary)
        optimizer.step()
    return tensors | states("after.", network, auxiliary)


def make_with_aid(aid, seed):
    torch.manual_seed(seed)
    options = {"channels": 1, "classes": 10, "stem": "small", "stem_stride": 2, "width": AID_WIDTH}
    network = ResNet("resnet18", precision=Precision(bits=2), **options)
    learns = reference_aids.AIDS[aid][1]
    beside = reference_aids.Heads(network) if learns is None else ResNet("resnet18", **options)
    place_norms(network, beside, Precision(bits=2))
    if learns is False:
        # A frozen teacher's norms are those of evaluation.
        beside.eval().requires_grad_(False)
    return network, beside, torch.randn(8, 1, 24, 24), torch.randint(10, (8,))


def two_steps_with_aid(aid, network, beside, images, labels):
    prefix = f"aid.{aid}"
    items = lambda module: module.state_dict().items()
    tensors = {"input": images, "labels": labels} | named("model", network, items) | named(prefix, beside, items)
    learners = [{"params": network.parameters()}]
    if learned := [parameter for parameter in beside.parameters() if parameter.requires_grad]:
        learners.append({"params": learned, "lr": 1e-3 * (reference_aids.AIDS[aid][2] or 1)})
    optimizer = torch.optim.Adam(learners, lr=1e-3)
    totals = []
    for step in range(2):
        optimizer.zero_grad()
        logits, loss = reference_aids.total_loss(aid, network, beside, images, labels)
        loss.backward()
        totals.append(loss.detach())
        if step == 0:
            tensors["logits"] = logits.detach().clone()
            gradient = lambda module: ((name, p.grad) for name, p in module.named_parameters() if p.grad is not None)
            tensors |= named("grad.model", network, gradient) | named(f"grad.{prefix}", beside, gradient)
        optimizer.step()
    return tensors | {"totals": torch.stack(totals)}


def first_fit(what, compute):
    """compute(seed) of the first seed that is fit for comparison, that seed and its margin."""
    for seed in range(2000):
        with Margins() as margins:
            tensors = compute(seed)
        steepest = max(tensor.abs().max().item() for name, tensor in tensors.items() if name.startswith("grad."))
        if margins.smallest > MARGIN and steepest < STEEPEST:
            return tensors, seed, margins.smallest
    raise SystemExit(f"{what}: no seed is fit for comparison")


def save(path, tensors, about, seed, margin):
    metadata = about | {"stem": "small", "stem_stride": "2", "classes": "10", "steps": "2", "lr": "1e-3",
                        "seed": str(seed), "margin": f"{margin:.1e}"}
    save_file(tensors, path, metadata)
    print(f"{path}: {path.stat().st_size // 1024} KiB, seed {seed}, margin {margin:.1e}")


def dump(model, case, folder):
    precision, quantizer, quantize_at = PRECISIONS[case]
    tensors, seed, margin = first_fit(f"{model} {case}", lambda seed: two_steps(*make(model, precision, seed)))
    about = {"model": model, "width": str(MODELS[model]), "quantizer": quantizer, "quantize_at": quantize_at,
             "bits": str(precision.bits or 32)}
    save(folder / f"{model}-{case}.safetensors", tensors, about, seed, margin)


def dump_aid(aid, folder):
    tensors, seed, margin = first_fit(aid, lambda seed: two_steps_with_aid(aid, *make_with_aid(aid, seed)))
    about = {"model": "resnet18", "width": str(AID_WIDTH), "quantizer": "dorefa", "quantize_at": "conv-input",
             "bits": "2", "aid": aid}
    save(folder / f"aid-{aid}.safetensors", tensors, about, seed, margin)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = pathlib.Path(__file__).resolve().parent.parent / "tests" / "parity"
    parser.add_argument("--out", type=pathlib.Path, default=default)
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    for model in MODELS:
        for case in PRECISIONS:
            dump(model, case, folder)
    for aid in reference_aids.AIDS:
        dump_aid(aid, folder)


if __name__ == "__main__":
    main()
