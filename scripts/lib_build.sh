# shellcheck shell=bash
# Configure, compile, link. Sourced after lib.sh and lib_machine.sh; needs TORCH_ROOT, MESON, NINJA.

# meson_options: what distinguishes one configuration of the build folder from another.
meson_options() {
  local werror=false
  if [[ -n ${AUXBENCH_WERROR:-} ]]; then werror=true; fi
  printf '%s\n' "-Dlibtorch_root=$TORCH_ROOT" "--buildtype=${AUXBENCH_BUILDTYPE:-release}" "-Dwerror=$werror"
  # shellcheck disable=SC2086
  printf '%s\n' ${AUXBENCH_MESON_ARGS:-}
}

# quietly LOG COMMAND...: output goes to the log, and its end to the screen when the command fails.
quietly() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 && return
  tail -n 60 "$log" >&2
  return 1
}

# configure: only when the folder was configured otherwise, which its file .configured remembers for run_meson too.
configure() {
  local options wanted again=() known
  CXX="$(find_compiler)" && export CXX NINJA  # Meson calls Ninja too, and two versions spoil each other's logs
  # Meson looks for ccache by itself only where nobody has named a compiler.
  if [[ $CXX != *ccache* ]] && command -v ccache >/dev/null; then CXX="ccache $CXX"; fi
  mapfile -t options < <(meson_options | grep .)
  wanted="$(printf 'CXX=%q\nMESON=%q\nexport NINJA=%q\nOPTIONS=(%s)' "$CXX" "$MESON" "$NINJA" "${options[*]@Q}")"
  known="$(cat "$BUILD/.configured" 2>/dev/null || true)"
  if [[ -f $BUILD/build.ninja && $known == "$wanted" ]]; then return; fi
  say "configuring $BUILD"
  if [[ -f $BUILD/meson-private/coredata.dat ]]; then again=(--reconfigure); fi
  if [[ ${#again[@]} -gt 0 && -n $known && ${known%%$'\n'*} != "${wanted%%$'\n'*}" ]]; then again=(--wipe); fi
  rm -f "$BUILD/.configured"
  quietly "$CACHE/configure.log" "$MESON" setup "${again[@]}" "${options[@]}" "$BUILD" "$ROOT" ||
    die 1 "meson setup failed (all of it in $CACHE/configure.log)"
  printf '%s\n' "$wanted" >"$BUILD/.configured"
  CONFIGURED=1
}

# jobs: a file that includes LibTorch takes 1.4 GB to compile.
jobs() {
  local memory cores
  cores="$(processors)"
  memory=$(($(free_memory) / 1500))
  echo $((memory < 1 ? 1 : memory < cores ? memory : cores))
}

# steps_left LOG SECONDS: what Ninja's output so far lets expect.
steps_left() {
  awk -v seconds="$2" 'match($0, /^\[[0-9]+\/[0-9]+\]/) { split(substr($0, 2, RLENGTH - 2), at, "/") }
    END { if (at[1] > 0) printf "%d of %d steps, about %d min left\n", at[1], at[2], (seconds * (at[2] - at[1]) / at[1] + 59) / 60 }' "$1"
}

# tell_progress LOG: a line a minute, until it is killed or this script is gone. (A sleep that outlives it keeps neither a
# pipe open nor the build folder's lock.)
tell_progress() {
  local begin=$SECONDS left
  while sleep "${TELL_SECONDS:-60}" >/dev/null 2>&1 && kill -0 $$; do
    left="$(steps_left "$1" $((SECONDS - begin)))"
    QUIET='' say "building${left:+, $left}"
  done
}

# compile: the program, or the targets that AUXBENCH_TARGETS names (all: tests and benchmarks, too).
compile() {
  local count targets progress code=0
  read -ra targets <<<"${AUXBENCH_TARGETS:-program}"
  if [[ -t 2 ]]; then
    "$NINJA" -C "$BUILD" -j "$(jobs)" --quiet "${targets[@]}" >&2 || die 1 "the build failed"
    return
  fi
  count="$("$NINJA" -C "$BUILD" -n "${targets[@]}" | sed -n '$s|^\[[0-9]*/\([0-9]*\)\].*|\1|p')"
  [[ -n $count ]] || return 0
  QUIET='' say "building $BUILD ($count steps)"
  : >"$BUILD/build.log"
  tell_progress "$BUILD/build.log" 9>&- &
  progress=$!
  quietly "$BUILD/build.log" "$NINJA" -C "$BUILD" -j "$(jobs)" "${targets[@]}" || code=$?
  kill "$progress" 2>/dev/null || true
  wait "$progress" 2>/dev/null || true
  [[ $code -eq 0 ]] || die 1 "the build failed (all of it in $BUILD/build.log)"
}

# build: one at a time in one folder.
build() {
  mkdir -p "$BUILD" 2>/dev/null || die 2 "$BUILD cannot be made: name another folder in AUXBENCH_BUILD"
  if [[ ! -f $BUILD/build.ninja ]]; then need_disk "$BUILD" 1500 "a build" "make room, or name another folder in AUXBENCH_BUILD"; fi
  exec 9>"$BUILD/.lock"
  flock -n 9 || { warn "waiting for another build in $BUILD" && flock 9; }
  configure
  compile
  if [[ ! -e $(program) && -e $BUILD/runner/app/auxbench ]]; then ln -s runner/app/auxbench "$(program)"; fi
  exec 9>&-
}

# link_program: never over a file that is not ours.
link_program() {
  local link="$HOME/.local/bin/auxbench" target="$ROOT/scripts/auxbench"
  if [[ "$(readlink "$link")" == "$target" ]]; then return; fi
  if [[ -e $link ]]; then
    say "$link is another program and was left alone; this one is $target"
    return
  fi
  if ! { mkdir -p "${link%/*}" && ln -sfn "$target" "$link"; } 2>/dev/null; then
    say "$link cannot be made; the program is $target"
    return
  fi
  QUIET='' say "linked $link -> $target"
  if [[ ":$PATH:" != *":${link%/*}:"* ]]; then QUIET='' say "add ${link%/*} to PATH to call it as auxbench"; fi
}
