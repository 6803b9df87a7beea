"""What detection costs: training, suppression, a whole network, evaluation (scripts/bench-detection has the words).

Contestants take turns, ours, theirs, theirs, ours, so that a machine that warms up or slows down favours neither; ratios
are of neighbours. What is asked for is stated beside what is found.
"""

import argparse
import json
import os
import pathlib
import statistics
import struct
import sys
import tempfile
import time

import torch
import torchvision

from bench_report import circumstances, quartiles, run, run_measured

REFERENCE = pathlib.Path(__file__).with_name("reference_torchvision.py")
MODEL, CLASSES = "retinanet-resnet18", 80
BOXES, THRESHOLD = 10_000, 0.5
# At 160 pixels more than the 256 MiB up to which a data set is kept in memory once it is decoded (datasets/sources/coco_images.h):
# what is watched is an evaluation that reads its files.
STREAMED_SCENES = 4000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("program", "nms", "evaluation", "suite", "published"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--onednn3", type=pathlib.Path)
    parser.add_argument("--publish", action="store_true")
    parser.add_argument("--parts", default=",".join(PARTS), help="of: " + ", ".join(PARTS))
    for name, value in (("rounds", 3), ("steps", 8), ("image", 320), ("batch", 4), ("threads", 2), ("network-image", 800),
                        ("repetitions", 7), ("images", 500)):
        parser.add_argument(f"--{name}", type=int, default=value)
    args = parser.parse_args()
    unknown = [part for part in args.parts.split(",") if part not in PARTS]
    if unknown:
        parser.error(f"--parts: {unknown[0]} is none of {', '.join(PARTS)}")
    return args


def taking_turns(ours, theirs, rounds):
    """Pairs of neighbours."""
    pairs = []
    for _ in range(rounds):
        first, second, third, fourth = ours(), theirs(), theirs(), ours()
        pairs += [(first, second), (fourth, third)]
    return pairs


def spread(values, digits=2):
    low, median, high = values["q25"], values["median"], values["q75"]
    return f"{median:.{digits}f} ({low:.{digits}f} .. {high:.{digits}f})"


def ratio_text(ratios):
    low, median, high = quartiles(ratios)
    return spread({"q25": low, "median": median, "q75": high})


def middles(pairs):
    return [statistics.median(side) for side in zip(*pairs)]


# --- training


def step_ms(command, args, *options):
    common = [f"--{name}={getattr(args, name)}" for name in ("image", "batch", "threads", "steps")]
    found = run([*command, f"--model={MODEL}", f"--classes={CLASSES}", *common, *options, "--json"])
    return json.loads(found)["step_ms"]["median"]


def training(args):
    theirs_program = [sys.executable, "-B", REFERENCE]
    lines = ["## A training step", "",
             f"The float RetinaNet-R18 in torchvision's flavour, {CLASSES} classes, no norms in pyramid and heads; batch {args.batch}, "
             f"{args.image} x {args.image} pixels, seven boxes an image, {args.threads} threads, SGD with momentum. torchvision "
             f"{torchvision.__version__} on PyTorch {torch.__version__}, eager mode, its own resizing left out, the faster of its "
             f"memory layouts. {args.rounds} rounds of ours, theirs, theirs, ours, {args.steps} steps each.", "",
             "| norms of the backbone | auxbench, ms | torchvision, ms | layout | auxbench is faster by (quartiles) | asked for |",
             "|---|---|---|---|---|---|"]
    for norm in ("batch", "frozen"):
        network = ["--flavour=torchvision", "--norm=none", f"--backbone-norm={norm}"]
        layout = min(("channels_last", "contiguous"), key=lambda name: step_ms(theirs_program, args, *network, f"--layout={name}"))
        pairs = taking_turns(lambda: step_ms([args.program, "bench-training"], args, *network),
                             lambda: step_ms(theirs_program, args, *network, f"--layout={layout}"), args.rounds)
        ours, theirs = middles(pairs)
        lines.append(f"| {norm} | {ours:.0f} | {theirs:.0f} | {layout} | {ratio_text([b / a for a, b in pairs])} | 1.1 |")
    return lines


def quantized(args):
    lines = ["## A training step at 4 bits", "",
             "Detectron2's flavour, batch norms everywhere, QIL at 4 bits in backbone, pyramid and heads, modules along the backbone "
             "and along the heads' towers; batch, pixels, threads and optimiser as above. The float detector has the same heads and no "
             f"modules. {args.rounds} rounds of float, quantized, quantized, float.", "",
             "| heads | modules | float, ms | 4 bits, ms | times as long (quartiles) | asked for at most |", "|---|---|---|---|---|---|"]
    ours = [args.program, "bench-training"]
    for heads, variant, modules, asked in (("shared", "w2a2", "no", "-"), ("shared", "w2a2-auxi", "yes", "1.6"),
                                           ("unshared", "w2a2-auxi", "yes", "1.6")):
        common = [f"--heads={heads}", "--quantizer=qil"]
        pairs = taking_turns(lambda: step_ms(ours, args, *common, "--variant=fp"),
                             lambda: step_ms(ours, args, *common, f"--variant={variant}", "--bits=4"), args.rounds)
        full, low = middles(pairs)
        lines.append(f"| {heads} | {modules} | {full:.0f} | {low:.0f} | {ratio_text([b / a for a, b in pairs])} | {asked} |")
    return lines


# --- suppression


def crowded_boxes(count, objects):
    """Around places on an image of 1333 x 800, as a detector's lie: corners, scores, classes."""
    random = torch.Generator().manual_seed(1)
    draw = lambda low, high, *shape: low + (high - low) * torch.rand(*shape, generator=random)
    around = torch.stack([draw(0, 1333, objects), draw(0, 800, objects), draw(8, 300, objects), draw(8, 300, objects)], dim=1)
    own = around[torch.randint(objects, (count,), generator=random)]
    centres = own[:, :2] + own[:, 2:] * draw(-0.3, 0.3, count, 2)
    sides = own[:, 2:] * draw(0.7, 1.4, count, 2)
    return torch.cat([centres - sides / 2, centres + sides / 2], dim=1), draw(0, 1, count), torch.randint(CLASSES, (count,), generator=random)


def timed_ms(work):
    """The median of as many passes as half a second holds, three at least."""
    work()
    seconds, begin = [], time.perf_counter()
    while len(seconds) < 3 or time.perf_counter() - begin < 0.5:
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return 1e3 * statistics.median(seconds)


def nms(args):
    torch.set_num_threads(1)
    corners, scores, classes = crowded_boxes(BOXES, 1000)
    lines = ["## Non-maximum suppression", "",
             f"{BOXES} boxes around 1000 places, all that survive an overlap of {THRESHOLD}; one thread. Both keep the same number.", "",
             "| boxes | auxbench, ms | torchvision, ms | kept | auxbench is faster by (quartiles) | asked for |", "|---|---|---|---|---|---|"]
    contests = {"one class": ("of one class, nms", lambda: torchvision.ops.nms(corners, scores, THRESHOLD)),
                "by class": (f"of {CLASSES} classes, batched_nms",
                             lambda: torchvision.ops.batched_nms(corners, scores, classes, THRESHOLD))}
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "boxes")
        table = torch.cat([corners, scores[:, None], classes.float()[:, None]], dim=1)
        file.write_bytes(struct.pack(f"<{table.numel()}f", *table.flatten().tolist()))
        for name, (title, theirs) in contests.items():
            kept = len(theirs())

            def ours():
                found = run([args.nms, f"--boxes={file}", f"--benchmark_filter={name}", "--benchmark_format=json", "--benchmark_min_time=0.2"])
                entry, = json.loads(found)["benchmarks"]
                if entry["kept"] != kept:
                    sys.exit(f"{name}: we keep {entry['kept']:.0f} boxes, torchvision {kept}")
                return entry["real_time"] / 1e6

            pairs = taking_turns(ours, lambda: timed_ms(theirs), args.rounds)
            own, other = middles(pairs)
            lines.append(f"| {title} | {own:.2f} | {other:.2f} | {kept} | {ratio_text([b / a for a, b in pairs])} | 3 |")
    return lines


