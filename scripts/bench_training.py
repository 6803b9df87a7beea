"""Runs `auxbench bench-training` and reference_training.py in turn and reports how many times as fast the first is.

Each round is ours, theirs, theirs, ours, so that a machine that warms up or slows down favours neither.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

from bench_report import circumstances, quartiles

VARIANTS = {"fp": "full precision", "w2a2": "DoReFa 2/2", "w2a2-auxi": "DoReFa 2/2 + Auxi"}
NETWORK = {"model": "resnet18", "stem": "small", "stem-stride": "2", "width": "0.25", "image": "28", "channels": "1",
           "classes": "10", "batch": "128", "threads": "2"}
REFERENCE = pathlib.Path(__file__).with_name("reference_training.py")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True)
    parser.add_argument("--published", type=pathlib.Path, required=True)
    parser.add_argument("--publish", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--variants", default=",".join(VARIANTS), help="of: " + ", ".join(VARIANTS))
    parser.add_argument("--contiguous", action="store_true", help="PyTorch without channels_last, which is slower here")
    for name, value in NETWORK.items():
        parser.add_argument(f"--{name}", default=value)
    return parser.parse_args()


def images_per_second(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command[:2])}: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)["images_per_second"]


def measure(args, variant):
    network = [f"--{name}={getattr(args, name.replace('-', '_'))}" for name in NETWORK]
    options = [f"--variant={variant}", f"--steps={args.steps}", "--json", *network]
    ours = [args.program, "bench-training", *options]
    theirs = [sys.executable, "-B", str(REFERENCE), *options, *([] if args.contiguous else ["--channels-last"])]
    pairs = []
    for done in range(args.rounds):
        first, second, third, fourth = (images_per_second(command) for command in (ours, theirs, theirs, ours))
        pairs += [(first, second), (fourth, third)]
        if sys.stderr.isatty():
            print(f"\r{variant}: round {done + 1} of {args.rounds}", end="", file=sys.stderr)
    return pairs


def summary(pairs):
    ratios = [ours / theirs for ours, theirs in pairs]
    low, median, high = quartiles(ratios)
    return {"ours": statistics.median(ours for ours, _ in pairs), "theirs": statistics.median(theirs for _, theirs in pairs),
            "ratio": median, "q25": low, "q75": high}


def busy():
    """A remark when other work is running: two threads that wait for each other suffer from it out of proportion."""
    load = os.getloadavg()[0]
    return f" The machine was busy before the first run (load {load:.1f}): the ratios are worth little." if load > 0.5 else ""


def table(args, results, remark):
    network = ", ".join(f"{name} {getattr(args, name.replace('-', '_'))}" for name in NETWORK)
    layout = "contiguous" if args.contiguous else "channels_last"
    torch_version = subprocess.run([sys.executable, "-c", "import torch; print(torch.__version__)"], capture_output=True,
                                   text=True, check=True).stdout.strip()
    lines = [f"{network}.", "",
             f"PyTorch {torch_version}, eager mode, {layout}, fused Adam; "
             f"{args.rounds} rounds of ours, theirs, theirs, ours, {args.steps} steps each. {circumstances()}{remark}", "",
             "| training | auxbench, images/s | PyTorch, images/s | ratio | quartiles |", "|---|---|---|---|---|"]
    for variant, result in results.items():
        lines.append(f"| {VARIANTS[variant]} | {result['ours']:.0f} | {result['theirs']:.0f} | {result['ratio']:.2f} "
                     f"| {result['q25']:.2f} - {result['q75']:.2f} |")
    return "\n".join(lines) + "\n"


def main():
    args = arguments()
    remark = busy()
    results = {variant: summary(measure(args, variant)) for variant in args.variants.split(",")}
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)
    text = table(args, results, remark)
    print(text, end="")
    if args.publish:
        path = args.published / "bench-training.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# Training speed against PyTorch's eager mode\n\nMade by `scripts/bench-training --publish`: " + text,
                        encoding="utf-8")
        print(f"written: {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
