#!/usr/bin/env bash
# Counting: lines are summed, skips are kept, and nothing at all counts as a failure.
. "$(dirname "$0")/assert.sh"
. "$SCRIPTS/lib.sh"

printf '3 passed, 0 failed\nnoise 7 passed, 7 failed\n10 passed, 2 failed, 4 skipped\n' >"$TMP/a"
printf '1 passed, 0 failed\n' >"$TMP/b"
expect_equal "$(sum_counts "$TMP/a" "$TMP/b")" "14 passed, 2 failed, 4 skipped" "the sum"
expect_equal "$(sum_counts "$TMP/b")" "1 passed, 0 failed" "without skips none are named"
expect_equal "$(failed_count "14 passed, 2 failed, 4 skipped")" 2 "failures of a line"
expect_equal "$(failed_count "5 passed, 0 failed")" 0 "no failures"
expect_equal "$(failed_count "0 passed, 0 failed, 9 skipped")" 1 "that no test ran is a failure"
