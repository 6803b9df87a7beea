#!/usr/bin/env bash
# A build takes what control groups leave, as the program does; what would not fit on the disk is not begun; a machine
# without HOME has one.
. "$(dirname "$0")/assert.sh"
. "$SCRIPTS/lib.sh"
. "$SCRIPTS/lib_machine.sh"
. "$SCRIPTS/lib_build.sh"
PROC="$TMP/proc" CGROUP="$TMP/cgroup"
mkdir -p "$PROC/self" "$CGROUP/pod/box"
nproc() { echo 16; }
env() { nproc; }
printf 'MemTotal: 99 kB\nMemAvailable:   64000000 kB\n' >"$PROC/meminfo"

expect_equal "$(processors)" 16 "no groups at all"
expect_equal "$(free_memory)" 65536 "the machine's memory"
echo '0::/pod/box' >"$PROC/self/cgroup"
echo 'max 100000' >"$CGROUP/pod/box/cpu.max"
echo 'max' >"$CGROUP/pod/box/memory.max"
expect_equal "$(processors)" 16 "a group without limits"
expect_equal "$(free_memory)" 65536 "a group without limits of memory"
echo '250000 100000' >"$CGROUP/pod/cpu.max"
expect_equal "$(processors)" 3 "a part of a processor counts as one, in the group above"
echo 4000000000 >"$CGROUP/pod/box/memory.max"
echo 1500000000 >"$CGROUP/pod/box/memory.current"
printf 'anon 1\ninactive_file 500000000\n' >"$CGROUP/pod/box/memory.stat"
expect_equal "$(free_memory)" 3000 "what is left, with what can be given back"
expect_equal "$(jobs)" 2 "a compiler has 1.5 GB"
echo 1500000000 >"$CGROUP/pod/box/memory.max"
expect_equal "$(jobs)" 1 "one at least"

# Version 1, and a container whose path is told from outside.
rm -rf "$CGROUP" && mkdir -p "$CGROUP/cpu,cpuacct" "$CGROUP/memory"
ln -s "cpu,cpuacct" "$CGROUP/cpu"
printf '4:memory:/docker/x\n3:cpu,cpuacct:/docker/x\n' >"$PROC/self/cgroup"
echo -1 >"$CGROUP/cpu/cpu.cfs_quota_us" && echo 100000 >"$CGROUP/cpu/cpu.cfs_period_us"
echo 9223372036854771712 >"$CGROUP/memory/memory.limit_in_bytes" && echo 5 >"$CGROUP/memory/memory.usage_in_bytes"
expect_equal "$(processors) $(free_memory)" "16 65536" "version 1 without limits"
echo 200000 >"$CGROUP/cpu/cpu.cfs_quota_us"
echo 2000000000 >"$CGROUP/memory/memory.limit_in_bytes"
expect_equal "$(processors) $(free_memory)" "2 1999" "version 1 with limits"
unset -f env nproc

free_disk() { echo 1200; }
expect_code 0 need_disk "$TMP" 1000 "a thing" "make room"
expect_code 2 need_disk "$TMP" 1300 "a thing" "make room"
expect_match "$OUTPUT" "a thing needs 1300 MB in $TMP, and 1200 MB are free there: make room" "the line"
free_disk() { true; }
expect_code 0 need_disk "$TMP" 1300 "where nobody knows" ""
. "$SCRIPTS/lib_machine.sh"
expect_match "$(free_disk "$TMP/is/not/there/yet")" '^[0-9]+$' "of a folder that is still to be made"

# shellcheck disable=SC2016
home="$(env -u HOME -u XDG_CACHE_HOME bash -euc '. "$0/lib.sh" && echo "$HOME $CACHE" && printenv HOME' "$SCRIPTS")"
wanted="$(getent passwd "$(id -u)" | cut -d: -f6 || true)"
expect_equal "$home" "${wanted:-/} ${wanted:-/}/.cache/auxbench"$'\n'"${wanted:-/}" "without HOME"
# shellcheck disable=SC2016
expect_code 2 env XDG_CACHE_HOME=/proc/nowhere bash -euc '. "$0/lib.sh" && make_cache' "$SCRIPTS"
expect_match "$OUTPUT" "^auxbench: /proc/nowhere/auxbench cannot be written: .* XDG_CACHE_HOME" "a cache folder that cannot be"
