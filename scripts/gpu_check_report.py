"""gpu_check_report.py WORK OUT: makes gpu-check-NAME.json and .md in OUT from what scripts/gpu-check or a pack's `run` left in WORK.

WORK holds for each step its exit code, output, errors and seconds: NAME.code, NAME.out, NAME.err, NAME.seconds; and rates.json.
Exits with 1 when a step failed, a cell's status depends on the device, or a second run on the GPU gave other numbers.
"""

import datetime
import json
import pathlib
import re
import sys


class Work:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def text(self, name):
        path = self.folder / name
        return path.read_text(encoding="utf-8", errors="replace").strip() if path.exists() else ""

    def code(self, step):
        return int(self.text(f"{step}.code") or 1)

    def json(self, step):
        """What the step printed, or None when it failed."""
        return json.loads(self.text(f"{step}.out")) if self.code(step) == 0 else None

    def rates(self):
        """What runner/bench/rates wrote, also when some of its rows failed, or why it wrote nothing."""
        text = self.text("rates.json")
        return json.loads(text) if text else {"absent": self.last_error("rates"), "rows": []}

    def steps(self, prefix):
        return sorted(path.stem for path in self.folder.glob(f"{prefix}*.code"))

    def last_error(self, step):
        """The last line of its errors, or what its output says of the first tests that failed."""
        failed = [line for line in self.text(f"{step}.out").splitlines() if line.startswith("FAIL ")]
        return "; ".join(failed[:5]) if failed else (self.text(f"{step}.err").splitlines() or ["no message"])[-1]


CATCH = re.compile(r"^test cases: +\d+(?: \| +(\d+) passed)?(?: \| +(\d+) failed)?(?: \| +(\d+) skipped)?", re.MULTILINE)


def counts_of(text):
    """Passed, failed, skipped as scripts/test, Catch2 or tests/quantizers/on_cuda.cc print them; None for anything else."""
    if found := re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", text, re.MULTILINE):
        return [int(number or 0) for number in found[-1]]
    if found := re.findall(r"^All tests passed \(\d+ assertions? in (\d+) test cases?\)", text, re.MULTILINE):
        return [int(found[-1]), 0, 0]
    if found := CATCH.findall(text):
        return [int(number or 0) for number in found[-1]]
    lines = text.splitlines()
    passed, failed = (sum(line.startswith(word) for line in lines) for word in ("pass ", "FAIL "))
    return [passed, failed, 0] if passed + failed else None


def counts(work):
    found = [counts_of(work.text(f"{step}.out")) or [0, 1, 0] for step in work.steps("tests")] or [[0, 1, 0]]
    return dict(zip(("passed", "failed", "skipped"), map(sum, zip(*found))))


def metrics(record):
    return {metric["name"]: metric["value"] for metric in record.get("metrics", [])} if record else {}


def compare_cells(work):
    """One entry a cell: status and metrics on both devices. Ids name the device class, so that slugs are matched."""
    by_device = {device: {record["slug"]: record for record in work.json(f"records-{device}") or []}
                 for device in ("cuda", "cpu")}
    cells = []
    for slug in sorted(by_device["cuda"].keys() | by_device["cpu"].keys()):
        cuda, cpu = (by_device[device].get(slug) for device in ("cuda", "cpu"))
        on_cuda, on_cpu = metrics(cuda), metrics(cpu)
        cells.append({"slug": slug,
                      "status": {"cuda": cuda["status"] if cuda else "absent", "cpu": cpu["status"] if cpu else "absent"},
                      "metrics": {name: {"cuda": on_cuda[name], "cpu": on_cpu[name], "difference": on_cuda[name] - on_cpu[name]}
                                  for name in on_cuda.keys() & on_cpu.keys()}})
    return cells


def changed_again(work):
    """Slugs of cells whose second run on the GPU, from the same seeds, ended with other metrics; None without such a run."""
    first, again = ({record["slug"]: metrics(record) for record in work.json(step) or []} for step in ("records-cuda", "records-again"))
    return sorted(slug for slug in first.keys() & again.keys() if first[slug] != again[slug]) if first and again else None


