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

# A list with hashes: every wheel of it, markers for other Pythons passed over.
cat >"$TMP/list.txt" <<'LIST'
# What the toy needs.
#: toy==1.2
other==9 ; python_version == "2.7" \
    --hash=sha256:00
toy==1.2 \
    --hash=sha256:11 \
    --hash=sha256:22
LIST
expect_code 1 check --list "$TMP/list.txt"
expect_match "$OUTPUT" "^toy: .* is missing" "the other one does not count here"
printf 'x = 1\n' >"$TMP/site/toy/__init__.py"
expect_code 0 check --list "$TMP/list.txt"
echo '# nothing' >"$TMP/empty.txt"
expect_code 1 check --list "$TMP/empty.txt"

. "$SCRIPTS/lib.sh"
. "$SCRIPTS/lib_machine.sh"
. "$SCRIPTS/lib_packages.sh"
. "$SCRIPTS/lib_python.sh"
expect_equal "$(wheels_of "$TMP/list.txt" | paste -sd' ')" "other==9 toy==1.2" "the wheels of a list"
for list in "$SCRIPTS"/wheels/*.txt "$SCRIPTS/../tests/parity/requirements.txt"; do
  wheels="$(wheels_of "$list" | wc -l)"
  hashed="$(grep -cE -A1 '^[^# ]+==' "$list" || true)"
  [[ $wheels -gt 0 && $wheels -eq $hashed ]] || fail "$list: a wheel without a hash"
  grep -q '^ *--hash=sha256:[0-9a-f]\{64\}' "$list" || fail "$list: no SHA-256"
  while read -r wanted; do
    grep -qiF "$wanted" <(wheels_of "$list") || fail "$list: $wanted is wanted and not listed: run scripts/pin-wheels"
  done < <(sed -n 's/^#: //p' "$list" | tr ' ' '\n' | grep '==')
done

# pip that fails is not asked again within a day, unless the list is another.
find_python() { echo false; }
QUIET=1 CACHE="$TMP/cache"
expect_code 1 wheels_venv "$TMP/cache/toy" "$TMP/list.txt"
expect_match "$OUTPUT" "pip failed" "the first time"
expect_code 1 wheels_venv "$TMP/cache/toy" "$TMP/list.txt"
expect_match "$OUTPUT" "less than a day ago .*remove $TMP/cache/toy.failed" "the second time"
echo '# another' >>"$TMP/list.txt"
expect_code 1 wheels_venv "$TMP/cache/toy" "$TMP/list.txt"
expect_match "$OUTPUT" "pip failed: " "another list"
touch -d '2 days ago' "$TMP/cache/toy.failed"
expect_code 1 wheels_venv "$TMP/cache/toy" "$TMP/list.txt"
expect_match "$OUTPUT" "pip failed: " "two days later"
