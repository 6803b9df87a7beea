#!/usr/bin/env bash
# scripts/bench-kernels: where its results go.
. "$(dirname "$0")/assert.sh"
unset AUXBENCH_BUILD AUXBENCH_PREFIX AUXBENCH_ISA
tree="$TMP/tree"
mkdir -p "$tree/scripts" "$tree/build" "$tree/results/published" "$TMP/elsewhere"
cp "$SCRIPTS/bench-kernels" "$SCRIPTS/lib.sh" "$tree/scripts/"
printf '#!/bin/sh\n' >"$tree/scripts/setup"
printf '#!/bin/sh\nexit 1\n' >"$tree/scripts/onednn"
# In place of the program: says what it was told and writes what it would.
cat >"$tree/build/auxbench" <<'PROGRAM'
#!/usr/bin/env bash
echo "told: $*"
while [[ $1 != --out ]]; do shift; done
mkdir -p "$2" && cd "$2" && touch kernels.json kernels.md kernels.svg
PROGRAM
chmod +x "$tree"/scripts/* "$tree/build/auxbench"

expect_code 0 "$tree/scripts/bench-kernels" --quick --out "$TMP/kept"
expect_match "$OUTPUT" "told: bench suites/kernels.json --out $TMP/kept --quick" "the folder is named once"
expect_match "$(ls "$TMP/kept")" "kernels.json" "what is in the folder"

cd "$TMP/elsewhere"
expect_code 0 "$tree/scripts/bench-kernels" --out=here
expect_match "$(ls "$TMP/elsewhere/here")" "kernels.md" "a folder is where the caller stands"
cd /

expect_code 0 "$tree/scripts/bench-kernels" --publish --out "$TMP/both"
expect_match "$(ls "$TMP/both/bench-kernels-avx2")" "kernels.svg" "each run of --publish has a folder of its own"
expect_match "$(ls "$tree/reports/published")" "bench-kernels.md" "and is published"

expect_code 2 "$tree/scripts/bench-kernels" --out
expect_match "$OUTPUT" "--out needs a folder" "a folder that is missing"
