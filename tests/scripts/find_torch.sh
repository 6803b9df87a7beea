#!/usr/bin/env bash
# The LibTorch of an interpreter: only one that is whole and new enough, and without importing it.
. "$(dirname "$0")/assert.sh"
torch="$TMP/site/torch"
mkdir -p "$torch/lib" "$torch/include" "$TMP/site/torch-2.12.0.dist-info"
echo 'raise ImportError("must not be imported")' >"$torch/__init__.py"
metadata() { printf 'Metadata-Version: 2.1\nName: torch\nVersion: %s\n' "$1" >"$TMP/site/torch-2.12.0.dist-info/METADATA"; }
find_torch() { PYTHONPATH="$TMP/site" python3 -B "$SCRIPTS/find_torch.py"; }

metadata 2.12.0+cpu
expect_code 1 find_torch
touch "$torch/lib/libtorch_cpu.so"
expect_code 0 find_torch
expect_equal "$OUTPUT" "$torch" "its root"
metadata 2.10.1
expect_code 1 find_torch
expect_match "$OUTPUT" "older than 2.11" "an old one"
metadata 3.0.0a0
expect_code 0 find_torch
