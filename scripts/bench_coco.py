"""Times auxbench coco-eval against pycocotools and faster-coco-eval: from two files to twelve numbers, in turn.

Python's imports are not timed; auxbench's whole process is. The three must agree to 1e-12.
"""

import argparse
import contextlib
import io
import json
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

from faster_coco_eval import COCO as FasterCOCO
from faster_coco_eval import COCOeval_faster
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from bench_report import circumstances, quartiles

NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--published", type=pathlib.Path, required=True)
    parser.add_argument("--publish", action="store_true")
    for name, value in (("rounds", 3), ("images", 5000), ("detections", 100), ("classes", 80)):
        parser.add_argument(f"--{name}", type=int, default=value)
    return parser.parse_args()


def write_set(args, folder):
    """COCO's own density: seven truths an image, most detections near one of them."""
    draw = random.Random(1)
    truth = {"images": [{"id": number} for number in range(1, args.images + 1)],
             "categories": [{"id": number, "name": f"c{number}"} for number in range(1, args.classes + 1)],
             "annotations": []}
    detections = []
    for image in range(1, args.images + 1):
        own = []
        for _ in range(draw.randint(0, 14)):
            x, y, w, h = draw.uniform(0, 500), draw.uniform(0, 400), 2 ** draw.uniform(2, 8), 2 ** draw.uniform(2, 8)
            own.append({"id": len(truth["annotations"]) + 1, "image_id": image, "category_id": draw.randint(1, args.classes),
                        "bbox": [x, y, w, h], "area": 0.7 * w * h, "iscrowd": int(draw.random() < 0.01)})
            truth["annotations"].append(own[-1])
        for _ in range(args.detections):
            like = draw.choice(own) if own and draw.random() < 0.5 else None
            box = ([value * draw.uniform(0.9, 1.1) for value in like["bbox"]] if like else
                   [draw.uniform(0, 500), draw.uniform(0, 400), 2 ** draw.uniform(2, 8), 2 ** draw.uniform(2, 8)])
            detections.append({"image_id": image, "category_id": like["category_id"] if like else draw.randint(1, args.classes),
                               "bbox": [round(value, 2) for value in box], "score": round(draw.random(), 3)})
    paths = [pathlib.Path(folder, name) for name in ("truth.json", "detections.json")]
    for path, content in zip(paths, (truth, detections)):
        path.write_text(json.dumps(content), "utf-8")
    return [str(path) for path in paths]


def by_python(coco, evaluator, paths):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco(paths[0])
        evaluation = evaluator(truth, truth.loadRes(paths[1]), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats[:12]]


def by_auxbench(program, paths):
    found = json.loads(subprocess.run([program, "coco-eval", *paths, "--json"], capture_output=True, text=True, check=True).stdout)
    return [-1 if found[name] is None else found[name] for name in NAMES]


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        paths = write_set(args, folder)
        contenders = {"auxbench": lambda: by_auxbench(args.program, paths),
                      "faster-coco-eval": lambda: by_python(FasterCOCO, COCOeval_faster, paths),
                      "pycocotools": lambda: by_python(COCO, COCOeval, paths)}
        seconds, numbers = {name: [] for name in contenders}, {}
        for _ in range(args.rounds):
            for name, evaluate in contenders.items():
                begin = time.perf_counter()
                numbers[name] = evaluate()
                seconds[name].append(time.perf_counter() - begin)
    apart = {name: max(abs(a - b) for a, b in zip(numbers[name], numbers["auxbench"])) for name in contenders}
    text = [f"{args.images} images, {args.detections} detections each, {args.classes} classes; from two JSON files to twelve "
            f"numbers, one thread, Python's imports not counted; medians of {args.rounds} rounds in turn. "
            f"{circumstances()}", "",
            "| evaluator | seconds | auxbench is faster by (quartiles) | largest difference of a number |", "|---|---|---|---|"]
    for name in contenders:
        ratios = [theirs / ours for theirs, ours in zip(seconds[name], seconds["auxbench"])]
        low, median, high = quartiles(ratios)
        text.append(f"| {name} | {statistics.median(seconds[name]):.2f} | {median:.1f} ({low:.1f} .. {high:.1f}) | {apart[name]:.1e} |")
    result = "\n".join(text) + "\n"
    print(result, end="")
    if args.publish:
        (args.published / "bench-coco.md").write_text(
            "# COCO evaluation: auxbench, pycocotools, faster-coco-eval\n\nMade by `scripts/bench-coco --publish`: " + result, "utf-8")


if __name__ == "__main__":
    main()
