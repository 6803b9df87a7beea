"""Data as a user meets them: generated trees, found, verified, broken, trained on.

Called as: data.py AUXBENCH SOURCE_ROOT [unittest arguments]. Without Fashion-MNIST the exit code is 77: skipped.
"""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(sys.argv.pop(1))
SOURCE = pathlib.Path(sys.argv.pop(1))


class Data(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="auxbench-data-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.environment = {key: value for key, value in os.environ.items() if not key.startswith("AUXBENCH_")}
        cls.environment |= {f"XDG_{name}_HOME": str(cls.folder / name.lower()) for name in ("DATA", "CACHE", "CONFIG")}
        if "AUXBENCH_DATA" in os.environ:
            cls.environment["AUXBENCH_DATA"] = os.environ["AUXBENCH_DATA"]
        for what, images in (("scenes", 60), ("photographs", 60)):
            cls.run_program("data", "generate", what, "--images", images, "--seed", 3, "--out", cls.folder / what)

    @classmethod
    def run_program(cls, *arguments, **variables):
        return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, errors="replace", timeout=250,
                              env={**cls.environment, **{key: str(value) for key, value in variables.items()}})

    def found(self, *arguments, code=0, **variables):
        result = self.run_program(*arguments, "--json", **variables)
        self.assertEqual(result.returncode, code, result.stderr)
        return json.loads(result.stdout)

    def copy(self, what):
        copied = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / what
        shutil.copytree(self.folder / what, copied)
        return copied

    def test_generated_scenes_are_coco_and_the_same_every_time(self):
        again = self.folder / "again"
        self.assertEqual(self.run_program("data", "generate", "scenes", "--images", 60, "--seed", 3, "--out", again,
                                          "--threads", 3).returncode, 0)
        first, second = (self.found("data", "verify", "scenes", AUXBENCH_SCENES=place) for place in (self.folder / "scenes", again))
        self.assertEqual(first["content_sha256"], second["content_sha256"])
        self.assertEqual((first["files"], first["faults"], first["missing"]), (60, [], ""))
        refused = self.run_program("data", "generate", "scenes", "--images", 60, "--out", again)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("again: is not empty", refused.stderr)

    def test_styles_are_of_scenes_alone(self):
        plain = self.folder / "plain"
        self.assertEqual(self.run_program("data", "generate", "scenes", "--images", 6, "--style", "plain",
                                          "--out", plain).returncode, 0)
        truth = json.loads((plain / "annotations/instances_train2017.json").read_text())
        self.assertEqual({(image["width"], image["height"]) for image in truth["images"]}, {(160, 160)})
        self.assertEqual([category["name"] for category in truth["categories"]],
                         ["top", "trouser", "dress", "shoe", "bag"])
        self.assertLessEqual({each["category_id"] for each in truth["annotations"]}, set(range(1, 6)))
        for what, style in (("photographs", "plain"), ("scenes", "wild")):
            refused = self.run_program("data", "generate", what, "--style", style, "--out", self.folder / "none")
            self.assertEqual(refused.returncode, 2, refused.stderr)
            self.assertIn("--style", refused.stderr)

    def test_a_manifest_is_sha256sums_and_shows_what_changed(self):
        root, manifest = self.copy("photographs"), self.folder / "manifest"
        verify = ("data", "verify", "imagenet")
        self.assertEqual(self.run_program(*verify, "--out", manifest, AUXBENCH_IMAGENET=root).returncode, 0)
        lines = [line.split("  ", 1) for line in manifest.read_text().splitlines()]
        self.assertEqual(len(lines), 60)
        for digest, name in lines:
            self.assertEqual(hashlib.sha256((root / name).read_bytes()).hexdigest(), digest)
        victim = root / lines[7][1]
        victim.write_bytes(victim.read_bytes()[:5000])
        broken = self.found(*verify, "--manifest", manifest, code=4, AUXBENCH_IMAGENET=root)
        self.assertEqual([fault["file"] for fault in broken["faults"]], [lines[7][1]])
        self.assertEqual(broken["changes"], [{"file": lines[7][1], "what": "changed"}])
        self.found(*verify, "--complete", code=4, AUXBENCH_IMAGENET=self.folder / "photographs")

    def test_find_tells_of_all_and_demands_one_that_is_named(self):
        places = {entry["dataset"]: entry["folder"] for entry in self.found("data", "find", AUXBENCH_SCENES=self.folder / "scenes")}
        self.assertEqual(places["scenes"], str(self.folder / "scenes"))
        self.assertIsNone(places["coco"])
        named = self.run_program("data", "find", "coco")
        self.assertEqual(named.returncode, 4)
        self.assertIn("$AUXBENCH_COCO", named.stderr)
        config = self.folder / "config" / "auxbench" / "config.json"
        config.parent.mkdir(parents=True)
        config.write_text(json.dumps({"imagenet": str(self.folder / "photographs")}))
        self.addCleanup(config.unlink)
        (entry,) = self.found("data", "find", "imagenet")
        self.assertEqual(entry["content"], "50 + 10 images, 10 classes")
        self.assertIn("1,281,117 missing", entry["missing"])

    def test_every_data_set_of_the_paper_has_a_reader(self):
        tables = SOURCE / "suites" / "paper_tables.json"
        for tier in json.loads(tables.read_text())["tiers"]:
            planned = self.run_program("plan", tables, "--tier", tier)
            self.assertEqual(planned.returncode, 0, planned.stderr)
            self.assertNotIn("not implemented yet: dataset", planned.stdout)
        self.assertFalse((self.folder / "cache" / "auxbench" / "scenes").exists())  # a plan paints nothing
        self.assertIn("needs cifar100, which was not found", self.run_program("plan", tables, "--tier", "full").stdout)

    def test_cifar_that_is_missing_or_cut_says_so(self):
        missing = self.run_program("data", "verify", "cifar100")
        self.assertEqual(missing.returncode, 4)
        self.assertIn("unpack cifar-100-binary.tar.gz of https://www.cs.toronto.edu/~kriz/cifar.html", missing.stderr)
        root = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "cifar-100-binary"
        root.mkdir()
        for name in ("train.bin", "test.bin"):
            (root / name).write_bytes(bytes(3074))
        cut = self.run_program("data", "verify", "cifar100", AUXBENCH_CIFAR100=root.parent)
        self.assertEqual(cut.returncode, 4)
        self.assertIn(f"{root}/train.bin: truncated: expected 153700000 bytes, got 3074", cut.stderr)

    def test_an_odd_tree_is_read_as_torchvision_does_and_told_of(self):
        root = self.copy("photographs")
        before = self.found("data", "find", "imagenet", AUXBENCH_IMAGENET=root)[0]
        first = sorted((root / "train").iterdir())[0]
        inner = first / "images"
        inner.mkdir()
        for file in sorted(first.glob("*.JPEG")):
            file.rename(inner / file.name)
        (first / ".#notes").symlink_to("nobody@nowhere.1")
        (after,) = self.found("data", "find", "imagenet", AUXBENCH_IMAGENET=root)
        self.assertEqual(after["content"], before["content"] + ", 1 other files passed over")
        victim = next(inner.glob("*.JPEG"))
        shutil.copy(SOURCE / "tests/datasets/photographs/thin.png", victim)
        broken = self.found("data", "verify", "imagenet", code=4, AUXBENCH_IMAGENET=root)
        self.assertEqual(broken["faults"], [{"file": str(victim.relative_to(root)),
                                             "what": "a strip of 4000 x 3 pixels: longer than 1000 times its width"}])
        refused = self.run_program("probe", "transform", "imagenet-eval", "--input", victim, "--out", self.folder / "o")
        self.assertEqual(refused.returncode, 4)
        self.assertIn(f"{victim}: a strip of 4000 x 3 pixels", refused.stderr)

    def suite(self, *arguments, **variables):
        suite = self.folder / "suite.json"
        suite.write_text(json.dumps({"name": "photographs", "extends": str(SOURCE / "suites/shared/tiers.json"),
                                     "defaults": {"model": "resnet18", "width": 0.0625, "quantizer": "none"}, "include": [{}]}))
        return self.run_program("run", suite, "--out", self.folder / "out", *arguments, **variables)

    def test_a_cell_trains_on_photographs_whatever_the_workers(self):
        small = ("--tier", "smoke", "--set", "dataset=imagenet", "--set", "stem=imagenet", "--set", "train_images=20",
                 "--set", "test_images=10", "--set", 'pretrain.augment=["random-resized-crop","flip"]', "--threads", 1)
        digests = []
        for workers in (0, 3):
            shutil.rmtree(self.folder / "out", ignore_errors=True)
            result = self.suite(*small, "--workers", workers, AUXBENCH_IMAGENET=self.folder / "photographs")
            self.assertEqual(result.returncode, 0, result.stderr)
            (record,) = map(json.loads, (self.folder / "out/records.jsonl").read_text().splitlines())
            digests.append(record["facts"]["weights_sha256"])
            self.assertEqual(record["facts"]["train_images"], 20)
            self.assertIn("Not the whole dataset: imagenet: train: 10 of 1,000 classes", (self.folder / "out/report.md").read_text())
        self.assertEqual(digests[0], digests[1])
        root = self.copy("photographs")
        next((root / "val").rglob("*.JPEG")).write_bytes(b"no photograph")
        failed = self.suite(*small, AUXBENCH_IMAGENET=root)
        self.assertEqual(failed.returncode, 5)
        self.assertIn(".JPEG: neither JPEG nor PNG", failed.stderr)

    def test_a_detector_is_shown_with_what_it_finds_wherever_its_folder_goes(self):
        suite, out = self.folder / "detector.json", self.folder / "detector"
        suite.write_text(json.dumps({
            "name": "detector", "extends": str(SOURCE / "suites/shared/tiers.json"), "include": [{}],
            "defaults": {"task": "detection", "dataset": "coco", "model": "retinanet-resnet18", "quantizer": "none",
                         "pretrain": {"augment": ["flip"]}, "finetune": {"augment": ["flip"]}},
            "tables": [{"id": "t", "title": "Detectors", "metrics": ["ap"], "rows": [{"title": "ResNet-18"}],
                        "columns": [{"id": "fp", "title": "full precision", "role": "full-precision"}]}]}))
        run = ("run", suite, "--tier", "smoke", "--threads", 1, "--out", out)
        link = "](pictures/boxes-"
        self.assertEqual(self.run_program(*run, AUXBENCH_SCENES=self.folder / "scenes").returncode, 0)
        (samples,), (picture,) = out.glob("cells/*/boxes.safetensors"), out.glob("pictures/boxes-*.png")
        kept, drawn = samples.read_bytes(), picture.read_bytes()
        self.assertEqual(drawn[:8], b"\x89PNG\r\n\x1a\n")
        self.assertIn(f"{link}{picture.name[6:]})", (out / "report.md").read_text())
        # Elsewhere, without its cells: the picture is still the one that is wanted.
        moved = self.folder / "moved"
        shutil.copytree(out, moved)
        shutil.rmtree(moved / "cells")
        self.assertEqual(self.run_program("report", moved).returncode, 0)
        self.assertIn(link, (moved / "report.md").read_text())
        shutil.rmtree(moved / "pictures")
        self.assertEqual(self.run_program("report", moved).returncode, 0)
        page = (moved / "report.md").read_text()
        self.assertNotIn(link, page)
        self.assertRegex(page, r"No picture of ResNet-18: cells/.*/boxes.safetensors: no such file\n")
        # A damaged file is said; a missing one is made from the cell's outcomes, the same bytes.
        picture.unlink()
        samples.write_bytes(kept[: len(kept) // 2])
        self.assertEqual(self.run_program("report", out).returncode, 0)
        self.assertIn("No picture of ResNet-18: cells/", (out / "report.md").read_text())
        samples.unlink()
        self.assertEqual(self.run_program(*run, AUXBENCH_SCENES=self.folder / "scenes").returncode, 0)
        self.assertEqual(samples.read_bytes(), kept)
        self.assertEqual(picture.read_bytes(), drawn)

    def test_a_file_name_that_is_not_utf8_is_still_named(self):
        root = self.copy("photographs")
        victim = next((root / "val").rglob("*.JPEG"))
        victim.unlink()
        pathlib.Path(os.fsdecode(os.fsencode(victim.parent) + b"/caf\xe9.JPEG")).write_bytes(b"no photograph")
        broken = self.found("data", "verify", "imagenet", code=4, AUXBENCH_IMAGENET=root)
        self.assertIn("caf\ufffd.JPEG", broken["faults"][0]["file"])
        small = ("--tier", "smoke", "--set", "dataset=imagenet", "--set", "stem=imagenet", "--set", "train_images=20", "--threads", 1)
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        self.assertEqual(self.suite(*small, AUXBENCH_IMAGENET=root).returncode, 5)
        self.assertIn("caf\ufffd.JPEG", (self.folder / "out/records.jsonl").read_text(encoding="utf-8"))

    def test_a_part_of_imagenet_is_not_the_full_tier(self):
        for tier in ((), ("--tier", "full")):  # what is found decides the tier; that it is whole decides whether it runs
            result = self.suite(*tier, AUXBENCH_IMAGENET=self.folder / "photographs")
            self.assertEqual(result.returncode, 4)
            self.assertIn("not all of ImageNet: train: 10 of 1,000 classes, 990 missing", result.stderr)

    def test_the_doctor_says_what_is_in_order_and_what_is_not(self):
        findings = self.found("doctor", "--no-speed", AUXBENCH_IMAGENET=self.folder / "photographs")
        self.assertNotIn("BAD", {finding["health"] for finding in findings})
        self.assertIn("imagenet", {finding["subject"] for finding in findings})
        (self.folder / "no-weights.pth").write_bytes(b"\x80\x02c__builtin__\neval\n")
        sick = self.run_program("doctor", "--no-speed", "--weights", self.folder / "no-weights.pth", XDG_CACHE_HOME="/proc/nowhere")
        self.assertEqual(sick.returncode, 1)
        self.assertEqual(sum(line.startswith("BAD") for line in sick.stdout.splitlines()), 2, sick.stdout)


if __name__ == "__main__":
    if subprocess.run([PROGRAM, "data", "find", "fashion-mnist"], capture_output=True).returncode != 0:
        sys.exit(77)
    unittest.main()
