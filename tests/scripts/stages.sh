#!/usr/bin/env bash
# Stages of CI: counts are read off what they print; a failure without counts is one; nothing that was skipped is silent.
. "$(dirname "$0")/assert.sh"
. "$SCRIPTS/lib.sh"
. "$SCRIPTS/lib_machine.sh"
. "$SCRIPTS/lib_packages.sh"
. "$SCRIPTS/lib_python.sh"
. "$SCRIPTS/lib_stages.sh"
LOGS="$TMP/logs"
mkdir "$LOGS"
good() { printf 'noise\n3 passed, 0 failed, 1 skipped\n'; }
quiet() { true; }
absent() { printf 'auxbench: no clang++ with libFuzzer\n0 passed, 0 failed, 8 skipped\n'; }
broken() { printf '2 passed, 0 failed\n' && return 1; }

expect_match "$(stage good good)" "== good: 3 passed, 0 failed, 1 skipped \([0-9]+ s\)$" "counts that were printed"
expect_match "$(stage quiet quiet)" "== quiet: 1 passed, 0 failed" "a command without counts"
stage absent absent >/dev/null
expect_code 0 stages_end
expect_match "$OUTPUT" "absent     SKIPPED: nothing of it ran here: auxbench: no clang\+\+ with libFuzzer"$'\n' "a stage that was skipped"
expect_equal "$(tail -n 2 <<<"$OUTPUT")" "9 skipped"$'\n'"4 passed, 0 failed" "the sum"
expect_match "$(stage broken broken)" "0 passed, 1 failed" "a command that fails behind good counts"
expect_code 1 stages_end
expect_equal "${OUTPUT##*$'\n'}" "4 passed, 1 failed" "the sum of a failure"

expect_code 0 machine_lines
for word in commit system processor g++ clang++ python3 wheels; do
  grep -q "^$word" <<<"$OUTPUT" || fail "the head of the log does not name $word: $OUTPUT"
done
