"""check_wheels.py NAME==VERSION... | --list FILE

Exits with 0 when each of these wheels is installed here with every file as long as its RECORD says. So an installation
that was interrupted, or whose disk filled up, is never taken for a complete one. FILE is a list that scripts/pin-wheels
wrote; lines with a marker count for the Pythons it names.
"""

import csv
import importlib.metadata
import re
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


def listed(path):
    here = "%d.%d" % sys.version_info[:2]
    with open(path) as lines:
        for line in lines:
            wheel = re.match(r"[^#\s]+==[^\s;]+", line)
            pythons = re.findall(r'python_version == "([^"]+)"', line)
            if wheel and (not pythons or here in pythons):
                yield wheel[0]


words = sys.argv[1:]
if words[:1] == ["--list"]:
    words = list(listed(words[1]))
    if not words:
        sys.exit("the list is empty")
problems = [text for text in map(problem, words) if text]
if problems:
    sys.exit("\n".join(problems))
