# shellcheck shell=bash
# What the tests of the scripts share. Sourced. A test is a script that exits with 0, 1 or 77 (cannot run here).
set -euo pipefail
SCRIPTS="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../scripts" && pwd)"
TMP="$(mktemp -d)"
trap 'rm -rf "$TMP"' EXIT

fail() {
  printf 'FAIL: %s\n' "$*" >&2
  exit 1
}

# expect_equal GOT WANTED WHAT
expect_equal() { [[ $1 == "$2" ]] || fail "$3: got '$1', wanted '$2'"; }

# expect_match TEXT PATTERN WHAT
expect_match() { [[ $1 =~ $2 ]] || fail "$3: '$1' does not match '$2'"; }

# expect_code CODE COMMAND...: its output is left in OUTPUT.
expect_code() {
  local wanted=$1 code=0
  shift
  OUTPUT="$("$@" 2>&1)" || code=$?
  [[ $code -eq $wanted ]] || fail "$*: exit code $code instead of $wanted: $OUTPUT"
}
