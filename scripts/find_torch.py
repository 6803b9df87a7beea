"""Prints the folder of the torch package this interpreter would import, without importing it.

A wheel installed without its dependencies cannot be imported, yet its libraries are all a C++ program needs.
"""

import importlib.metadata
import importlib.util
import pathlib
import re
import sys

OLDEST = (2, 11)

spec = importlib.util.find_spec("torch")
root = pathlib.Path(spec.origin).parent if spec and spec.origin else None
if root is None or not (root / "lib" / "libtorch_cpu.so").exists() or not (root / "include").is_dir():
    sys.exit("no LibTorch in this interpreter")
version = importlib.metadata.version("torch")
if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST:
    sys.exit(f"torch {version} is older than {'.'.join(map(str, OLDEST))}")
print(root)