# --- the whole network


def race(args, cap):
    """The record of the suite's table of detectors, on images of the size asked for."""
    suite = json.loads(args.suite.read_text("utf-8"))
    table = next(table for table in suite["tables"] if table["id"] == "detectors")
    table.pop("on_request")
    suite.pop("$schema")
    suite["tables"] = [table | {"image": args.network_image}]
    environment = os.environ | ({"AUXBENCH_ISA": cap} if cap else {})
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "detectors.json")
        file.write_text(json.dumps(suite), "utf-8")
        run([args.program, "bench", file, "--out", folder, "--repetitions", args.repetitions,
             *(["--onednn3", args.onednn3] if args.onednn3 else [])], environment)
        return json.loads(pathlib.Path(folder, "kernels.json").read_text("utf-8"))


def network_rows(record, cap):
    asked_of_int8 = "measured" if "amx" in record["machine"]["isa"] else "1.0"
    for row in record["rows"]:
        bits = f"{row['weight_bits']}/{row['activation_bits']}"
        if row["status"] != "completed":
            yield f"| {bits} | {cap or 'all'} | {row['status']}: {row['reason']} |"
            continue
        asked = ("6", asked_of_int8) if bits == "4/4" else ("-", "-")
        over = [spread(row["ratios"][name]) if name in row["ratios"] else "-" for name in ("libtorch-fp32", "vendor-int8")]
        yield (f"| {bits} | {cap or 'all'} | {row['us']['median'] / 1e3:.0f} | {over[0]} | {asked[0]} | {over[1]} | {asked[1]} |")


