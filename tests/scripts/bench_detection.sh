#!/usr/bin/env bash
# scripts/bench-detection's parts that need neither torch nor a build.
. "$(dirname "$0")/assert.sh"

expect_code 0 "$SCRIPTS/bench-detection" --help
expect_match "$OUTPUT" "--publish" "its options"

in_scripts() { (cd "$SCRIPTS" && python3 -B -c "$1"); }

# tests/bench/detection.cc has the same numbers.
expect_code 0 in_scripts "
from regular_boxes import regular_boxes
for corners, label in zip(*regular_boxes(1, 320, 80)): print(*('%.5f' % corner for corner in corners), label)"
expect_match "$OUTPUT" "289.57675 8.32512 302.91008 114.99179 8" "the first box"
expect_match "$OUTPUT" "147.89456 166.69899 241.22789 193.36565 14" "the last one"

expect_code 0 in_scripts "
from bench_report import run_measured
import sys
seconds, mib, text = run_measured([sys.executable, '-c', 'held = bytearray(100 << 20); print(len(held))'])
assert text == '104857600\n' and 100 < mib < 150 and seconds > 0, (seconds, mib, text)"

expect_code 1 in_scripts "
from bench_report import run_measured
run_measured(['sh', '-c', 'echo it went wrong >&2; exit 3'])"
expect_match "$OUTPUT" "sh -c: exit code 3: it went wrong" "a failure in the words of what failed"
