#!/usr/bin/env bash
# A build off a terminal says how far it is, and what failed.
. "$(dirname "$0")/assert.sh"
. "$SCRIPTS/lib.sh"
. "$SCRIPTS/lib_build.sh"

printf '[1/10] one\nwarning: of a compiler\n[4/10] four\n' >"$TMP/log"
expect_equal "$(steps_left "$TMP/log" 120)" "4 of 10 steps, about 3 min left" "the pace so far goes on"
: >"$TMP/log"
expect_equal "$(steps_left "$TMP/log" 120)" "" "nothing is known before the first step"

# ninja: answers how many steps there are, then takes two seconds for two of them.
BUILD="$TMP/build" NINJA="$TMP/ninja" TELL_SECONDS=1
mkdir "$BUILD"
cat >"$NINJA" <<'EOF'
#!/usr/bin/env bash
if [[ " $* " == *" -n "* ]]; then echo '[2/2] two' && exit; fi
echo '[1/2] one' && sleep 1.6 && echo '[2/2] two'
[[ -z ${FAILS:-} ]] || { echo 'a.cc:1: error' && exit 1; }
EOF
chmod +x "$NINJA"
expect_code 0 compile
expect_match "$OUTPUT" "building $BUILD .2 steps." "how much there is to do"
expect_match "$OUTPUT" "building, 1 of 2 steps, about 1 min left" "how far it is"
FAILS=1 expect_code 1 compile
expect_match "$OUTPUT" "a.cc:1: error" "the end of what a failed build printed"
expect_match "$OUTPUT" "the build failed" "that it failed"

configure() { :; }
program() { echo "$TMP/program"; }
: >"$BUILD/build.ninja"
TELL_SECONDS=5 expect_code 0 build
# Nothing that a build started keeps the folder's lock when it is done.
expect_code 0 flock --nonblock "$BUILD/.lock" true