def share_rows(record, cap):
    for row in record["rows"]:
        for name, boxes in row.get("boxes", {}).items():
            share = {key: 100 * value for key, value in boxes["share"].items()}
            yield (f"| {row['weight_bits']}/{row['activation_bits']} | {cap or 'all'} | {name} | {boxes['found']} | "
                   f"{boxes['us']['median'] / 1e3:.2f} | {spread(share)} | {'5' if name == 'crowded' else '-'} |")


def network(args):
    records = {"": race(args, "")}
    if "amx" in records[""]["machine"]["isa"]:
        records["avx512"] = race(args, "avx512")
    opponents = sorted({f"{name}: {entry['reason']}" for record in records.values() for one in record["races"]
                        for name, entry in one.get("opponents", {}).items() if entry["status"] != "completed"})
    lines = ["## The whole network", "",
             f"RetinaNet-R18, one image, shorter side {args.network_image}, longer side 5/3 of it, one thread, {args.repetitions} "
             "repetitions in which all contestants run once. Weights are random; first and last layers have 8 bits. The vendors' int8 is "
             "the sum over the network's convolutions, each by the library that is fastest at it; what lies between them costs nothing "
             "there.", "",
             "| bits | instructions | ms | over LibTorch fp32 (quartiles) | asked for | over int8, sum (quartiles) | asked for |",
             "|---|---|---|---|---|---|---|"]
    lines += [line for cap, record in records.items() for line in network_rows(record, cap)]
    lines += [f"\nNot there: {line}." for line in opponents]
    lines += ["", "Post-processing (decoding, the best of each level, suppression) is not in these times. It runs in the same race on raw "
              "outputs that are made up: `crowded` as of a trained detector on a full picture, `full` with as many candidates on every "
              "level as are ever kept. Its share is of network and post-processing together.", "",
              "| network's bits | instructions | outputs | boxes | ms | share, % (quartiles) | asked for at most |", "|---|---|---|---|---|---|---|"]
    return lines + [line for cap, record in records.items() for line in share_rows(record, cap)]


# --- memory


def memory(args):
    sizes = (args.images, 4 * args.images)
    lines = ["## Memory of an evaluation", "",
             f"Resident MiB at most of a whole process that evaluates a narrow RetinaNet-R18 on generated scenes of 160 pixels, read from "
             f"JPEGs: {sizes[0]} images and {sizes[1]} of them. Without boxes nothing may grow but what is known of the images; with "
             "boxes, what is kept of a hundred an image.", "",
             "| network | boxes an image | " + " | ".join(f"MiB, {size} images" for size in sizes) + " | KiB an image more |",
             "|---|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        data, file = pathlib.Path(folder, "scenes"), pathlib.Path(folder, "integer.safetensors")
        scenes = max(sizes[1], STREAMED_SCENES)
        run([args.program, "data", "generate", "scenes", "--images", scenes + 1, "--validation", scenes, "--out", data])
        run([args.evaluation, "freeze", file])
        infer = [args.program, "infer", file, "--dataset", "scenes", "--data-root", data, "--threads", 1]
        contests = [("float", [args.evaluation, "float", data], lambda size, kept: [size, "all" if kept else "none"]),
                    ("4-bit integers", infer, lambda size, kept: ["--images", size, "--score", 0 if kept else 1])]
        environment = os.environ | {"XDG_CACHE_HOME": folder}  # what is known of the scenes goes with them
        for name, command, options in contests:
            for kept in (0, 100):
                found = [run_measured([*command, *options(size, kept)], environment)[1] for size in sizes]
                more = 1024 * (found[1] - found[0]) / (sizes[1] - sizes[0])
                lines.append(f"| {name} | {kept} | {found[0]:.0f} | {found[1]:.0f} | {more:.2f} |")
    return lines


PARTS = {"training": training, "quantized": quantized, "nms": nms, "network": network, "memory": memory}


def main():
    args = arguments()
    load = os.getloadavg()[0]
    text = [f"{circumstances()} Load before the first run {load:.1f}."]
    for part in args.parts.split(","):
        lines = PARTS[part](args)
        print("\n".join(lines) + "\n", flush=True)
        text += ["", *lines]
    if args.publish:
        path = args.published / "bench-detection.md"
        path.write_text("# What detection costs\n\nMade by `scripts/bench-detection --publish`: " + "\n".join(text) + "\n", "utf-8")
        print(f"written: {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
