#!/usr/bin/env bash
# gpu-check: 77 without a GPU; with one a report that compares the devices and fails when they disagree about a status.
. "$(dirname "$0")/assert.sh"
if ! nvidia-smi -L >/dev/null 2>&1; then expect_code 77 "$SCRIPTS/gpu-check"; fi

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