def evidence(work):
    """Cells of the paper's tables that came to an end."""
    records = [record for step in work.steps("cells-") for record in work.json(step) or []]
    return [{"slug": record["slug"], "status": record["status"], "seed": record.get("spec", {}).get("seed", 0),
             "metrics": metrics(record), "seconds": record.get("seconds", {}).get("total")}
            for record in records if record["status"] != "listed"]


def training(work):
    """One entry a network and variant: ours, with eager PyTorch's beside it where it was measured."""
    entries = []
    for step in work.steps("train-"):
        ours, eager = work.json(step), work.json(step.replace("train-", "eager-", 1))
        if ours:
            entries.append({**ours, **({"eager": eager, "ratio": ours["images_per_second"] / eager["images_per_second"]} if eager else {})})
    return entries


def circumstances(work):
    name, driver, memory = [part.strip() for part in work.text("gpu").split(",")]
    made = next((record["provenance"] for record in work.json("records-cuda") or [] if record.get("provenance")), {})
    kept = {key: made.get(key, "unknown") for key in ("commit", "dirty", "version", "compiler", "torch", "cpu", "os", "flags")}
    return {"gpu": name, "driver": driver, "memory": memory, "date": datetime.date.today().isoformat(), **kept}


# Exit codes of a step that had no time left, and of an interrupted run: with so much time evidence is what got ready.
OUT_OF_TIME = (124, 130, 143)


def problems(work, cells):
    found = [f"{step}: exit code {work.code(step)}: {work.last_error(step)}"
             for step in work.steps("") if work.code(step) != 0 and not (step.startswith("evidence-") and work.code(step) in OUT_OF_TIME)]
    found += [f"{cell['slug']}: {cell['status']['cuda']} on the GPU, {cell['status']['cpu']} on the CPU"
              for cell in cells if cell["status"]["cuda"] != cell["status"]["cpu"]]
    found += [f"rates: {row['name']}: {row['status']}" for row in work.rates()["rows"]
              if row["status"] not in ("measured", "not on this device")]
    found += [f"{slug}: a second run on the GPU gave other numbers" for slug in changed_again(work) or []]
    return found if cells else [*found, "the smoke suite left no records"]


def quartiles(values, digits):
    return f"{values['median']:.{digits}f} ({values['q25']:.{digits}f} - {values['q75']:.{digits}f})"


# For each group of runner/bench/rates: the head of its table, and the cells of a row behind its name.
RATES = {
    "matrix": (["matrix instruction", "instructions/cycle/SM", "MAC/cycle/SM", "TOP/s (quartiles)", "% of bf16",
                "clock, MHz"],
               lambda row: [f"{row['instructions_per_cycle_per_sm']['median']:.5f}",
                            f"{row['macs_per_cycle_per_sm']['median']:.0f}", quartiles(row["tera_operations_per_second"], 1),
                            f"{row['percent_of_bf16']:.0f}" if "percent_of_bf16" in row else "-", f"{row['clock_mhz']:.0f}"]),
    "vector": (["in registers", "values or operations/cycle/SM (quartiles)", "clock, MHz"],
               lambda row: [quartiles(row.get("values_per_cycle_per_sm") or row["operations_per_cycle_per_sm"], 1),
                            f"{row['clock_mhz']:.0f}"]),
    "memory": (["memory", "GB/s (quartiles)"], lambda row: [quartiles(row["gigabytes_per_second"], 0)]),
}


def rates_markdown(rates):
    lines = ["", "## Instruction rates", ""]
    if "absent" in rates:
        return [*lines, f"Not measured: {rates['absent']}."]
    device, method = rates["device"], rates["method"]
    lines.append(f"{device['name']}, compute capability {device['compute_capability']}, {device['multiprocessors']} multiprocessors "
                 f"(SM); medians of {method['repetitions']} repetitions; clocks as the multiprocessors counted them. How: "
                 "`runner/bench/rates/rates.cu`.")
    for group, (head, cells_of) in RATES.items():
        lines += ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        for row in rates["rows"]:
            if row["group"] == group:
                cells = cells_of(row) if row["status"] == "measured" else [row["status"], *["-"] * (len(head) - 2)]
                note = f" ({row['note']})" if "note" in row else ""
                lines.append(f"| {row['name']}{note} | {' | '.join(cells)} |".replace("\n", " "))
    return lines


