"""Prints what each quantizer costs: its passes against torch operators, and a training step against full precision."""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

from bench_report import circumstances, quartiles

NETWORK = {"model": "resnet18", "stem": "small", "stem-stride": "2", "image": "28", "channels": "1", "classes": "10",
           "batch": "128"}
# The whole network, and the quarter of it that the embedded tier's proxies come near: a quantizer's share of a step
# falls with the width, since convolutions grow with its square.
WIDTHS = ("1", "0.25")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--bench", type=pathlib.Path, required=True)
    parser.add_argument("--kernels", type=pathlib.Path, required=True)
    parser.add_argument("--published", type=pathlib.Path, required=True)
    parser.add_argument("--publish", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=15)
    return parser.parse_args()


def output_of(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command[:2]))}: exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stdout


def kernel_rows(args):
    """Bytes a second of each pass against the plain loop that moves as many arrays, in one process, rounds interleaved."""
    out = output_of([args.kernels, "--benchmark_format=json", "--benchmark_min_time=0.05", "--benchmark_repetitions=7",
                     "--benchmark_enable_random_interleaving=true", "--benchmark_report_aggregates_only=true"])
    rates = {entry["run_name"]: entry["bytes_per_second"] for entry in json.loads(out)["benchmarks"]
             if entry["aggregate_name"] == "median"}
    streams = {"moments": "stream/read one", "encode": "stream/read one, write one", "encode+statistics": "stream/read one, write one",
               "differentiate": "stream/read two, write one"}
    for name, rate in sorted(rates.items()):
        if not name.startswith("stream/"):
            stream = rates[streams[name.rpartition("/")[2]]]
            yield f"| {name} | {rate / 1e9:.1f} | {stream / 1e9:.1f} | {rate / stream:.0%} |"


def step_ms(args, method, bits, variant, width):
    options = [f"--{name}={value}" for name, value in NETWORK.items()] + [f"--width={width}"]
    out = output_of([args.program, "bench-training", f"--quantizer={method}", f"--bits={bits}", f"--variant={variant}",
                     f"--steps={args.steps}", "--json", *options])
    return json.loads(out)["step_ms"]["median"]


def step_row(args, method, bits, width):
    pairs = []
    for _ in range(args.rounds):
        first, second, third, fourth = (step_ms(args, method, bits, variant, width) for variant in ("fp", "w2a2", "w2a2", "fp"))
        pairs += [(first, second), (fourth, third)]
    low, median, high = quartiles([ours / full for full, ours in pairs])
    full, ours = (statistics.median(side) for side in zip(*pairs))
    return f"| {method} | {bits} | {width} | {full:.1f} | {ours:.1f} | {median:.2f} ({low:.2f} .. {high:.2f}) |"


def main():
    args = arguments()
    load = os.getloadavg()[0]
    passes = output_of([args.bench])
    rows = [line.split("|") for line in passes.splitlines() if line.startswith("|")][2:]
    bits = {row[1].strip(): row[3].strip() for row in rows}
    text = [f"{circumstances()} Load before the first run "
            f"{load:.1f}.", "", "## Forward and backward pass", "", passes.strip(), "",
            "## Passes against memory", "",
            "One core, float32, arrays of 64 MiB; the plain loop reads and writes as many arrays and computes nothing; medians of 7 "
            "interleaved repetitions.", "",
            "| pass | GB/s | plain loop, GB/s | share |", "|---|---|---|---|", *kernel_rows(args), "",
            "## A training step", "",
            ", ".join(f"{name} {value}" for name, value in NETWORK.items()) + f"; {args.rounds} rounds of full precision, "
            f"quantized, quantized, full precision, {args.steps} steps each. Full precision has the method's own block and "
            "activation.", "",
            "| method | bits | width | full precision, ms | quantized, ms | times as long (quartiles) |",
            "|---|---|---|---|---|---|"]
    text += [step_row(args, method, bit_width, width) for width in WIDTHS for method, bit_width in bits.items()]
    result = "\n".join(text) + "\n"
    print(result, end="")
    if args.publish:
        path = args.published / "bench-quantizers.md"
        path.write_text("# What fake quantization costs\n\nMade by `scripts/bench-quantizers --publish`: " + result, "utf-8")
        print(f"written: {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
