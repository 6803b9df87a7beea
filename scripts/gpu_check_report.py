"""gpu_check_report.py WORK OUT: makes gpu-check-NAME.json and .md in OUT from what scripts/gpu-check left in WORK.

WORK holds for each step its exit code, output and errors: NAME.code, NAME.out, NAME.err; and rates.json.
Exits with 1 when a step failed or a cell's status depends on the device.
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
        return (self.text(f"{step}.err").splitlines() or ["no message"])[-1]


def counts(work):
    found = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", work.text("tests.out"), re.MULTILINE)
    passed, failed, skipped = found[-1] if found else (0, 1, 0)
    return {"passed": int(passed), "failed": int(failed), "skipped": int(skipped or 0)}


def metrics(record):
    return {metric["name"]: metric["value"] for metric in record["metrics"]} if record else {}


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


def circumstances(work):
    name, driver, memory = [part.strip() for part in work.text("gpu").split(",")]
    made = next((record["provenance"] for record in work.json("records-cuda") or [] if record.get("provenance")), {})
    kept = {key: made.get(key, "unknown") for key in ("commit", "dirty", "version", "compiler", "torch", "cpu", "os")}
    return {"gpu": name, "driver": driver, "memory": memory, "date": datetime.date.today().isoformat(), **kept}


def problems(work, cells):
    found = [f"{step}: exit code {work.code(step)}: {work.last_error(step)}"
             for step in [path.stem for path in sorted(work.folder.glob("*.code"))] if work.code(step) != 0]
    found += [f"{cell['slug']}: {cell['status']['cuda']} on the GPU, {cell['status']['cpu']} on the CPU"
              for cell in cells if cell["status"]["cuda"] != cell["status"]["cpu"]]
    found += [f"rates: {row['name']}: {row['status']}" for row in work.rates()["rows"]
              if row["status"] not in ("measured", "not on this device")]
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
             f"Tests: {tests['passed']} passed, {tests['failed']} failed, {tests['skipped']} skipped.", ""]
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
    lines += ["", "## Training speed at 224 px", "", "| network | variant | batch | images/s | step, ms (quartiles) |", "|---|---|---|---|---|"]
    for speed in report["training"]:
        step = speed["step_ms"]
        lines.append(f"| {speed['model']} | {speed['variant']} | {speed['batch']} | {speed['images_per_second']:.0f} "
                     f"| {step['median']:.2f} ({step['q25']:.2f} - {step['q75']:.2f}) |")
    lines += rates_markdown(report["rates"])
    return "\n".join(lines) + "\n"


def main():
    work, out = Work(sys.argv[1]), pathlib.Path(sys.argv[2])
    cells = compare_cells(work)
    report = {"schema_version": 1, "circumstances": circumstances(work), "tests": counts(work), "cells": cells,
              "training": [speed for speed in map(work.json, work.steps("train-")) if speed],
              "rates": work.rates(), "problems": problems(work, cells)}
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
