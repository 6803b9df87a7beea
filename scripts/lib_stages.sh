# shellcheck shell=bash
# Stages of .ci/run: what each printed, how many tests it had, how long it took. Sourced after lib.sh; $LOGS is a folder.

# machine_lines: what a log must say before anything else: versions, distribution, processor.
machine_lines() {
  local name
  printf 'commit     %s\n' "$(git -C "$ROOT" describe --always --dirty 2>/dev/null || echo 'no git here')"
  printf 'system     %s, Linux %s\n' "$(. /etc/os-release 2>/dev/null && echo "${PRETTY_NAME:-unknown}")" "$(uname -r)"
  printf 'processor  %s, %s of %s usable, %s MB of memory free\n' \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(processors)" "$(nproc --all)" "$(free_memory)"
  for name in "$(find_compiler || echo g++)" clang++ python3 ccache nvcc; do
    printf '%-10s %s\n' "$name" "$("$name" --version 2>/dev/null | grep -m 1 -iE 'version|g\+\+|[0-9]\.[0-9]' || echo 'not here')"
  done
  printf 'wheels     %s\n' "$(wheels_of "$(wheel_list cpu)" | paste -sd' ')"
}

# stage NAME COMMAND...: what it prints ends in a line of counts; one that prints none counts as one test.
stage() {
  local name=$1 begin=$SECONDS code=0 counts
  shift
  printf '== %s\n' "$name"
  "$@" 2>&1 | tee "$LOGS/$name.out" || code=$?
  counts="$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$LOGS/$name.out" | tail -n 1 || true)"
  if [[ -z $counts || ($code -ne 0 && $(failed_count "$counts") -eq 0) ]]; then
    counts="$((code == 0 ? 1 : 0)) passed, $((code == 0 ? 0 : 1)) failed"
  fi
  printf '%s\n' "$counts" >"$LOGS/$name.counts"
  printf '%s|%s|%s\n' "$name" "$counts" $((SECONDS - begin)) >>"$LOGS/stages"
  printf '== %s: %s (%d s)\n' "$name" "$counts" $((SECONDS - begin))
}

# stages_end: a line a stage, those that ran nothing in red, and the sum as the last line; fails when anything did.
stages_end() {
  local name counts seconds red='' plain='' total
  if [[ -t 1 ]]; then red=$'\e[31m' plain=$'\e[0m'; fi
  while IFS='|' read -r name counts seconds; do
    if [[ $counts == "0 passed, 0 failed"* ]]; then
      printf '%s%-10s SKIPPED: nothing of it ran here: %s%s\n' "$red" "$name" \
        "$(grep -m 1 '^auxbench: ' "$LOGS/$name.out" || echo "$counts")" "$plain"
    else
      printf '%-10s %s (%d s)\n' "$name" "$counts" "$seconds"
    fi
  done <"$LOGS/stages"
  total="$(sum_counts "$LOGS"/*.counts)"
  if [[ $total == *skipped ]]; then echo "${total##*, }"; fi
  echo "${total%, *skipped}"
  [[ $(failed_count "$total") -eq 0 ]]
}
