#!/usr/bin/env bash
# A wheel whose files are missing or cut short is not taken for installed.
. "$(dirname "$0")/assert.sh"
mkdir -p "$TMP/site/toy" "$TMP/site/toy-1.2.dist-info"
printf 'x = 1\n' >"$TMP/site/toy/__init__.py"
printf 'Metadata-Version: 2.1\nName: toy\nVersion: 1.2\n' >"$TMP/site/toy-1.2.dist-info/METADATA"
printf 'toy/__init__.py,sha256=0,6\ntoy-1.2.dist-info/RECORD,,\n' >"$TMP/site/toy-1.2.dist-info/RECORD"
check() { PYTHONPATH="$TMP/site" python3 -B "$SCRIPTS/check_wheels.py" "$@"; }

expect_code 0 check toy==1.2
expect_code 1 check toy==1.3
expect_match "$OUTPUT" "1.2 instead of 1.3" "another version"
expect_code 1 check toy==1.2 no-such-wheel==1
expect_match "$OUTPUT" "not installed" "an absent wheel"
printf 'x' >"$TMP/site/toy/__init__.py"
expect_code 1 check toy==1.2
expect_match "$OUTPUT" "another length" "a file cut short"
rm "$TMP/site/toy/__init__.py"
expect_code 1 check toy==1.2
expect_match "$OUTPUT" "is missing" "a file that is gone"
