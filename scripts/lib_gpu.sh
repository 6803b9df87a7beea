# shellcheck shell=bash
# What scripts/gpu-check and a pack's `run` share: finding the card, steps with a time limit, what is measured. Sourced
# after lib.sh. Steps leave NAME.out, NAME.err, NAME.code and NAME.seconds in $WORK; $PYTHON is the one with torch.

# Batches and sizes of the training benchmark; the same for both sides.
TRAINED=(--device cuda --image 224 --batch 64 --json)

# gpu_line: "name, driver, memory" of the first card; empty where none answers.
gpu_line() { timeout 30 nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null | head -n 1; }

# left: seconds until $DEADLINE (of bash's SECONDS).
left() { echo $((DEADLINE - SECONDS)); }

# step NAME LIMIT COMMAND...: its exit code is a finding for the report, not the end. LIMIT: seconds; at most what is left.
# A command that runs into it is asked to end (SIGTERM), so that it can write what it has, and killed ten seconds later.
# STEP_CORES pins a step that runs beside others to cores of its own, where there are sixteen: OpenMP's waiting threads
# would hold up the others else, a hundred times longer.
step() {
  local name=$1 limit=$2 code=0 begin=$SECONDS pinned=()
  shift 2
  if [[ -n ${STEP_CORES:-} && $(nproc) -ge 16 ]]; then pinned=(taskset -c "$STEP_CORES"); fi
  if [[ $limit -gt $(left) ]]; then limit=$(left); fi
  if [[ $limit -lt 5 ]]; then
    echo "no time was left" >"$WORK/$name.err"
    code=124
  else
    say "$name"
    timeout --kill-after=10 "$limit" "${pinned[@]}" "$@" >"$WORK/$name.out" 2>"$WORK/$name.err" || code=$?
  fi
  echo "$code" >"$WORK/$name.code"
  echo $((SECONDS - begin)) >"$WORK/$name.seconds"
  if [[ $code -ne 0 ]]; then warn "$name ended with $code: $(tail -n 1 "$WORK/$name.err")"; fi
}

# smoke PROGRAM SUITES: the smoke suite on both devices at once, and on the GPU a second time: same seeds, same numbers.
smoke() {
  local run device waited=()
  local -A cores=([cuda]=10-11 [cpu]=12-13 [again]=14-15)
  for run in cuda cpu again; do
    device=${run/again/cuda}
    STEP_CORES=${cores[$run]} step "smoke-$run" 120 "$1" run "$2/smoke.json" --tier smoke --device "$device" --out "$WORK/results-$run" &
    waited+=($!)
  done
  wait "${waited[@]}"
  for run in cuda cpu again; do step "records-$run" 30 "$1" ls "$WORK/results-$run" --json; done
}

# training_speed PROGRAM STEPS [REFERENCE]: images/s of one training step, ours and, where REFERENCE is a file, eager
# PyTorch's, in turn.
training_speed() {
  local model variant
  for model in resnet18 resnet50; do
    for variant in fp w2a2 w2a2-auxi; do
      local what=("${TRAINED[@]}" --model "$model" --variant "$variant" --steps "$2")
      step "train-$model-$variant" 45 "$1" bench-training "${what[@]}"
      [[ -z ${3:-} ]] || step "eager-$model-$variant" 60 "$PYTHON" -B "$3" --channels-last "${what[@]}"
    done
  done
}
