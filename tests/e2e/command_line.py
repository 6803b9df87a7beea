"""The program as a user meets it: exit codes, one-line errors, kills, resumption, cached cells.

Called as: command_line.py AUXBENCH SOURCE_ROOT [unittest arguments]
"""

import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

PROGRAM = pathlib.Path(sys.argv.pop(1))
SOURCE = pathlib.Path(sys.argv.pop(1))
SMOKE = SOURCE / "suites" / "smoke.json"
FORMATS = {"F32": "f", "F64": "d", "I64": "q", "I32": "i", "I8": "b", "U8": "B"}
VARIES = ("seconds", "provenance", "rerun")


def run(*arguments, **options):
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, env=environment, timeout=250, **options)


def records(folder):
    """What must agree between two runs of the same cells, by id."""
    found = {}
    for line in (folder / "records.jsonl").read_text().splitlines():
        record = json.loads(line)
        found[record["id"]] = {key: value for key, value in record.items() if key not in VARIES}
    return found


def write_tensors(path, tensors):
    """Safetensors by hand: name to (type, shape, list of numbers)."""
    header, data = {}, b""
    for name, (kind, shape, numbers) in tensors.items():
        packed = struct.pack(f"<{len(numbers)}{FORMATS[kind]}", *numbers)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(packed)]}
        data += packed
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_tensors(path, kind="F64"):
    """The tensors of one type in a file, flat."""
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    found = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__" and entry["dtype"] == kind:
            begin, end = entry["data_offsets"]
            count = (end - begin) // struct.calcsize(FORMATS[kind])
            found[name] = list(struct.unpack(f"<{count}{FORMATS[kind]}", data[start + begin : start + end]))
    return found


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="auxbench-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def expect_error(self, result, code, *parts):
        self.assertEqual(result.returncode, code, result.stderr)
        lines = result.stderr.strip().splitlines()
        self.assertTrue(lines[-1].startswith("auxbench: "), result.stderr)
        for part in parts:
            self.assertIn(part, lines[-1])

    def smoke(self, out, *arguments, **options):
        return run("run", SMOKE, "--tier", "smoke", "--out", self.folder / out, "--threads", 1, *arguments, **options)

    def test_a_run_writes_records_and_a_report_and_a_second_one_finds_them(self):
        first = self.smoke("out")
        self.assertEqual(first.returncode, 0, first.stderr)
        report = (self.folder / "out" / "report.md").read_text()
        self.assertIn("Tier **smoke** on cpu", report.splitlines()[2])
        again = self.smoke("out")
        self.assertEqual(again.returncode, 0)
        self.assertIn("0 completed, 7 cached, 0 skipped", again.stderr)
        self.assertEqual((self.folder / "out" / "report.md").read_text().split("## Cells")[0], report.split("## Cells")[0])

    def test_a_run_killed_again_and_again_ends_with_the_records_of_one_that_was_not(self):
        slow = ("--set", "train_images=4000", "--set", "pretrain.epochs=3", "--set", "finetune.epochs=3", "--only", "*dorefa-w2a2*")
        whole = self.smoke("whole", *slow)
        self.assertEqual(whole.returncode, 0, whole.stderr)
        chance = random.Random(7)
        kills = 0
        for _ in range(200):
            process = subprocess.Popen([PROGRAM, "run", SMOKE, "--tier", "smoke", "--out", self.folder / "killed", "--threads", "1", *slow],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(timeout=chance.uniform(1.0, 3.0) + 0.1 * kills)
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
        self.assertGreater(kills, 0)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(records(self.folder / "killed"), records(self.folder / "whole"))

    def test_a_report_names_the_machine_that_made_the_records_not_the_one_that_reads_them(self):
        self.assertEqual(self.smoke("out", "--only", "resnet18-fp-s0").returncode, 0)
        (path,) = (self.folder / "out").glob("cells/*/record.json")
        record = json.loads(path.read_text())
        record["provenance"].update(cpu="Another Processor", threads=96)
        path.write_text(json.dumps(record) + "\n")
        self.assertEqual(run("report", SMOKE, "--tier", "smoke", "--out", self.folder / "out").returncode, 0)
        self.assertIn("on cpu, 96 threads, Another Processor: a proxy", (self.folder / "out" / "report.md").read_text())

    def test_the_report_grows_while_the_run_goes_on(self):
        out = self.folder / "out"
        process = subprocess.Popen([PROGRAM, "run", SMOKE, "--tier", "smoke", "--out", out, "--set", "finetune.epochs=10000"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)  # a killed run would leave workers that still write into the folder
        while not (out / "report.md").exists():
            self.assertIsNone(process.poll(), "the run ended before its first report")
            time.sleep(0.05)
        self.assertIn("not run yet", (out / "report.md").read_text())

    def selected(self, out):
        plan = json.loads((self.folder / out / "plan.json").read_text())
        return [cell["slug"] for cell in plan["cells"] if cell.get("selected", True)]

    def test_a_run_keeps_its_plan_and_one_of_other_cells_extends_it(self):
        self.assertEqual(self.smoke("out", "--only", "resnet18-fp-s0").returncode, 0)
        self.assertEqual(self.selected("out"), ["resnet18-fp-s0"])
        self.assertEqual(self.smoke("out", "--only", "resnet18-dorefa-w2a2-s0").returncode, 0)
        self.assertEqual(self.selected("out"), ["resnet18-fp-s0", "resnet18-dorefa-w2a2-s0"])
        self.assertEqual(self.smoke("out", "--only", "resnet18-fp-s0").returncode, 0)
        self.assertEqual(self.selected("out"), ["resnet18-fp-s0", "resnet18-dorefa-w2a2-s0"])
        found = records(self.folder / "out")
        plan = json.loads((self.folder / "out" / "plan.json").read_text())
        start, child = (next(cell for cell in plan["cells"] if cell["slug"] == slug) for slug in self.selected("out"))
        self.assertEqual(child["needs"], [start["id"]])
        self.assertEqual(set(found), {start["id"], child["id"]})
        self.assertEqual(found[child["id"]]["spec"], child["spec"])

    def test_a_folder_of_another_suite_and_a_damaged_plan_are_refused(self):
        self.assertEqual(self.smoke("out", "--only", "resnet18-fp-s0").returncode, 0)
        other = self.folder / "other.json"
        other.write_text(json.dumps({"extends": str(SMOKE), "name": "other"}))
        refused = run("run", other, "--tier", "smoke", "--out", self.folder / "out")
        self.expect_error(refused, 2, "the folder holds suite smoke, this run is of suite other: choose another --out")
        plan = self.folder / "out" / "plan.json"
        text = plan.read_text()
        plan.write_text(text[: len(text) // 2])
        self.expect_error(self.smoke("out"), 4, "plan.json: no JSON")
        plan.write_text(text.replace('"schema_version": 1', '"schema_version": 7'))
        self.expect_error(self.smoke("out"), 4, "plan.json: a plan of schema 7", "this program reads schema 1")

    def test_a_record_of_another_version_stops_nothing(self):
        self.assertEqual(self.smoke("out", "--only", "resnet18-fp-s0").returncode, 0)
        path = self.folder / "out" / "records.jsonl"
        line = path.read_text()
        record = json.loads(line)
        strange = {**record, "id": "strange", "spec": {**record["spec"], "colour": "red"}}
        path.write_text(line + json.dumps({**record, "id": "future", "schema_version": 99}) + "\n" + json.dumps(strange) + "\n")
        suite = (SMOKE, "--tier", "smoke", "--out", self.folder / "out")
        for arguments in (("plan", *suite), ("report", *suite), ("ls", self.folder / "out"), ("show", self.folder / "out", record["id"])):
            result = run(*arguments)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("records.jsonl:2: future is of another version", result.stderr)
        planned = run("plan", *suite)
        self.assertIn("strange/colour: unknown key: a record of another version", planned.stderr)
        self.assertIn("cached: completed", planned.stdout)

    def test_the_plan_prices_cells_side_by_side(self):
        suite = (SOURCE / "suites" / "paper_tables.json", "--tier", "embedded", "--out", self.folder / "out")
        alone, pair = (json.loads(run("plan", *suite, "--jobs", jobs, "--json").stdout) for jobs in (1, 2))
        self.assertEqual(alone["estimated_wall_seconds"], alone["estimated_seconds"])
        self.assertEqual(pair["estimated_seconds"], alone["estimated_seconds"])
        self.assertGreaterEqual(pair["estimated_wall_seconds"], 0.5 * pair["estimated_seconds"])
        self.assertLess(pair["estimated_wall_seconds"], 0.55 * pair["estimated_seconds"])
        self.assertRegex(run("plan", *suite, "--jobs", 2).stdout.splitlines()[-1], r"about .* of one thread, .* with 2 jobs")
        self.assertEqual(run("plan", *suite, "--jobs", 0).returncode, 2)

    def test_a_report_is_written_with_the_picture_of_its_claims(self):
        out = self.folder / "out"
        out.mkdir()
        self.assertEqual(run("report", SOURCE / "suites" / "paper_tables.json", "--tier", "embedded", "--out", out).returncode, 0)
        self.assertIn("](claims.svg)", (out / "report.md").read_text())
        self.assertTrue((out / "claims.svg").read_text().startswith("<svg"))

    def test_users_mistakes_are_one_line_with_a_place_and_a_code(self):
        suite = self.folder / "s.json"
        suite.write_text('{\n  "extends": "nowhere.json"}')
        self.expect_error(run("validate", suite), 3, "s.json:2:14: /extends: no such file")
        suite.write_text('{"matirx": {}}')
        self.expect_error(run("plan", suite), 3, "s.json:1:12: /matirx: unknown key, did you mean matrix?")
        self.expect_error(run("run", self.folder / "none.json"), 3, "none.json: cannot be read")
        self.expect_error(run("run", SMOKE, "--tier", "smok"), 2, "did you mean smoke?")
        self.expect_error(run("run", SMOKE, "--device", "tpu"), 2, "--device tpu")
        self.expect_error(run("run", SMOKE, "--tier", "smoke", "--budget", "soon"), 2, "--budget soon")
        self.expect_error(run("run", SMOKE, "--nonsense"), 2)
        self.expect_error(run("ls", self.folder / "nothing"), 4, "no such results folder")
        self.expect_error(run("run", SMOKE, "--tier", "smoke", "--out", suite / "below"), 2, "cannot be created")

    def test_damaged_data_are_refused_by_name(self):
        source = pathlib.Path("/usr/share/datasets/fashion-mnist")
        if not source.exists():
            self.skipTest("Fashion-MNIST is not where its package puts it")
        root = self.folder / "data" / "fashion-mnist"
        shutil.copytree(source, root, copy_function=shutil.copy)
        labels = root / "t10k-labels-idx1-ubyte.gz"
        labels.write_bytes(labels.read_bytes()[:2000])
        result = self.smoke("out", "--data-root", self.folder / "data")
        self.expect_error(result, 4, "t10k-labels-idx1-ubyte.gz")

    def test_data_that_a_task_cannot_use_are_refused(self):
        result = run("run", SMOKE, "--tier", "full", "--set", "dataset=coco", "--out", self.folder / "full")
        self.expect_error(result, 3, "dataset coco has boxes, not one label an image: it is for task detection")

    def test_a_diverging_cell_is_a_record_and_the_others_go_on(self):
        result = self.smoke("out", "--set", "finetune.lr=1e30", "--only", "*dorefa-w2a2-s0")
        self.assertEqual(result.returncode, 5, result.stderr)
        found = {record["slug"]: record["status"] for record in records(self.folder / "out").values()}
        self.assertEqual(found, {"resnet18-fp-s0": "completed", "resnet18-dorefa-w2a2-s0": "diverged"})

    def test_a_budget_that_is_spent_starts_no_cell_and_still_reports(self):
        result = self.smoke("out", "--budget", "0s")
        self.assertEqual(result.returncode, 7)
        self.assertIn("not run yet", (self.folder / "out" / "report.md").read_text())

    def test_probes_answer_with_files(self):
        x, out = self.folder / "x", self.folder / "out.safetensors"
        write_tensors(x, {"input": ("F32", [4], [-1.0, 0.25, 0.5, 3.0])})
        quantizer = run("probe", "quantizer", "dorefa", "--bits", 2, "--role", "activation", "--input", x, "--out", out)
        self.assertEqual(quantizer.returncode, 0, quantizer.stderr)
        self.assertEqual(read_tensors(out)["codes"], [0.0, 1.0, 2.0, 3.0])

        self.assertEqual(self.smoke("smoke", "--only", "*dorefa-w2a2-auxi-s0").returncode, 0)
        start = next((self.folder / "smoke" / "cells").glob("resnet18-fp-auxi-s0-*"))
        write_tensors(x, {"input": ("F32", [2, 1, 28, 28], [0.5] * 784 + [0.1] * 784)})
        write_tensors(self.folder / "y", {"labels": ("I64", [2], [3, 7])})
        step = ("probe", "step", SMOKE, "resnet18-dorefa-w2a2-auxi-s0", "--tier", "smoke", "--weights", start / "weights.safetensors",
                "--aux-weights", start / "auxiliary.safetensors", "--input", x, "--labels", self.folder / "y", "--steps", 2,
                "--float64", "--out", out)
        result = run(*step)
        self.assertEqual(result.returncode, 0, result.stderr)
        found = read_tensors(out)
        self.assertEqual(len(found["losses"]), 2)
        self.assertEqual(found["loss"][0], found["losses"][0])
        self.assertTrue(any(found["grad.aux.fc.weight"]))
        self.expect_error(run(*step[:3], "resnet18-dorefa-w9", *step[4:]), 2, "resnet18-dorefa-w9: no such cell")
        twins = self.folder / "twins.json"
        twins.write_text(json.dumps({"extends": str(SOURCE / "suites" / "shared" / "tiers.json"),
                                     "defaults": {"model": "resnet18", "aid": ["auxi"], "quantizer": "dorefa", "weight_bits": 2,
                                                  "activation_bits": 2},
                                     "matrix": {"finetune": [{"lr": 1e-3}, {"lr": 2e-3}]}}))  # fmt: skip
        self.expect_error(run(*step[:2], twins, *step[3:]), 2, "resnet18-dorefa-w2a2-auxi-s0: more than one cell")

    def test_a_photograph_becomes_a_tensor_and_what_is_none_is_refused(self):
        photographs, out = SOURCE / "tests" / "datasets" / "photographs", self.folder / "out.safetensors"
        seen = run("probe", "transform", "imagenet-eval", "--input", photographs / "colour.jpg", "--out", out)
        self.assertEqual(seen.returncode, 0, seen.stderr)
        self.assertIn(b'"shape":[3,224,224]', out.read_bytes()[:200])
        probe = ("probe", "transform", "imagenet-eval", "--out", out, "--input")
        self.expect_error(run(*probe, photographs / "grey16.png"), 4, "grey16.png: 16-bit grey PNG")
        self.expect_error(run(*probe, SMOKE), 4, "smoke.json: neither JPEG nor PNG")
        self.expect_error(run("probe", "transform", "imagenet", "--input", SMOKE, "--out", out), 2, "imagenet: no such transform")

    def test_weights_are_listed_converted_and_never_run(self):
        saved, out = SOURCE / "tests" / "base" / "weights", self.folder / "out.safetensors"
        listed = run("weights", saved / "checkpoint.pth", "--json", "--out", out)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        names = [entry["name"] for entry in json.loads(listed.stdout)["tensors"]]
        self.assertEqual(names[0], "bn1.bias")
        self.assertEqual(run("weights", out).stdout.splitlines()[:-1], run("weights", saved / "weights.pth").stdout.splitlines()[:-1])
        self.expect_error(run("weights", saved / "hostile.pth"), 4, 'weight: made by "posix.system"')

    def test_detections_are_evaluated_and_mistakes_have_a_place(self):
        truth, found = self.folder / "truth.json", self.folder / "found.json"
        truth.write_text(json.dumps({"images": [{"id": 1}], "categories": [{"id": 3, "name": "cat"}], "annotations": [
            {"id": 1, "image_id": 1, "category_id": 3, "bbox": [0, 0, 40, 40], "area": 1600, "iscrowd": 0}]}))
        found.write_text(json.dumps([{"image_id": 1, "category_id": 3, "bbox": [0, 0, 40, 40], "score": 0.5},
                                     {"image_id": 1, "category_id": 4, "bbox": [0, 0, 40, 40], "score": 0.5}]))
        result = run("coco-eval", truth, found)
        self.assertEqual(result.returncode, 0, result.stderr)
        first = " Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ] = 1.000"
        self.assertEqual(result.stdout.splitlines()[0], first)
        self.assertEqual(len(result.stdout.splitlines()), 12)
        self.assertIn("1 detections left out", result.stderr)
        numbers = json.loads(run("coco-eval", truth, found, "--json").stdout)
        self.assertAlmostEqual(numbers["AP"], 1, places=14)
        self.assertAlmostEqual(numbers["categories"][0]["AP"], 1, places=14)
        self.assertIsNone(numbers["APs"])
        found.write_text('[{"image_id": 2, "category_id": 3, "bbox": [0, 0, 1, 1], "score": 1}]')
        self.expect_error(run("coco-eval", truth, found), 4, "/0/image_id: the ground truth has no image 2")

    def test_a_suite_can_start_from_a_file_of_weights(self):
        self.assertEqual(self.smoke("out", "--only", "resnet18-fp-s0").returncode, 0)
        (trained,) = records(self.folder / "out").values()
        weights = self.folder / "out" / "cells" / trained["id"] / "weights.safetensors"
        start = ("--set", f"weights={weights}", "--set", "pretrain=null", "--set", "auxi.pretrain=false")
        result = self.smoke("imported", "--only", "resnet18-dorefa-w2a2-s0", *start)
        self.assertEqual(result.returncode, 0, result.stderr)
        found = {record["slug"]: record for record in records(self.folder / "imported").values()}
        imported = found["resnet18-fp-s0"]
        self.assertEqual(imported["metrics"], trained["metrics"])
        self.assertEqual(imported["facts"]["start_weights_sha256"], trained["facts"]["weights_sha256"])
        self.assertNotIn("steps", {key for key, value in imported["facts"].items() if value})
        self.assertTrue(found["resnet18-dorefa-w2a2-s0"]["metrics"])
        elsewhere = self.folder / "elsewhere.safetensors"
        shutil.copy(weights, elsewhere)
        again = self.smoke("imported", "--only", "resnet18-fp-s0", *start, "--set", f"weights={elsewhere}")
        self.assertIn("1 cached", again.stderr)  # what the file holds decides, not where it lies
        wrong = self.smoke("wrong", "--only", "resnet18-fp-s0", *start, "--set", "width=0.25")
        self.assertEqual(wrong.returncode, 5)
        (failed,) = records(self.folder / "wrong").values()
        self.assertIn("bn1.bias: expected [16], found [8]; ", failed["reason"])
        self.assertIn(" more", failed["reason"])
        self.expect_error(self.smoke("none", *start[2:], "--set", "weights=nowhere.pth"), 4, "nowhere.pth: cannot be read")
        self.expect_error(self.smoke("aux", *start[:-2]), 3, "weights without pretrain have no auxiliary module")

    def test_a_message_cannot_command_the_terminal(self):
        suite = self.folder / "escape.json"
        suite.write_text('{"name": "x", "\\u001b[2J\\n": 1}')
        result = run("validate", suite)
        self.assertEqual(result.returncode, 3)
        self.assertEqual(len(result.stderr.splitlines()), 1)
        self.assertNotIn("\x1b", result.stderr)

    def test_a_frozen_network_says_what_its_cell_says(self):
        out = self.folder / "results"
        self.smoke(out, "--only", "resnet18-dorefa-w2a2*")
        cells = [record for record in records(out).values() if "integer" in record["facts"]]
        self.assertEqual(len(cells), 2)  # with the auxiliary module and without
        for record in cells:
            facts = record["facts"]["integer"]
            self.assertEqual((facts["status"], facts["differing"], facts["images"]), ("equal", 0, 256))
            self.assertEqual(facts["top1"], record["metrics"][0]["value"])
            self.assertEqual(facts.get("module_free", True), True)
        self.assertTrue(any("module_free" in record["facts"]["integer"] for record in cells))
        self.assertIn("2 cells equal, 0 differ", (out / "report.md").read_text())
        file = out / "cells" / cells[0]["id"] / "integer.safetensors"
        said = set()
        for isa in ("generic", "avx2", "avx512", "amx"):
            inferred = run("infer", file, "--images", 300, "--plans", env={"AUXBENCH_ISA": isa})
            self.assertEqual(inferred.returncode, 0, inferred.stderr)
            self.assertIn("layer1.0.conv1: ", inferred.stdout)
            said.add(inferred.stdout.split("top-1")[1].split("images/s")[0].rsplit(",", 1)[0])
        self.assertEqual(len(said), 1)
        self.expect_error(run("infer", file, env={"AUXBENCH_ISA": "mmx"}), 2, "AUXBENCH_ISA", "avx512")
        onnx = self.folder / "network.onnx"
        self.assertEqual(run("export", file, "--onnx", onnx).returncode, 0)
        self.assertIn(b"auxbench", onnx.read_bytes())
        damaged = bytearray(file.read_bytes())
        damaged[-5] ^= 1
        file.write_bytes(damaged)
        self.expect_error(run("infer", file), 4, "integer.safetensors", "SHA-256")
        file.write_bytes(damaged[:1000])
        self.expect_error(run("export", file, "--onnx", onnx), 4, "integer.safetensors")

    def test_a_convolution_kernel_can_be_held_against_sums_by_hand(self):
        h, c, out = 5, 3, 4
        chance = random.Random(3)
        codes = [chance.randrange(4) for _ in range(h * h * c)]
        weights = [chance.randrange(-2, 2) for _ in range(out * 9 * c)]
        expected = []
        for y in range(h):
            for x in range(h):
                for o in range(out):
                    total = 0
                    for r in range(3):
                        for s in range(3):
                            i, j = y + r - 1, x + s - 1
                            if 0 <= i < h and 0 <= j < h:
                                for k in range(c):
                                    total += (2 * weights[((o * 3 + r) * 3 + s) * c + k] + 1) * codes[(i * h + j) * c + k]
                    expected.append(total)
        given, found = self.folder / "in.safetensors", self.folder / "out.safetensors"
        tensors = {"codes": ("U8", [1, h, h, c], codes), "weights": ("I8", [out, 3, 3, c], weights),
                   "thresholds": ("I32", [1, out], [1] * out)}
        write_tensors(given, tensors)
        shape = ("--shape", f"1,{h},{h},{c},{out},3,3,1,1", "--bits", "2,2", "--odd")
        for isa in ("generic", "avx2", "avx512", "amx"):
            probed = run("probe", "conv", *shape, "--isa", isa, "--input", given, "--out", found)
            self.assertEqual(probed.returncode, 0, probed.stderr)
            self.assertEqual(read_tensors(found, "I32")["accumulators"], expected)
            self.assertEqual(read_tensors(found, "U8")["requantized"], [int(total >= 1) for total in expected])
        refused = run("probe", "conv", *shape, "--kernel", "magic", "--input", given, "--out", found)
        self.expect_error(refused, 2, "no kernel magic", "generic")
        wide = ("--shape", "1,5,5,3,4,3,3,1,1", "--bits", "5,2")
        self.expect_error(run("probe", "conv", *wide, "--input", given, "--out", found), 2, "weights of 5 bits")
        write_tensors(given, {**tensors, "codes": ("U8", [1, h, h, c], [9, *codes[1:]])})
        self.expect_error(run("probe", "conv", *shape, "--input", given, "--out", found), 4, "in.safetensors", "codes: 9")

    def test_kernels_race_in_an_instant(self):
        out = self.folder / "bench"
        raced = run("bench", SOURCE / "suites" / "kernels.json", "--quick", "--out", out)
        self.assertEqual(raced.returncode, 0, raced.stderr)
        for name in ("kernels.md", "kernels.json", "kernels.svg", "google-benchmark.json"):
            self.assertTrue((out / name).stat().st_size > 0)
        self.assertIn("bench", (out / "kernels.md").read_text())

    def test_a_detector_races_with_what_makes_boxes_beside_it(self):
        suite = json.loads((SOURCE / "suites" / "kernels.json").read_text())
        del suite["$schema"]
        suite["tables"] = [{"id": "detector", "title": "Small", "networks": ["retinanet-resnet18"], "image": 64, "bits": ["w4a4"]}]
        (self.folder / "suite.json").write_text(json.dumps(suite))
        raced = run("bench", self.folder / "suite.json", "--repetitions", 1, "--out", self.folder / "bench")
        self.assertEqual(raced.returncode, 0, raced.stderr)
        row, = json.loads((self.folder / "bench" / "kernels.json").read_text())["rows"]
        for kind in ("crowded", "full"):
            self.assertGreater(row["boxes"][kind]["found"], 0)
            self.assertTrue(0 < row["boxes"][kind]["share"]["median"] < 1)

    def test_a_detector_s_training_step_is_timed(self):
        small = ("--model", "retinanet-resnet18", "--width", 0.125, "--image", 64, "--classes", 4, "--batch", 2, "--steps", 1, "--threads", 1, "--json")
        for options in (("--flavour", "torchvision", "--norm", "none", "--backbone-norm", "frozen"),
                        ("--variant", "w2a2-auxi", "--quantizer", "qil", "--bits", 4, "--heads", "unshared")):
            timed = run("bench-training", *small, *options)
            self.assertEqual(timed.returncode, 0, timed.stderr)
            self.assertGreater(json.loads(timed.stdout)["images_per_second"], 0)
        self.expect_error(run("bench-training", "--model", "resnet19"), 2, "--model resnet19: no such model")

    def test_every_verb_explains_itself(self):
        for verb in ("run", "plan", "validate", "ls", "show", "report", "probe", "bench", "infer", "export", "bench-training", "bench-loading", "coco-eval", "weights", "data", "doctor"):
            self.assertEqual(run(verb, "--help").returncode, 0)


if __name__ == "__main__":
    unittest.main()
