"""The program at its edges: where its output goes, odd names, odd numbers, folders that are not as they were left.

Called as: edges.py AUXBENCH SOURCE_ROOT [unittest arguments]
"""

import json
import os
import pathlib
import pty
import re
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve()
SOURCE = pathlib.Path(sys.argv.pop(1)).resolve()
SMOKE = SOURCE / "suites" / "smoke.json"
WEIGHTS = SOURCE / "tests" / "base" / "weights" / "weights.pth"
OUTPUT_LOST = 8
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\udc80-\udcff]")


def run(*arguments, **options):
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.run([PROGRAM, *[a if isinstance(a, bytes) else str(a) for a in arguments]], capture_output=True, text=True,
                          errors="surrogateescape", env=environment, timeout=250, **options)


def in_shell(script, *arguments):
    """The program with its streams as the script has them; "$@" is its command line."""
    return subprocess.run(["sh", "-c", script, "sh", PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=250)


def records(folder):
    return {record["slug"]: record for record in (json.loads(path.read_text()) for path in folder.glob("cells/*/record.json"))}


class Edges(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.made = pathlib.Path(tempfile.mkdtemp(prefix="auxbench-edges-"))
        cls.addClassCleanup(shutil.rmtree, cls.made)
        cls.first = run("run", SMOKE, "--threads", 1, "--only", "resnet18-fp-s0", "--only", "resnet18-dorefa-w2a2-s0", "--out", cls.made / "out")

    def setUp(self):
        self.assertEqual(self.first.returncode, 0, self.first.stderr)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="auxbench-edges-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def copy(self):
        return pathlib.Path(shutil.copytree(self.made / "out", self.folder / "copy"))

    def expect_error(self, result, code, *parts):
        self.assertEqual(result.returncode, code, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for part in ("auxbench: ", *parts):
            self.assertIn(part, result.stderr)

    # ---- what is printed

    def test_output_that_is_lost_is_no_success(self):
        out = self.copy()
        verbs = (("--help",), ("--version",), ("run", "--help"), ("plan", SMOKE), ("plan", SMOKE, "--json"), ("validate", SMOKE),
                 ("ls", out), ("ls", out, "--json"), ("show", out, "resnet18-fp"), ("report", out), ("weights", WEIGHTS),
                 ("weights", WEIGHTS, "--json"), ("data", "find"), ("data", "find", "--json"),
                 ("run", SMOKE, "--threads", 1, "--only", "resnet18-fp-s0", "--out", out))
        for verb in verbs:
            for script, why in (('"$@" >/dev/full', "No space left on device"), ('"$@" >&-', "Bad file descriptor")):
                lost = in_shell(script, *verb)
                self.assertEqual(lost.returncode, OUTPUT_LOST, (verb, script, lost.stderr))
                self.assertTrue(lost.stderr.splitlines()[-1].startswith("auxbench: standard output: not all of it could be written: " + why), lost.stderr)
        self.assertEqual(records(out), records(self.made / "out"))
        # A fault that has a code of its own keeps it.
        self.assertEqual(in_shell('"$@" >/dev/full', "ls", self.folder / "nothing").returncode, 4)

    def test_a_result_is_written_through_a_device_and_never_in_its_place(self):
        null = self.folder / "null"
        try:
            os.mknod(null, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except PermissionError:
            self.skipTest("device nodes cannot be made here")
        self.assertEqual(run("weights", WEIGHTS, "--out", null).returncode, 0)
        self.assertTrue(stat.S_ISCHR(os.lstat(null).st_mode))
        for verb in (("run", SMOKE), ("data", "generate", "scenes"), ("data", "generate", "photographs")):
            run(*verb, "--out", null)
            self.assertTrue(stat.S_ISCHR(os.lstat(null).st_mode))
        self.expect_error(run("run", SMOKE, "--out", null), 2, f"{null}: cannot be created")

    def test_a_result_can_go_down_a_pipe(self):
        piped = subprocess.run(f"'{PROGRAM}' weights '{WEIGHTS}' --out /proc/self/fd/2 2>&1 >/dev/null | tail -c +9 | head -c 1", shell=True,
                               capture_output=True, timeout=60)
        self.assertEqual(piped.stdout, b"{")

    def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(self):
        def printed(kind):
            ours, theirs = pty.openpty()
            process = subprocess.Popen([PROGRAM, "run", SMOKE, "--threads", "1", "--only", "resnet18-fp-s0", "--out", self.folder / kind],
                                       stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "TERM": kind})
            os.close(theirs)
            text = b""
            try:
                while part := os.read(ours, 4096):
                    text += part
            except OSError:  # the other side is closed
                pass
            os.close(ours)
            self.assertEqual(process.wait(timeout=250), 0)
            return text
        self.assertIn(b"\x1b[K", printed("xterm"))
        self.assertNotIn(b"\x1b", printed("dumb"))

    # ---- names

    def names(self, result, *parts):
        """What was printed commands no terminal and names what it is about."""
        for text in (result.stdout, result.stderr):
            self.assertIsNone(OBEYED.search(text), repr(text))
        for part in parts:
            self.assertIn(part, result.stdout + result.stderr)

    def test_names_cannot_command_the_terminal(self):
        odd, shown = "a\x1b[31m\x9b\u202e\x7f\n", "a\\x1b[31m\\xc2\\x9b\\xe2\\x80\\xae\\x7f\\x0a"
        header = json.dumps({odd: {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}).encode()
        file = self.folder / (odd + ".safetensors")
        file.write_bytes(struct.pack("<Q", len(header)) + header + b"x")
        self.names(run("weights", file), "U8", shown)
        listed = run("weights", file, "--json")
        self.names(listed)
        self.assertEqual(json.loads(listed.stdout)["tensors"][0]["name"], odd)
        root = self.folder / ("photographs" + odd)
        for split in ("train", "val"):
            (root / split / "n01").mkdir(parents=True)
            (root / split / "n01" / (odd + ".JPEG")).write_bytes(b"no photograph")
        data = {"AUXBENCH_IMAGENET": str(root), "XDG_CACHE_HOME": str(self.folder / "cache")}
        for verb in (("data", "find"), ("data", "verify", "imagenet"), ("doctor", "--no-speed")):
            self.names(run(*verb, env=data), "photographs" + shown)
            found = run(*verb, "--json", env=data)
            self.names(found)
            if found.stdout:
                self.assertIn("photographs" + odd, self.flat(json.loads(found.stdout)))
        self.names(run("bench", self.folder / (odd + ".json")), shown)
        for verb in (("ls",), ("report",), ("plan",), ("validate",), ("infer",), ("coco-eval", "x"), ("data", "verify", "imagenet", "--manifest")):
            self.names(run(*verb, self.folder / odd), shown if verb[0] not in ("coco-eval", "data") else "auxbench: ")
        for flag in ("--tier", "--only", "--set", "--device", "--out", "--data-root", "--" + odd):
            self.names(run("plan", SMOKE, flag, odd))
        self.names(run("--help", env={"AUXBENCH_ONEDNN3": odd}))
        self.names(run("bench", "--help", env={"AUXBENCH_ONEDNN3": odd}), shown.removesuffix("\\x0a"))

    @staticmethod
    def flat(value):
        """All the strings in it, one after the other."""
        if isinstance(value, str):
            return value
        parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return "\0".join(map(Edges.flat, parts))

    def test_the_title_of_a_suite_and_a_reason_cannot_command_the_terminal_either(self):
        suite = self.folder / "s.json"
        suite.write_text(json.dumps({"extends": str(SMOKE), "title": "title\x1b[2J\n\u202e", "name": "s"}))
        ran = run("run", suite, "--only", "resnet18-fp-s0", "--threads", 1, "--out", self.folder / "out")
        self.names(ran, "title\\x1b[2J\\x0a")
        (path,) = (self.folder / "out").glob("cells/*/record.json")
        record = json.loads(path.read_text())
        path.write_text(json.dumps({**record, "status": "failed", "reason": "reason\x1b]0;x\x07\n"}))
        for verb in (("ls",), ("show", "fp"), ("report",)):
            self.names(run(verb[0], self.folder / "out", *verb[1:]), "reason" if verb[0] != "report" else "")

    def test_the_line_that_makes_a_record_again_is_taken_by_a_shell_as_meant(self):
        program = self.folder / "bin" / "auxbench"
        program.parent.mkdir()
        program.write_text('#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done\n')
        program.chmod(0o755)
        for name in (b"it's.json", b"`id`.json", b"a\tb\\$(id).json", b"caf\xe9 \n'.json", b"-x.json"):
            place = self.folder / "suites"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            path = os.path.join(os.fsencode(place), name)
            with open(path, "w") as file:
                json.dump({"extends": str(SMOKE)}, file)
            out = self.folder / "out"
            shutil.rmtree(out, ignore_errors=True)
            told = b"./" + name
            # A cell that has little to do leaves its record at once.
            small = ("--set", "train_images=64", "--set", "test_images=16")
            ran = run("run", told, "--tier", "smoke", *small, "--only", "*-fp-s0", "--out", out, cwd=place)
            self.assertEqual(ran.returncode, 0, ran.stderr)
            lines = [record["rerun"] for record in records(out).values()] + [json.loads((out / "plan.json").read_text())["command"]]
            for line in lines:
                said = subprocess.run(["sh", "-c", line], capture_output=True, timeout=60, env={**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"})
                words = said.stdout.split(b"\0")
                self.assertEqual(words[:3], [b"run", told, b"--tier"], (name, line, said.stderr))
                self.assertIn(b"train_images=64", words)

    def test_paths_may_be_any_bytes(self):
        odd = os.path.join(os.fsencode(self.folder), b"caf\xe9\xff")
        shutil.copy(os.fsencode(WEIGHTS), odd)
        self.assertEqual(run("weights", odd, "--out", odd + b".safetensors").returncode, 0)
        self.assertTrue(os.path.exists(odd + b".safetensors"))
        shutil.copytree(os.fsencode(self.made / "out"), odd + b".out")
        for verb in (("ls",), ("report",), ("show", "dorefa")):
            done = run(verb[0], odd + b".out", *verb[1:])
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIsNone(OBEYED.search(done.stdout + done.stderr))
        with open(odd + b".json", "w") as file:
            json.dump({"extends": str(SMOKE)}, file)
        for verb in (("validate",), ("plan",), ("plan", "--json"), ("run", "--budget", "0s", "--out", odd + b".new")):
            done = run(verb[0], odd + b".json", *verb[1:])
            self.assertEqual(done.returncode, 7 if verb[0] == "run" else 0, done.stderr)
        for setting in (b"quantizer=\xe4", b"weights=\xe4.pth", b"\xe4", b"\xe4=1"):
            result = run("plan", SMOKE, "--set", setting)
            self.expect_error(result, 2, "--set ", "\\xe4")
        for flag in (b"--tier", b"--only", b"--device", b"--budget"):
            self.expect_error(run("run", SMOKE, flag, b"\xe4", "--out", self.folder / "none"), 2, "auxbench: ")

    # ---- numbers

    def test_numbers_out_of_range_are_refused_by_the_name_of_their_flag(self):
        for command in (("plan", SMOKE, "--seeds", "20000000"), ("plan", SMOKE, "--seeds", "0"), ("run", SMOKE, "--seeds", "-1"),
                        ("plan", SMOKE, "--seeds", "99999999999999999999"), ("plan", SMOKE, "--seeds", "many"),
                        ("plan", SMOKE, "--set", "width=1e300"), ("plan", SMOKE, "--set", "width=-1"), ("run", SMOKE, "--set", "width=3000"),
                        ("run", SMOKE, "--checkpoint-minutes", "nan"), ("run", SMOKE, "--checkpoint-minutes", "-1"),
                        ("run", SMOKE, "--jobs", "0"), ("run", SMOKE, "--budget", "nan"), ("run", SMOKE, "--threads", "0"),
                        ("bench-training", "--image", "-1"), ("bench-training", "--image", "100000000"), ("bench-training", "--width", "nan"),
                        ("bench-training", "--width", "1e300"), ("bench-training", "--stem-stride", "0"), ("bench-training", "--channels", "0"),
                        ("bench-training", "--classes", "-3"), ("bench-training", "--threads", "-1"), ("bench-training", "--batch", "0"),
                        ("bench-training", "--steps", "0"), ("infer", WEIGHTS, "--images", "-5"), ("doctor", "--images", "0"),
                        ("data", "generate", "scenes", "--images", "99999999999", "--out", self.folder / "s"),
                        ("data", "generate", "scenes", "--images", "-3", "--out", self.folder / "s"),
                        ("bench-loading", self.folder, "--batch", "0"), ("bench-loading", self.folder, "--epochs", "-1")):
            self.expect_error(run(*command), 2, command[3] if command[0] == "data" else command[-2])

    # ---- files that come through a pipe, folders that are not as they were left

    def test_what_a_pipe_brought_is_what_is_digested(self):
        plain = run("weights", WEIGHTS)
        piped = subprocess.run(f"cat '{WEIGHTS}' | '{PROGRAM}' weights /dev/stdin", shell=True, capture_output=True, text=True, timeout=60)
        self.assertEqual(piped.stdout, plain.stdout)

    def test_the_screen_and_the_list_round_alike(self):
        said = dict(re.findall(r"(resnet18-\S+?): (?:cached, )?(top1 [\d.]+, top5 [\d.]+)", self.first.stderr))
        listed = {line.split("-s0-")[0] + "-s0": line for line in run("ls", self.made / "out").stdout.splitlines()}
        self.assertEqual(set(said), set(listed))
        for slug, numbers in said.items():
            self.assertIn(numbers.replace(", ", "  "), listed[slug])
        # A number in the middle between two, which 256 images often give.
        out = self.copy()
        for path in out.glob("cells/*/record.json"):
            path.write_text(json.dumps({**json.loads(path.read_text()), "metrics": [
                {"name": "top1", "value": 21.875, "unit": "%", "higher_is_better": True}]}))
        again = run("run", SMOKE, "--threads", 1, "--only", "resnet18-fp-s0", "--out", out)
        self.assertIn("cached, top1 21.88 ", again.stderr)
        self.assertIn("top1 21.88", run("ls", out).stdout)

    def test_weights_that_are_cut_are_made_anew_before_another_cell_starts_from_them(self):
        out = self.copy()
        start = next(out.glob("cells/resnet18-fp-s0-*"))
        whole = (start / "weights.safetensors").read_bytes()
        for left in (len(whole) - 1, 5, 0):
            (start / "weights.safetensors").write_bytes(whole[:left])
            shutil.rmtree(next(out.glob("cells/resnet18-dorefa-w2a2-s0-*")))
            again = run("run", SMOKE, "--threads", 1, "--only", "resnet18-dorefa-w2a2-s0", "--out", out)
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assertIn("2 completed, 0 cached", again.stderr)
            self.assertEqual((start / "weights.safetensors").read_bytes(), whole)
        damaged = bytearray(whole)
        damaged[-1] ^= 1
        (start / "weights.safetensors").write_bytes(damaged)
        shutil.rmtree(next(out.glob("cells/resnet18-dorefa-w2a2-s0-*")))
        refused = run("run", SMOKE, "--threads", 1, "--only", "resnet18-dorefa-w2a2-s0", "--out", out)
        self.assertEqual(refused.returncode, 5)
        self.assertIn("has another weights.safetensors than its record says (SHA-256)", records(out)["resnet18-dorefa-w2a2-s0"]["reason"])

    def test_a_report_is_on_the_screen_where_its_page_cannot_be_written(self):
        out = self.copy()
        page = run("report", out).stdout
        self.assertIn("ResNet-18 at 2/2 bits", page)
        (out / "report.md").unlink()
        (out / "report.md" / "in-the-way").mkdir(parents=True)
        shown = run("report", out)
        self.assertEqual((shown.returncode, shown.stdout), (0, page))
        self.assertIn("warning: the page is not written, the tables are above: ", shown.stderr)
        self.assertIn("report.md: cannot be replaced", shown.stderr)

    # ---- tiers

    def test_a_suite_may_name_its_own_tier_and_needs_none(self):
        self.assertRegex(run("plan", SMOKE, "--out", self.folder / "none").stdout, r"7 cells, tier smoke: ")
        suite = self.folder / "s.json"
        cell = {"dataset": "fashion-mnist", "model": "resnet18", "train_images": 128, "test_images": 64, "stem": "small", "stem_stride": 2,
                "width": 0.125, "pretrain": {"epochs": 1, "batch": 64, "lr": 0.05}}
        suite.write_text(json.dumps({"include": [cell]}))
        self.assertIn("tier as-written: 1 cells", run("validate", suite).stdout)
        ran = run("run", suite, "--threads", 1, "--out", self.folder / "out")
        self.assertEqual(ran.returncode, 0, ran.stderr)
        (record,) = records(self.folder / "out").values()
        self.assertEqual(record["facts"]["train_images"], 128)
        self.expect_error(run("run", suite, "--tier", "smoke"), 2, "has no such tier")

    def test_a_name_leads_nowhere_else(self):
        suite = self.folder / "s.json"
        suite.write_text(json.dumps({"extends": str(SMOKE), "name": "../../x"}))
        self.expect_error(run("run", suite), 3, "s.json:1:", ": /name: names a folder")


if __name__ == "__main__":
    unittest.main()
