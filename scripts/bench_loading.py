"""Times auxbench's loader against torchvision's ImageFolder and PyTorch's DataLoader, in turn, on the same JPEG files.

Either side's first epoch (start of workers, files from the disk) is not counted; each round times one more epoch of both.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import PIL
import torch
import torchvision
from torchvision import transforms

from bench_report import circumstances, quartiles, run_measured

NORMALISE = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
TRANSFORMS = {
    "train": [transforms.RandomResizedCrop(224), transforms.RandomHorizontalFlip(), transforms.ToTensor(), NORMALISE],
    "eval": [transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(), NORMALISE],
}
BATCH = 64


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--published", type=pathlib.Path, required=True)
    parser.add_argument("--publish", action="store_true")
    for name, value in (("rounds", 5), ("images", 2000), ("files", 1_300_000)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    return parser.parse_args()


def by_auxbench(program, folder, kind, workers):
    command = [program, "bench-loading", folder, "--kind", kind, "--workers", str(workers), "--batch", str(BATCH)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return found["images_per_second"][-1]


def epoch_rate(loader):
    begin, images = time.perf_counter(), 0
    for _, labels in loader:
        images += len(labels)
    return images / (time.perf_counter() - begin)


def compare(args, folder, kind, workers):
    data = torchvision.datasets.ImageFolder(folder, transforms.Compose(TRANSFORMS[kind]))
    loader = torch.utils.data.DataLoader(data, batch_size=BATCH, shuffle=kind == "train", num_workers=workers,
                                         persistent_workers=True)
    epoch_rate(loader)
    ours, theirs = [], []
    for _ in range(args.rounds):
        ours.append(by_auxbench(args.program, folder, kind, workers))
        theirs.append(epoch_rate(loader))
    return ours, theirs


def make_empty_tree(root, files):
    """ImageNet's shape: 1000 classes, names as its own; one in 26 for validation."""
    for split, count in (("train", files - files // 26), ("val", files // 26)):
        for number in range(1000):
            folder = pathlib.Path(root, split, f"n{number:08d}")
            folder.mkdir(parents=True)
            for image in range(count // 1000 + (number < count % 1000)):
                os.close(os.open(folder / f"n{number:08d}_{image}.JPEG", os.O_CREAT | os.O_WRONLY))


def time_index(program, root, cache):
    """Seconds and MiB of a whole process that indexes the tree."""
    environment = {**os.environ, "AUXBENCH_IMAGENET": str(root), "XDG_CACHE_HOME": str(cache)}
    return run_measured([program, "data", "find", "imagenet", "--json"], environment)[:2]


def index_lines(args):
    if args.files == 0:
        return []
    with tempfile.TemporaryDirectory() as folder:
        root, cache = pathlib.Path(folder, "imagenet"), pathlib.Path(folder, "cache")
        make_empty_tree(root, args.files)
        time.sleep(3)  # an index is kept of folders that have been quiet for two seconds
        anew, kept = time_index(args.program, root, cache), [time_index(args.program, root, cache) for _ in range(args.rounds)]
    seconds, memory = statistics.median(taken for taken, _ in kept), max(used for _, used in kept)
    return ["", f"Index of {args.files} empty files in 2 x 1000 class folders, whole process `auxbench data find imagenet`, "
            "the file system's own caches warm:", "", "| index | seconds | resident MiB |", "|---|---|---|",
            f"| read anew and kept | {anew[0]:.2f} | {anew[1]:.0f} |", f"| from the cache | {seconds:.2f} | {memory:.0f} |"]


def core_lines(args, rate):
    """How many cores with this rate keep a GPU busy, by the training speeds that scripts/gpu-check published."""
    lines = []
    for file in sorted(args.published.glob("gpu-check-*.json")):
        found = json.loads(file.read_text("utf-8"))
        lines += ["", f"Cores that keep a GPU busy, each loading {rate:.0f} images/s as above (the most workers, a worker); "
                  f"training speeds of {found['circumstances']['gpu']} are those of [{file.stem}]({file.stem}.md):", "",
                  "| network | variant | the GPU trains, images/s | cores |", "|---|---|---|---|"]
        for row in found["training"]:
            speed = row["images_per_second"]
            lines.append(f"| {row['model']} | {row['variant']} | {speed:.0f} | {math.ceil(speed / rate)} |")
    return lines


def main():
    args = arguments()
    torch.set_num_threads(1)
    text = [f"{args.images} generated photographs of 500 x 375 (a tenth for validation), JPEG to normalised 224 x 224, batches of "
            f"{BATCH}; medians of {args.rounds} rounds in turn. torchvision {torchvision.__version__}, Pillow {PIL.__version__}. "
            f"{circumstances()}", "",
            "| transforms | workers | auxbench, images/s | ImageFolder + DataLoader | auxbench is faster by (quartiles) |",
            "|---|---|---|---|---|"]
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        tree = pathlib.Path(folder, "photographs")
        subprocess.run([args.program, "data", "generate", "photographs", "--images", str(args.images), "--out", tree],
                       stdout=subprocess.DEVNULL, check=True)
        for kind in TRANSFORMS:
            for workers in args.workers:
                ours, theirs = compare(args, tree / "train", kind, workers)
                rates[kind, workers] = statistics.median(ours) / workers
                low, median, high = quartiles([a / b for a, b in zip(ours, theirs)])
                text.append(f"| {kind} | {workers} | {statistics.median(ours):.0f} | {statistics.median(theirs):.0f} | "
                            f"{median:.1f} ({low:.1f} .. {high:.1f}) |")
    text += core_lines(args, rates["train", max(args.workers)])
    text += index_lines(args)
    result = "\n".join(text) + "\n"
    print(result, end="")
    if args.publish:
        (args.published / "bench-loading.md").write_text(
            "# Loading photographs: auxbench, torchvision\n\nMade by `scripts/bench-loading --publish`: " + result, "utf-8")


if __name__ == "__main__":
    main()
