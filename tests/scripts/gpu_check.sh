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
report() { python3 -B "$SCRIPTS/gpu_check_report.py" "$work" "$out"; }

expect_code 0 report
expect_match "$(<"$out/gpu-check-nvidia-toy-100.md")" '\| a \| completed \| top1 \| 71.50 \| 70.25 \| \+1.25 \|' "the comparison"
expect_match "$(<"$out/gpu-check-nvidia-toy-100.md")" '\| resnet18 \| fp \| 64 \| 5000 \|' "the speed"
python3 -m json.tool "$out/gpu-check-nvidia-toy-100.json" >/dev/null || fail "the JSON file is not JSON"

step records-cpu 0 "$(record diverged 1)"
expect_code 1 report
expect_match "$OUTPUT" "a: completed on the GPU, diverged on the CPU" "a status that depends on the device"
step records-cpu 0 "$(record completed 70.25)" && step train-resnet50-w2a2 1 ''
expect_code 1 report
expect_match "$OUTPUT" "train-resnet50-w2a2: exit code 1: some message" "a step that failed"
