"""The interpreter that has what a parity test holds the program against: $AUXBENCH_REFERENCE_PYTHON or, where it takes
torch, $AUXBENCH_TORCH_PYTHON. scripts/test sets both."""

import importlib.util
import os
import sys


def need(*packages):
    """Goes on where all packages are there, starts over under the reference interpreter, or exits with 77: skipped."""
    if all(importlib.util.find_spec(package) for package in packages):
        return
    other = os.environ.get("AUXBENCH_TORCH_PYTHON" if "torch" in packages else "AUXBENCH_REFERENCE_PYTHON", "")
    if other and os.environ.get("AUXBENCH_REFERENCE_TRIED") != "1":
        os.environ["AUXBENCH_REFERENCE_TRIED"] = "1"
        os.execv(other, [other, *sys.argv])
    print(f"skipped: not all of {', '.join(packages)} are installed")
    sys.exit(77)
