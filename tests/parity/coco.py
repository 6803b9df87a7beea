"""auxbench coco-eval against pycocotools on random sets with crowds, ties and empty images.

    coco.py PROGRAM [SETS]      200 sets unless told

scripts/test names an interpreter that has pycocotools; without one the exit code is 77.
"""

import contextlib
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import reference

reference.need("numpy", "pycocotools")

import numpy
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

NAMES = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


def add_oddities(draw, images, categories, annotations, detections):
    """What box evaluation does not need may hold anything, and whole numbers may be written as floats."""
    odd = (None, "uuid", 0, -1, 640.0, 1e300, 2 ** 100, float("nan"), float("-inf"), True, [], {"a": [None]})
    for rows, keys in ((images, ("width", "height", "file_name", "date_captured")), (categories, ("name", "supercategory")),
                       (annotations, ("score", "segmentation", "ignore")), (detections, ("id", "area", "iscrowd", "segmentation"))):
        for row in rows:
            for key in draw.sample(keys, draw.randint(0, 2)):
                row[key] = draw.choice(odd)
    for row in annotations + detections:
        for key in ("image_id", "category_id"):
            if draw.random() < 0.2:
                row[key] = float(row[key])


def random_set(draw):
    """Few images and categories, so that everything meets everything; scores and boxes on a coarse grid, so that ties abound."""
    images = [{"id": number} for number in draw.sample(range(1, 1000), draw.randint(1, 12))]
    categories = [{"id": number, "name": f"c{number}"} for number in draw.sample(range(1, 90), draw.randint(1, 5))]
    span = draw.choice((12, 40, 200))

    def box():
        return [draw.randint(0, 40) * span / 10, draw.randint(0, 40) * span / 10,
                draw.randint(1, 20) * span / 10, draw.randint(1, 20) * span / 10]

    annotations, detections = [], []
    for image in images:
        for _ in range(draw.choice((0, 0, 1, 3, 9))):
            x, y, w, h = box()
            annotations.append({"id": len(annotations) + 1, "image_id": image["id"],
                                "category_id": draw.choice(categories)["id"], "bbox": [x, y, w, h],
                                "area": w * h * draw.choice((0.5, 0.9, 1.0)), "iscrowd": int(draw.random() < 0.15)})
        own = [entry for entry in annotations if entry["image_id"] == image["id"]]
        for _ in range(draw.choice((0, 2, 10, 130))):
            like = draw.choice(own) if own and draw.random() < 0.7 else None
            place = [value + draw.choice((-1, 0, 0, 1)) * span / 20 for value in like["bbox"]] if like else box()
            category = like["category_id"] if like and draw.random() < 0.8 else draw.choice(categories)["id"]
            detections.append({"image_id": image["id"], "category_id": category,
                               "bbox": place[:2] + [max(0.0, size) for size in place[2:]], "score": draw.randint(0, 16) / 16})
    draw.shuffle(annotations)
    draw.shuffle(detections)
    if draw.random() < 0.3:
        add_oddities(draw, images, categories, annotations, detections)
    return {"images": images, "categories": categories, "annotations": annotations}, detections


def wanted_of(truth, detections):
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        # pycocotools cannot load an empty list of results.
        found = coco.loadRes(detections) if detections else COCO()
        if not detections:
            found.dataset = {"images": truth["images"], "categories": truth["categories"], "annotations": []}
            found.createIndex()
        evaluation = COCOeval(coco, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    by_category = {}
    for k, category in enumerate(evaluation.params.catIds):
        precision = evaluation.eval["precision"][:, :, k, 0, 2]
        by_category[category] = float(numpy.mean(precision)) if (precision > -1).all() else None
    return {name: None if value < 0 else float(value) for name, value in zip(NAMES, evaluation.stats)}, by_category


def found_by(program, truth, detections):
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder, name) for name in ("truth.json", "detections.json")]
        for path, content in zip(paths, (truth, detections)):
            path.write_text(json.dumps(content), "utf-8")
        done = subprocess.run([program, "coco-eval", *paths, "--json"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"coco-eval: exit code {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)


def differ(wanted, found):
    if wanted is None or found is None:
        return wanted is not found
    return abs(wanted - found) > 1e-12


def main():
    program, sets = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200
    wrong = 0
    for seed in range(sets):
        truth, detections = random_set(random.Random(seed))
        found = found_by(program, truth, detections)
        wanted, wanted_by_category = wanted_of(truth, detections)  # writes fields of its own into the rows
        rows = [(name, wanted[name], found[name]) for name in NAMES]
        rows += [(f"category {own['id']}", wanted_by_category[own["id"]], own["AP"]) for own in found["categories"]]
        for name, theirs, ours in rows:
            if differ(theirs, ours):
                wrong += 1
                print(f"set {seed}: {name}: pycocotools {theirs}, auxbench {ours}")
    print(f"{sets} sets, {wrong} numbers differ")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
