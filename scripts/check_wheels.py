"""Exits with 0 when each wheel named as NAME==VERSION is installed here with every file as long as its RECORD says.

So an installation that was interrupted, or whose disk filled up, is never taken for a complete one.
"""

import csv
import importlib.metadata
import sys


def problem(requirement):
    name, _, version = requirement.partition("==")
    try:
        wheel = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return f"{name}: not installed"
    if version and wheel.version.partition("+")[0] != version:
        return f"{name}: {wheel.version} instead of {version}"
    record = wheel.read_text("RECORD")
    if not record:
        return f"{name}: no RECORD"
    for path, _, size in csv.reader(record.splitlines()):
        try:
            if size and wheel.locate_file(path).stat().st_size != int(size):
                return f"{name}: {path} has another length"
        except OSError:
            return f"{name}: {path} is missing"
    return None


problems = [text for text in map(problem, sys.argv[1:]) if text]
if problems:
    sys.exit("\n".join(problems))
