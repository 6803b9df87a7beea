#!/usr/bin/env python3
"""Images a second of one training step in PyTorch's eager mode: the opponent of `auxbench bench-training`.

Takes that verb's options and prints one JSON object of the same form.
"""

import argparse
import json
import statistics
import time

import torch

from reference_networks import AuxiliaryModule, Precision, ResNet, losses

WARM_UP = 5


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--variant", choices=["fp", "fp-auxi", "w2a2", "w2a2-auxi"], default="fp")
    parser.add_argument("--stem", choices=["imagenet", "small"], default="imagenet")
    parser.add_argument("--stem-stride", type=int, default=1)
    parser.add_argument("--width", type=float, default=1.0)
    parser.add_argument("--image", type=int, default=224)
    parser.add_argument("--channels", type=int, default=3)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--adam", choices=["fused", "foreach", "plain"], default="fused")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def make_step(args):
    device = torch.device(args.device)
    layout = torch.channels_last if args.channels_last else torch.contiguous_format
    precision = Precision(bits=2 if args.variant.startswith("w2a2") else None)
    network = ResNet(args.model, channels=args.channels, classes=args.classes, stem=args.stem,
                     stem_stride=args.stem_stride, width=args.width, precision=precision)
    auxiliary = AuxiliaryModule(network) if args.variant.endswith("auxi") else None
    parameters = []
    for module in filter(None, (network, auxiliary)):
        module.to(device, memory_format=layout).train()
        parameters += module.parameters()
    chosen = {"fused": {"fused": True}, "foreach": {"foreach": True}, "plain": {"foreach": False}}[args.adam]
    optimizer = torch.optim.Adam(parameters, lr=1e-3, **chosen)
    images = torch.rand(args.batch, args.channels, args.image, args.image, device=device).to(memory_format=layout)
    labels = torch.randint(args.classes, (args.batch,), device=device)

    def step():
        optimizer.zero_grad(set_to_none=True)
        _, loss, _, aux_loss = losses(network, auxiliary, images, labels)
        (loss if aux_loss is None else loss + aux_loss).backward()
        optimizer.step()
        return loss.item()

    return step


def timed(step, steps, device):
    seconds = []
    for i in range(WARM_UP + steps):
        begin = time.perf_counter()
        step()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        if i >= WARM_UP:
            seconds.append(time.perf_counter() - begin)
    return seconds


def print_speed(args, make_step, **about):
    """Times the step that make_step(args) makes, and prints JSON; `about` joins it."""
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    milliseconds = [1e3 * s for s in timed(make_step(args), args.steps, args.device)]
    q25, median, q75 = statistics.quantiles(milliseconds, n=4) if len(milliseconds) > 1 else milliseconds * 3
    print(json.dumps({
        "model": args.model, "variant": args.variant, "device": args.device, "threads": torch.get_num_threads(),
        "batch": args.batch, "image": args.image, "torch": torch.__version__,
        "images_per_second": 1e3 * args.batch / median,
        "step_ms": {"q25": q25, "median": median, "q75": q75}, **about,
    }))


def main():
    args = arguments()
    print_speed(args, make_step, width=args.width)


if __name__ == "__main__":
    main()
