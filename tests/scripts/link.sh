#!/usr/bin/env bash
# The link in ~/.local/bin: made once, never over a file that is not ours.
. "$(dirname "$0")/assert.sh"
export HOME="$TMP/home"
mkdir -p "$HOME"
. "$SCRIPTS/lib.sh"
. "$SCRIPTS/lib_build.sh"
link="$HOME/.local/bin/auxbench"

expect_code 0 link_program
expect_match "$OUTPUT" "linked $link" "the first time it is said"
expect_equal "$(readlink "$link")" "$SCRIPTS/auxbench" "the target"

expect_code 0 link_program
expect_equal "$OUTPUT" "" "the second time there is nothing to say"

ln -sfn "$TMP/gone/scripts/auxbench" "$link"
expect_code 0 link_program
expect_equal "$(readlink "$link")" "$SCRIPTS/auxbench" "a link to a checkout that is gone is renewed"

rm "$link" && echo mine >"$link"
expect_code 0 link_program
expect_match "$OUTPUT" "left alone" "a foreign file is named"
expect_equal "$(<"$link")" "mine" "a foreign file is kept"
