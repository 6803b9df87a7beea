#!/usr/bin/env bash
# A campaign goes on where it stopped: parsers that came through are noted and not run again on that commit.
. "$(dirname "$0")/assert.sh"
mkdir -p "$TMP/repo/scripts" "$TMP/repo/tests/fuzz"
cp "$SCRIPTS/lib.sh" "$SCRIPTS/fuzz-campaign" "$TMP/repo/scripts/"
touch "$TMP/repo/tests/fuzz/"{coco,plan}.cc
# What scripts/fuzz would print; it leaves what it was asked for.
cat >"$TMP/repo/scripts/fuzz" <<'FAKE'
#!/usr/bin/env bash
echo "$*" >>"${0%/*}/asked"
[[ $* != *coco* ]] || echo "pass coco: 3 seeds, then 70 inputs"
[[ $* != *plan* || -e ${0%/*}/mended ]] || { echo "FAIL plan" && echo "     again: build-fuzz/fuzz-plan x" && exit 1; }
[[ $* != *plan* ]] || echo "pass plan: 1 seeds, then 70 inputs"
FAKE
chmod +x "$TMP/repo/scripts/fuzz"
campaign() { "$TMP/repo/scripts/fuzz-campaign" --inputs 70; }

expect_code 1 campaign
expect_equal "${OUTPUT##*$'\n'}" "1 passed, 1 failed" "a parser that fails"
expect_match "$OUTPUT" "again: build-fuzz/fuzz-plan x" "how to see it again"
touch "$TMP/repo/scripts/mended"
expect_code 0 campaign
expect_equal "${OUTPUT##*$'\n'}" "2 passed, 0 failed" "the other one alone was run again"
expect_equal "$(<"$TMP/repo/scripts/asked")" $'--inputs 70 --target coco --target plan\n--inputs 70 --target plan' "what was run"
expect_code 0 campaign
expect_equal "$(wc -l <"$TMP/repo/scripts/asked")" 2 "nothing is left to run"
expect_code 2 "$TMP/repo/scripts/fuzz-campaign" --inputs none
