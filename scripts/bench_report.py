"""What the scripts that compare with others print alike: where, when, and how sure."""

import datetime
import os
import pathlib
import statistics


def machine():
    """The processor's name as the system tells it."""
    for line in pathlib.Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def circumstances():
    return f"{machine()}, {os.cpu_count()} cores; {datetime.date.today().isoformat()}."


def quartiles(values):
    return statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
