"""Odd files of weights and odd inputs of probes, as a user meets them: one line that says what is wrong, and an exit code.

Called as: weights_and_probes.py AUXBENCH SOURCE_ROOT [unittest arguments]
"""

import gzip
import json
import struct
import unittest

import command_line
from command_line import SMOKE, SOURCE, read_tensors, records, run, write_tensors

SMALL = ("--stem", "small", "--width", 0.125)


def header_of(path):
    data = path.read_bytes()
    start = 8 + struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:start]), start


def copy_with(source, target, rename=lambda name: name, fill=lambda name: None):
    """A file of weights with other names, or with all numbers of a tensor set to one."""
    header, start = header_of(source)
    data = bytearray(source.read_bytes()[start:])
    for name, entry in header.items():
        if fill(name) is not None:
            begin, end = entry["data_offsets"]
            data[begin:end] = struct.pack("<f", fill(name)) * ((end - begin) // 4)
    kept = {rename(name): entry for name, entry in header.items()}
    text = json.dumps(kept).encode()
    target.write_bytes(struct.pack("<Q", len(text)) + text + bytes(data))


class WeightsAndProbes(unittest.TestCase):
    setUp = command_line.CommandLine.setUp
    expect_error = command_line.CommandLine.expect_error
    smoke = command_line.CommandLine.smoke

    def trained(self):
        result = self.smoke("trained", "--only", "resnet18-fp-s0")
        self.assertEqual(result.returncode, 0, result.stderr)
        (record,) = records(self.folder / "trained").values()
        return self.folder / "trained" / "cells" / record["id"] / "weights.safetensors"

    def inputs(self, channels=1, size=28):
        x, y = self.folder / "x.safetensors", self.folder / "y.safetensors"
        count = channels * size * size
        write_tensors(x, {"input": ("F32", [2, channels, size, size], [0.5] * count + [0.1] * count)})
        write_tensors(y, {"labels": ("I64", [2], [3, 7])})
        return x, y

    def one_line(self, result, code, *parts):
        self.expect_error(result, code, *parts)
        self.assertEqual(len(result.stderr.strip().splitlines()), 1, result.stderr)
        self.assertNotIn("frame #", result.stderr)
        self.assertLess(len(result.stderr), 1000)

    def test_what_is_no_file_of_weights_is_named(self):
        files = {"pointer.pth": b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 46830571\n",
                 "page.pth": b"<!DOCTYPE html><html><body>Sign in</body></html>", "packed.pth": gzip.compress(b"weights"),
                 "empty.safetensors": b""}  # fmt: skip
        wanted = {"pointer.pth": "a Git LFS pointer", "page.pth": "a web page", "packed.pth": "compressed by gzip",
                  "empty.safetensors": "an empty file"}  # fmt: skip
        x, _ = self.inputs()
        for name, content in files.items():
            path = self.folder / name
            path.write_bytes(content)
            self.one_line(run("weights", path), 4, name, wanted[name])
            probe = run("probe", "model", "resnet18", "--weights", path, "--input", x, "--out", self.folder / "o")
            self.one_line(probe, 4, name, wanted[name])

    def test_types_that_are_not_computed_with_are_listed(self):
        path = self.folder / "types.safetensors"
        header = {"a": {"dtype": "F8_E4M3", "shape": [3], "data_offsets": [0, 3]},
                  "b": {"dtype": "U16", "shape": [1], "data_offsets": [3, 5]}}  # fmt: skip
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + b"12345")
        listed = run("weights", path, "--json")
        self.assertEqual(listed.returncode, 0, listed.stderr)
        self.assertEqual([entry["dtype"] for entry in json.loads(listed.stdout)["tensors"]], ["F8_E4M3", "U16"])

    def test_probes_take_the_names_that_others_give(self):
        weights, out = self.trained(), self.folder / "o.safetensors"
        x, y = self.inputs()
        model = ("probe", "model", "resnet18", *SMALL, "--input", x, "--out", out, "--weights")
        self.assertEqual(run(*model, weights).returncode, 0)
        wanted = read_tensors(out, "F32")["logits"]
        for prefix in ("module.", "_orig_mod.", "module._orig_mod.", "model."):
            renamed = self.folder / "renamed.safetensors"
            copy_with(weights, renamed, lambda name, prefix=prefix: prefix + name)
            result = run(*model, renamed)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(read_tensors(out, "F32")["logits"], wanted)
            step = run("probe", "step", SMOKE, "resnet18-lsq-w2a2-s0", "--tier", "smoke", "--weights", renamed, "--input", x,
                       "--labels", y, "--out", out, env={"AUXBENCH_DATA": "/nowhere", "AUXBENCH_FASHION_MNIST": "/nowhere"})
            self.assertEqual(step.returncode, 0, step.stderr)

    def test_a_probe_says_what_its_input_lacks(self):
        weights, out = self.trained(), self.folder / "o.safetensors"
        x, y = self.inputs()
        model = ("probe", "model", "resnet18", "--weights", weights, "--out", out)
        self.one_line(run(*model, *SMALL, "--input", self.inputs(channels=3)[0]), 2, "3 channels; the weights take 1")
        x, y = self.inputs()
        flat, whole = self.folder / "flat", self.folder / "whole"
        write_tensors(flat, {"input": ("F32", [2, 28, 28], [0.5] * 1568)})
        write_tensors(whole, {"input": ("I64", [1, 1, 2, 2], [1, 2, 3, 4])})
        self.one_line(run(*model, *SMALL, "--input", flat), 2, "[2, 28, 28], expected [N, C, H, W]")
        self.one_line(run(*model, *SMALL, "--input", whole), 2, "type I64, expected F32 or F64")
        self.one_line(run(*model, "--stem", "small", "--stem-stride", 0, "--input", x), 2, "--stem-stride 0")
        for width in (-1, 0, "nan", "inf", 1e300):
            self.one_line(run(*model, "--stem", "small", "--width", width, "--input", x), 2, "--width")
        step = ("probe", "step", SMOKE, "resnet18-dorefa-w2a2-s0", "--tier", "smoke", "--weights", weights, "--out", out)
        self.one_line(run(*step, "--input", flat, "--labels", y), 2, "[2, 28, 28], expected [N, C, H, W]")
        for labels, why in (([3, 10], "label 10 of image 1"), ([-1, 0], "label -1 of image 0"), ([1], "[1], expected [2]")):
            write_tensors(y, {"labels": ("I64", [len(labels)], labels)})
            self.one_line(run(*step, "--input", x, "--labels", y), 2, "--labels: ", why)
        write_tensors(y, {"labels": ("F32", [2], [1, 2])})
        self.one_line(run(*step, "--input", x, "--labels", y), 2, "labels are no whole numbers")

    def test_a_cell_whose_start_diverged_says_so(self):
        result = self.smoke("out", "--set", "pretrain.lr=1e30", "--only", "*lsq-w2a2-s0")
        self.assertEqual(result.returncode, 5, result.stderr)
        found = {record["slug"]: record for record in records(self.folder / "out").values()}
        self.assertEqual(found["resnet18-fp-s0"]["status"], "diverged")
        reason = found["resnet18-lsq-w2a2-s0"]["reason"]
        self.assertIn("its start resnet18-fp-s0-", reason)
        self.assertIn("diverged (loss", reason)

    def test_a_network_that_overflows_is_mistrusted_and_has_no_integer_form(self):
        weights, spoiled = self.trained(), self.folder / "spoiled.safetensors"
        suite = self.folder / "suite.json"
        suite.write_text(json.dumps({"name": "over", "extends": str(SOURCE / "suites" / "shared" / "tiers.json"), "defaults": {"model": "resnet18"},
                                     "groups": [{"name": "pt", "matrix": {"quantizer": ["min-max", "mse", "percentile", "adaround"]},
                                                 "set": {"weight_bits": 4, "activation_bits": 4}}]}))  # fmt: skip
        for name, fill in (("variance", lambda key: -1.0 if key.endswith("running_var") else None),
                           ("scale", lambda key: 1e6 if "bn" in key and key.endswith(".weight") else None)):  # fmt: skip
            copy_with(weights, spoiled, fill=fill)
            result = run("run", suite, "--tier", "smoke", "--out", self.folder / name, "--set", f"weights={spoiled}", "--set",
                         "pretrain=null")  # fmt: skip
            self.assertIn(result.returncode, (0, 5), result.stderr)
            for record in records(self.folder / name).values():
                self.assertNotIn("\n", record.get("reason", ""))
                self.assertNotIn(".cc:", json.dumps(record["facts"].get("integer", {})) + record.get("reason", ""))
                self.assertIn(record["status"], ("completed", "mistrusted"), record)
                if name == "variance":
                    self.assertIn("test images are no numbers: the network overflows", record["reason"])
                    if "-w4a4-" in record["id"]:
                        self.assertEqual(record["facts"]["integer"]["status"], "none")
                        self.assertIn("finite", record["facts"]["integer"]["reason"])


if __name__ == "__main__":
    unittest.main()
