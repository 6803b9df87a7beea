#!/usr/bin/env bash
# gpu-check: 77 without a GPU; with one a report that compares the devices and fails when they disagree about a status. A pack
# is refused when it is too large or asks for newer libraries, and says what it lacks before it looks for a GPU.
. "$(dirname "$0")/assert.sh"
if ! nvidia-smi -L >/dev/null 2>&1; then expect_code 77 "$SCRIPTS/gpu-check"; fi
expect_code 2 "$SCRIPTS/gpu-check" --prepare "$TMP/pack" --packed "$TMP/pack"
expect_match "$OUTPUT" "exclude each other" "two ways at once"
expect_code 2 "$SCRIPTS/gpu-check" --packed "$TMP/nowhere"
expect_match "$OUTPUT" "is no pack" "a pack that is not there"
expect_code 2 "$SCRIPTS/gpu-check" --wrong
expect_match "$OUTPUT" "unknown argument --wrong" "an unknown argument"

work="$TMP/work" out="$TMP/out"
mkdir -p "$work" "$out"
echo "NVIDIA Toy 100, 580.1, 1024 MiB" >"$work/gpu"
# step NAME CODE OUTPUT
step() { printf '%s\n' "$2" >"$work/$1.code" && printf '%s\n' "$3" >"$work/$1.out" && echo "some message" >"$work/$1.err"; }
record() { printf '[{"slug": "a", "status": "%s", "metrics": [{"name": "top1", "value": %s}], "provenance": {"torch": "9.9"}}]' "$1" "$2"; }
step tests 0 $'pass x\n12 passed, 0 failed, 1 skipped'
step smoke-cuda 0 '' && step smoke-cpu 0 ''
step records-cuda 0 "$(record completed 71.5)"
step records-cpu 0 "$(record completed 70.25)"
step train-resnet18-fp 0 '{"model": "resnet18", "variant": "fp", "batch": 64, "images_per_second": 5000.4,
  "step_ms": {"q25": 1, "median": 2, "q75": 3}}'
step rates 0 ''
cat >"$work/rates.json" <<'JSON'
{"schema_version": 1, "device": {"name": "NVIDIA Toy 100", "compute_capability": "9.0", "multiprocessors": 4},
 "method": {"repetitions": 11, "seconds_per_row": 0.5},
 "rows": [
  {"name": "wgmma b1", "group": "matrix", "status": "measured", "clock_mhz": 1700.4,
   "instructions_per_cycle_per_sm": {"q25": 0.007, "median": 0.0078125, "q75": 0.008},
   "macs_per_cycle_per_sm": {"q25": 32000, "median": 32768, "q75": 33000},
   "tera_operations_per_second": {"q25": 440, "median": 450.04, "q75": 460}, "percent_of_bf16": 1600.4},
  {"name": "mma.sync s4", "group": "matrix", "note": "made of others", "status": "not on this device"},
  {"name": "popc", "group": "vector", "status": "measured", "clock_mhz": 1700,
   "operations_per_cycle_per_sm": {"q25": 15.8, "median": 15.9, "q75": 16}},
  {"name": "copy", "group": "memory", "status": "measured", "gigabytes_per_second": {"q25": 4200, "median": 4300, "q75": 4310}}]}
JSON
report() { python3 -B "$SCRIPTS/gpu_check_report.py" "$work" "$out"; }

expect_code 0 report
expect_match "$(<"$out/gpu-check-nvidia-toy-100.md")" '\| a \| completed \| top1 \| 71.50 \| 70.25 \| \+1.25 \|' "the comparison"
expect_match "$(<"$out/gpu-check-nvidia-toy-100.md")" '\| resnet18 \| fp \| 64 \| 5000 \|' "the speed"
markdown="$(<"$out/gpu-check-nvidia-toy-100.md")"
expect_match "$markdown" '\| wgmma b1 \| 0.00781 \| 32768 \| 450.0 \(440.0 - 460.0\) \| 1600 \| 1700 \|' "a matrix rate"
expect_match "$markdown" '\| mma.sync s4 \(made of others\) \| not on this device \| - \| - \| - \| - \|' "a rate that is not there"
expect_match "$markdown" '\| popc \| 15.9 \(15.8 - 16.0\) \| 1700 \|' "a vector rate"
expect_match "$markdown" '\| copy \| 4300 \(4200 - 4310\) \|' "a bandwidth"
expect_match "$(python3 -m json.tool "$out/gpu-check-nvidia-toy-100.json")" '"median": 0.0078125' "the rates in the JSON file"

step records-cpu 0 "$(record diverged 1)"
expect_code 1 report
expect_match "$OUTPUT" "a: completed on the GPU, diverged on the CPU" "a status that depends on the device"
step records-cpu 0 "$(record completed 70.25)" && step train-resnet50-w2a2 1 ''
expect_code 1 report
expect_match "$OUTPUT" "train-resnet50-w2a2: exit code 1: some message" "a step that failed"
step train-resnet50-w2a2 0 "$(<"$work/train-resnet18-fp.out")"