def markdown(report):
    made, tests = report["circumstances"], report["tests"]
    lines = [f"# GPU check: {made['gpu']}", "",
             f"Made by `scripts/gpu-check` on {made['date']}: driver {made['driver']}, {made['memory']}, torch {made['torch']}, "
             f"{made['cpu']}, commit {made['commit']}{' with changes' if made['dirty'] is True else ''}.", "",
             f"Tests: {tests['passed']} passed, {tests['failed']} failed, {tests['skipped']} skipped.", "",
             f"LibTorch on the GPU: {made['flags']}. A second run of the smoke suite there gave "
             f"{'the same numbers' if report['changed_again'] == [] else 'no numbers' if report['changed_again'] is None else 'others'}.", ""]
    if report["problems"]:
        lines += ["## Problems", "", *(f"- {problem}" for problem in report["problems"]), ""]
    lines += ["## Smoke suite on both devices", "",
              "Other kernels round otherwise and training amplifies it: equal status is demanded, equal metrics are not.", "",
              "| cell | status | metric | GPU | CPU | difference |", "|---|---|---|---|---|---|"]
    for cell in report["cells"]:
        status = cell["status"]["cuda"] if len(set(cell["status"].values())) == 1 else " / ".join(cell["status"].values())
        for name, values in sorted(cell["metrics"].items()) or [("-", None)]:
            numbers = f"{values['cuda']:.2f} | {values['cpu']:.2f} | {values['difference']:+.2f}" if values else "- | - | -"
            lines.append(f"| {cell['slug']} | {status} | {name} | {numbers} |")
    lines += ["", "## Training speed at 224 px", "",
              "Eager: the same network, batch and layout in PyTorch's eager mode (scripts/reference_training.py).", "",
              "| network | variant | batch | images/s | step, ms (quartiles) | eager, images/s | times as fast |", "|---" * 7 + "|"]
    for speed in report["training"]:
        eager = f"{speed['eager']['images_per_second']:.0f} | {speed['ratio']:.2f}" if "eager" in speed else "- | -"
        lines.append(f"| {speed['model']} | {speed['variant']} | {speed['batch']} | {speed['images_per_second']:.0f} "
                     f"| {quartiles(speed['step_ms'], 2)} | {eager} |")
    if report["evidence"]:
        lines += ["", "## Cells of the paper's tables, embedded tier, on the GPU", "", "| cell | seed | status | metrics | seconds |", "|---" * 5 + "|"]
        for cell in report["evidence"]:
            numbers = ", ".join(f"{name} {value:.2f}" for name, value in sorted(cell["metrics"].items())) or "-"
            lines.append(f"| {cell['slug']} | {cell['seed']} | {cell['status']} | {numbers} | {cell['seconds'] or 0:.1f} |")
    lines += rates_markdown(report["rates"])
    return "\n".join(lines) + "\n"


def main():
    work, out = Work(sys.argv[1]), pathlib.Path(sys.argv[2])
    cells = compare_cells(work)
    report = {"schema_version": 1, "circumstances": circumstances(work), "tests": counts(work), "cells": cells,
              "changed_again": changed_again(work), "training": training(work), "evidence": evidence(work),
              "seconds": {step: int(work.text(f"{step}.seconds") or 0) for step in work.steps("")}, "rates": work.rates(), "problems": problems(work, cells)}
    slug = re.sub(r"[^a-z0-9]+", "-", report["circumstances"]["gpu"].lower()).strip("-")
    path = out / f"gpu-check-{slug}"
    path.with_suffix(".json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    text = markdown(report)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    print(text, end="")
    print(f"written: {path}.json, {path}.md", file=sys.stderr)
    return 1 if report["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
