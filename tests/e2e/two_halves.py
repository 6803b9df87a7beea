"""The program and libauxbench_torch.so: what reads starts at once and needs no LibTorch; what trains finds it, or says why not.

Called as: two_halves.py AUXBENCH SOURCE_ROOT [unittest arguments]
"""

import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
SOURCE = pathlib.Path(sys.argv.pop(1))
LIBRARY = PROGRAM.parent / "libauxbench_torch.so"
SMOKE = SOURCE / "suites" / "smoke.json"


class TwoHalves(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="auxbench-halves-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.alone = self.folder / "bin" / "auxbench"  # without its other half
        self.alone.parent.mkdir()
        shutil.copy(PROGRAM, self.alone)

    def run_program(self, *arguments, program=None, **variables):
        return subprocess.run([program or self.alone, *map(str, arguments)], capture_output=True, text=True,
                              env={**os.environ, **variables}, timeout=250)

    def expect_error(self, result, code, *parts):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for part in ("auxbench: ", *parts):
            self.assertIn(part, result.stderr)

    def test_what_does_not_compute_with_libtorch_works_without_it(self):
        for arguments in (("--help",), ("--version",), ("run", "--help"), ("probe", "step", "--help"), ("data", "find")):
            result = self.run_program(*arguments)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertNotEqual(result.stdout, "")
        weights = self.run_program("weights", SOURCE / "tests" / "base" / "weights" / "weights.pth", "--json")
        self.assertGreater(len(json.loads(weights.stdout)["tensors"]), 0)

    def test_what_does_says_what_is_missing(self):
        self.expect_error(self.run_program("run", SMOKE, "--tier", "smoke", "--out", self.folder / "out"), 2,
                          "libauxbench_torch.so: not found")
        self.assertFalse((self.folder / "out").exists())
        (self.alone.parent / LIBRARY.name).write_bytes(b"no library")
        self.expect_error(self.run_program("bench-training"), 2, "libauxbench_torch.so")
        findings = self.run_program("doctor", "--no-speed")
        self.assertEqual(findings.returncode, 1)
        self.assertRegex(findings.stdout, r"BAD +device +.*libauxbench_torch\.so")

    def test_a_library_of_another_build_is_refused(self):
        library = LIBRARY.read_bytes()
        border = re.search(rb"\d+\.\d+\.\d+, [^\0]{3,40}, ([0-9a-f]{12})\0", library)
        altered = library[: border.start(1)] + b"0123456789ab" + library[border.end(1) :]
        (self.alone.parent / LIBRARY.name).write_bytes(altered)
        self.expect_error(self.run_program("bench-training"), 2, "of another build", "0123456789ab", border[1].decode())

    def test_the_library_is_found_beside_the_program_a_link_leads_to_and_where_it_is_installed(self):
        link = self.folder / "auxbench"
        link.symlink_to(PROGRAM)
        self.assertIn("no such quantizer", self.run_program("bench-training", "--quantizer", "none", program=link).stderr)
        installed = [path for path in (b"../lib/x86_64-linux-gnu", b"../lib64", b"../lib") if path + b"\0" in PROGRAM.read_bytes()]
        if not installed:
            self.skipTest("installed into a folder of another name")
        folder = self.alone.parent / installed[0].decode()
        folder.mkdir(parents=True)
        (folder / LIBRARY.name).symlink_to(LIBRARY)
        self.assertIn("no such quantizer", self.run_program("bench-training", "--quantizer", "none").stderr)

    def test_a_mistake_found_behind_the_border_is_one_line_with_its_code(self):
        numbers = struct.pack("<2d", 0.25, -0.5)
        header = json.dumps({"input": {"dtype": "F64", "shape": [2], "data_offsets": [0, len(numbers)]}}).encode()
        (self.folder / "x.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + numbers)
        result = self.run_program("probe", "quantizer", "no-such", "--input", self.folder / "x.safetensors", "--out",
                                  self.folder / "y.safetensors", program=PROGRAM)
        self.expect_error(result, 2, "no-such")
        self.assertNotIn("a fault of this program", result.stderr)
        self.expect_error(self.run_program("bench-training", "--device", "abacus", program=PROGRAM), 2, "expected cpu, cuda or cuda:N")

    def test_a_results_folder_is_read_on_a_machine_without_suite_data_and_libtorch(self):
        only = ("--only", "resnet18-fp-s0", "--only", "resnet18-dorefa-w2a2-s0")
        made = self.run_program("run", SMOKE, "--tier", "smoke", "--out", self.folder / "made", "--threads", 1, *only, program=PROGRAM)
        self.assertEqual(made.returncode, 0, made.stderr)
        page = (self.folder / "made" / "report.md").read_bytes()
        copy = self.folder / "elsewhere" / "copy"
        shutil.copytree(self.folder / "made", copy)
        (copy / "report.md").unlink()
        elsewhere = {"AUXBENCH_DATA": "/nowhere", "HOME": str(self.folder / "elsewhere"), "XDG_CACHE_HOME": "/proc/nowhere"}
        reported = self.run_program("report", copy, **elsewhere)
        self.assertEqual(reported.returncode, 0, reported.stderr)
        self.assertEqual((copy / "report.md").read_bytes(), page)
        self.assertEqual(reported.stdout, made.stdout)
        cells = json.loads(self.run_program("ls", copy, "--json", **elsewhere).stdout)
        self.assertEqual(cells, json.loads(self.run_program("ls", self.folder / "made", "--json").stdout))
        # So little training may end at chance level, which is a record too.
        self.assertEqual({cell["slug"]: cell["status"] in ("completed", "mistrusted") for cell in cells},
                         {"resnet18-fp-s0": True, "resnet18-dorefa-w2a2-s0": True})
        shown = self.run_program("show", copy, "dorefa-w2a2-s0", **elsewhere)
        self.assertEqual(json.loads(shown.stdout)["slug"], "resnet18-dorefa-w2a2-s0")
        self.expect_error(self.run_program("report", copy, "--tier", "smoke"), 2, "options are for a suite's file")
        sheet = (copy / "thumbnails-fashion-mnist.jpg").read_bytes()
        self.assertLessEqual(len(sheet), 300_000)
        self.assertEqual(sheet[:2], b"\xff\xd8")
        self.assertRegex(sheet[:200], rb"auxbench thumbnails: 1024 of 10000, 28 x 28 pixels, 32 a row")
        plan = json.loads((copy / "plan.json").read_text())
        (copy / "plan.json").write_text(json.dumps({**plan, "schema_version": 99}))
        self.expect_error(self.run_program("report", copy), 4, "plan.json", "99")
        (copy / "plan.json").unlink()
        self.expect_error(self.run_program("report", copy), 4, "no plan.json", "auxbench report SUITE")

    def test_cells_without_a_record_are_listed_with_the_reason(self):
        out = self.folder / "out"
        spent = self.run_program("run", SMOKE, "--tier", "smoke", "--out", out, "--budget", "0s", program=PROGRAM)
        self.assertEqual(spent.returncode, 7, spent.stderr)
        lines = self.run_program("ls", out).stdout.splitlines()
        self.assertEqual(len(lines), len(json.loads((out / "plan.json").read_text())["cells"]))
        self.assertTrue(all(" listed" in line for line in lines), lines)
        self.expect_error(self.run_program("show", out, "resnet18-fp-s0"), 2, "planned as resnet18-fp-s0-", "without a record yet")


if __name__ == "__main__":
    unittest.main()