# A rate that is none is a problem, the others stay in the table; without the program the report says why.
step rates 1 '' && sed -i '/popc/s/measured/wrong result: not a rate/' "$work/rates.json"
expect_code 1 report
expect_match "$OUTPUT" "- rates: popc: wrong result: not a rate" "a wrong result"
expect_match "$OUTPUT" '\| popc \| wrong result: not a rate \| - \|' "a wrong result in the table"
rm "$work/rates.json"
expect_code 1 report
expect_match "$OUTPUT" "Not measured: some message." "rates that were not measured"
rm "$work/rates.code" "$work/rates.out" "$work/rates.err"
printf '{"device": {"name": "x", "compute_capability": "9.0", "multiprocessors": 4}, "method": {"repetitions": 1}, "rows": []}' >"$work/rates.json"

# What a pack's run adds: tests by program, eager PyTorch beside us, a second run on the GPU, cells of the paper's tables.
rm "$work"/tests.*
step tests-on-cuda 0 $'pass a\npass b' && step tests-kernels 0 'All tests passed (9 assertions in 3 test cases)'
step tests-quantizers 0 $'test cases:  5 |  4 passed | 1 failed\nassertions: 9 | 8 passed | 1 failed'
step eager-resnet18-fp 0 '{"images_per_second": 2500.2}'
step records-again 0 "$(record completed 71.5)"
step evidence-resnet18 143 '' && step cells-resnet18 0 "$(record completed 80.5)"
expect_code 0 report
expect_match "$OUTPUT" "Tests: 9 passed, 1 failed, 0 skipped" "the tests of a pack"
expect_match "$OUTPUT" '\| resnet18 \| fp \| 64 \| 5000 \| 2.00 \(1.00 - 3.00\) \| 2500 \| 2.00 \|' "eager PyTorch beside us"
expect_match "$OUTPUT" "gave the same numbers" "a second run with the same numbers"
expect_match "$OUTPUT" '\| a \| 0 \| completed \| top1 80.50 \|' "a cell of the paper's tables"
step records-again 0 "$(record completed 71.25)"
expect_code 1 report
expect_match "$OUTPUT" "a: a second run on the GPU gave other numbers" "a second run with other numbers"

step tests-on-cuda 1 $'pass a\nFAIL sums of b: 3 differ'
expect_code 1 report
expect_match "$OUTPUT" "tests-on-cuda: exit code 1: FAIL sums of b: 3 differ" "which test failed"

# A pack's limits, on programs of this machine.
limits() { (set -euo pipefail && . "$SCRIPTS/lib.sh" && . "$SCRIPTS/lib_gpu_pack.sh" && "$@"); }
mkdir "$TMP/pack" && cp "$(command -v bash)" "$TMP/pack/program"
expect_code 0 limits check_symbols "$TMP/pack/program"
expect_match "$OUTPUT" "asks for at most GLIBC_2" "what a program asks for"
too_new() { (set -euo pipefail && . "$SCRIPTS/lib.sh" && . "$SCRIPTS/lib_gpu_pack.sh" && NEWEST_GLIBC=2.2 && check_symbols "$TMP/pack/program"); }
expect_code 1 too_new
expect_match "$OUTPUT" "program asks for .* of GLIBC_2.*the pack may ask for 2.2 at most" "a symbol that is too new"
expect_code 0 limits check_size "$TMP/pack"
AUXBENCH_PACK_MIB=0 expect_code 1 limits check_size "$TMP/pack"
expect_match "$OUTPUT" "more than the 0 allowed" "a pack that is too large"
python3 -B "$SCRIPTS/clear_runpath.py" "$TMP/pack/program"
expect_code 0 "$TMP/pack/program" -c true

# A step that runs into its limit, one that fails, one for which no time is left: each is in the files, and the next one comes.
steps() { (set -euo pipefail && . "$SCRIPTS/lib.sh" && . "$SCRIPTS/lib_gpu.sh" && WORK=$TMP/steps && SECONDS=0 DEADLINE=$1 && shift && "$@"); }
mkdir "$TMP/steps"
expect_code 0 steps 60 step slow 5 sleep 30
expect_equal "$(<"$TMP/steps/slow.code")" 124 "a step over its limit"
expect_code 0 steps 60 step wrong 5 false
expect_equal "$(<"$TMP/steps/wrong.code")" 1 "a step that fails"
expect_code 0 steps 2 step late 5 touch "$TMP/steps/ran"
expect_equal "$(<"$TMP/steps/late.code")" 124 "a step without time"
[[ ! -e $TMP/steps/ran ]] || fail "a step ran for which no time was left"

# `run` refuses another torch than the pack's, and finds out before it asks for a GPU.
run_pack="$TMP/another" && mkdir -p "$run_pack/scripts" "$TMP/site/torch/lib" "$TMP/site/torch/include" "$TMP/site/torch-9.9.0.dist-info"
touch "$TMP/site/torch/__init__.py" "$TMP/site/torch/lib/libtorch_cpu.so"
printf 'Metadata-Version: 2.1\nName: torch\nVersion: 9.9.0+cu130\n' >"$TMP/site/torch-9.9.0.dist-info/METADATA"
cp "$SCRIPTS"/{lib.sh,lib_gpu.sh,find_torch.py} "$run_pack/scripts/" && cp "$SCRIPTS/gpu_pack_run" "$run_pack/run"
echo 2.11.0 >"$run_pack/torch" && echo abc >"$run_pack/commit"
PYTHONPATH="$TMP/site" expect_code 2 "$run_pack/run" "$TMP/out-of-pack"
expect_match "$OUTPUT" "this pack is built for torch 2.11.0, and .* is 9.9.0" "another torch"
