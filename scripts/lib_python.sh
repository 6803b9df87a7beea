# shellcheck shell=bash
# LibTorch, Meson and Ninja: those of this machine, or a virtual environment of our own. Sourced after lib.sh,
# lib_machine.sh and lib_packages.sh. Sets TORCH_ROOT, MESON, NINJA.

# The Pythons that scripts/wheels has hashes for (PYTHONS of scripts/pin-wheels), newest first.
PYTHONS=(3.14 3.13 3.12 3.11)
PYTHON_TOO_NEW=3.15

# wheel_list NAME: cpu, cuda, tools ...: which wheels, with their hashes.
wheel_list() { echo "$ROOT/scripts/wheels/$1.txt"; }

# wheels_of LIST: their names and versions.
wheels_of() { sed -n 's/^\([^# ]*==[^ ;]*\).*/\1/p' "$1"; }

# key_of LIST...: changes with what they hold.
key_of() { cat "$@" | sha256sum | cut -c1-12; }

# pip_install PYTHON LIST ARGUMENT...: nothing but the files whose hashes the list has.
pip_install() {
  local python=$1 list=$2
  shift 2
  "$python" -m pip install --quiet --no-input --disable-pip-version-check --require-hashes --no-deps "$@" -r "$list"
}

# torch_of PYTHON: the root of a torch that is new enough and whose libraries find theirs; with a GPU, CUDA's too.
torch_of() {
  local root library
  root="$("$1" "$ROOT/scripts/find_torch.py" 2>/dev/null)" || return 1
  for library in libtorch_cpu.so $(has_gpu && echo libtorch_cuda.so); do
    [[ -e $root/lib/$library ]] || return 1
    # The driver's own libraries are found when they are loaded.
    if ldd "$root/lib/$library" 2>/dev/null | grep 'not found' | grep -vE 'libcuda\.so|libnvidia-' >/dev/null; then return 1; fi
  done
  printf '%s\n' "$root"
}

# find_python: one that the wheels are made for and that can make environments.
find_python() {
  local candidate
  for candidate in python3 /usr/bin/python3 "${PYTHONS[@]/#/python}"; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit("%d.%d" % sys.version_info[:2] not in sys.argv)' "${PYTHONS[@]}" 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

die_without_python() {
  local names
  mapfile -t names < <(python_packages)
  die 2 "$(get_line "${names[@]}") (Python ${PYTHONS[-1]} to ${PYTHONS[0]} with venv; one of uv, conda or pyenv does too, first in PATH)"
}

# needs_python: nothing that is here will do, so that an environment must be made.
needs_python() {
  [[ -z ${AUXBENCH_PREFIX:-} ]] || return 1
  if venv_kind >/dev/null; then return 1; fi
  ! { (find_torch_here) >/dev/null 2>&1 && meson_here && ninja_here; }
}

# venv_kind: what the environment was completed with, or nothing.
venv_kind() {
  local kind key
  [[ -f $VENV/.complete ]] || return 1
  read -r kind key <"$VENV/.complete"
  [[ -f $(wheel_list "$kind") && $key == "$(key_of "$(wheel_list "$kind")")" ]] && printf '%s\n' "$kind"
}

mark_venv() { printf '%s %s\n' "$1" "$(key_of "$(wheel_list "$1")")" >"$VENV/.complete"; }

# holds_wheels FOLDER LIST: all of them are there, whole.
holds_wheels() { "$1/bin/python" "$ROOT/scripts/check_wheels.py" --list "$2" >/dev/null 2>&1; }

# make_venv cpu|cuda|tools: from nothing, unless what is there proves to be whole.
make_venv() {
  local kind=$1 list python log="$CACHE/pip.log"
  list="$(wheel_list "$kind")"
  if holds_wheels "$VENV" "$list"; then
    mark_venv "$kind"
    return
  fi
  python="$(find_python)" || die_without_python
  # On disk, and as much as is fetched once more in pip's own cache and in its temporary folder.
  case $kind in
    cpu) need_venv_disk 2000 600 && say "installing LibTorch, Meson and Ninja into $VENV (540 MB to fetch, 1.3 GB on disk)" ;;
    cuda) need_venv_disk 9000 3500 && say "installing PyTorch with CUDA, Meson and Ninja into $VENV (several GB)" ;;
    tools) need_venv_disk 100 20 && say "installing Meson and Ninja into $VENV" ;;
  esac
  rm -rf "$VENV"
  "$python" -m venv "$VENV" >"$log" 2>&1 || die 1 "$python cannot make a virtual environment; see $log"
  pip_install "$VENV/bin/python" "$list" >>"$log" 2>&1 || die 1 "pip failed: $(pip_reason "$log") (all of it in $log)"
  holds_wheels "$VENV" "$list" || die 1 "the wheels in $VENV are not whole: is the disk full? Try again"
  mark_venv "$kind"
}

# need_venv_disk MB TEMPORARY_MB
need_venv_disk() {
  need_disk "$CACHE" "$1" "what is fetched" "make room, or name another folder in XDG_CACHE_HOME"
  need_disk "${TMPDIR:-/tmp}" "$2" "pip" "make room, or name another folder in TMPDIR"
}

# pip_reason LOG: its own first error; the last line of a log is often a notice.
pip_reason() { grep -m 1 '^ERROR' "$1" || tail -n 1 "$1"; }

# wheels_venv FOLDER LIST: makes an environment with the wheels of this list, unless it is there already.
wheels_venv() {
  local code=0
  make_cache
  exec 8>"$1.lock"
  flock 8
  make_wheels_venv "$@" || code=$?
  exec 8>&-
  return $code
}

# A failure is remembered for a day: without a network each run of scripts/test would try again.
make_wheels_venv() {
  local folder=$1 list=$2 python key
  key="$(key_of "$list")"
  if [[ -f $folder/.complete && "$(<"$folder/.complete")" == "$key" ]]; then return; fi
  if holds_wheels "$folder" "$list"; then
    echo "$key" >"$folder/.complete"
    return
  fi
  if [[ -f $folder.failed && "$(<"$folder.failed")" == "$key" && -n "$(find "$folder.failed" -mmin -1440)" ]]; then
    warn "pip failed for $folder less than a day ago ($folder.log): remove $folder.failed to try again"
    return 1
  fi
  python="$(find_python)" || { warn "no Python ${PYTHONS[-1]} to ${PYTHONS[0]} with venv" && return 2; }
  say "installing into $folder: $(wheels_of "$list" | paste -sd' ')"
  rm -rf "$folder" "$folder.failed"
  if ! { "$python" -m venv "$folder" && pip_install "$folder/bin/python" "$list"; } >"$folder.log" 2>&1; then
    warn "pip failed: $(pip_reason "$folder.log") (all of it in $folder.log)"
    echo "$key" >"$folder.failed"
    return 1
  fi
  echo "$key" >"$folder/.complete"
}

# meson_here, ninja_here: usable ones outside of our environment.
meson_here() { command -v meson >/dev/null && [[ "$(meson --version)" != 0.* ]]; }
ninja_here() { command -v ninja >/dev/null; }

# find_torch_here: a suitable torch of this machine; AUXBENCH_PYTHON says which and must then have one.
find_torch_here() {
  local python
  if [[ -n ${AUXBENCH_PYTHON:-} ]]; then
    TORCH_ROOT="$(torch_of "$AUXBENCH_PYTHON")" ||
      die 2 "AUXBENCH_PYTHON=$AUXBENCH_PYTHON has no usable torch (2.11 or newer, with its libraries)"
    return
  fi
  for python in python3 /usr/bin/python3; do
    TORCH_ROOT="$(torch_of "$python")" && return
  done
  return 1
}

prepare_python() {
  local wanted=cpu kind
  if has_gpu; then wanted=cuda; fi
  kind="$(venv_kind || true)"
  if [[ -z ${AUXBENCH_PYTHON:-}${AUXBENCH_PREFIX:-} && ($kind == cuda || $kind == "$wanted") ]] && TORCH_ROOT="$(torch_of "$VENV/bin/python")"; then
    :
  elif find_torch_here; then
    say "using the torch in $TORCH_ROOT"
    if [[ -z $kind ]] && ! { meson_here && ninja_here; }; then make_venv tools; fi
  else
    make_venv "$wanted"
    TORCH_ROOT="$(torch_of "$VENV/bin/python")" || die 1 "the torch in $VENV does not load: remove that folder and try again"
  fi
  if [[ -f $VENV/.complete && -z ${AUXBENCH_PREFIX:-} ]]; then
    MESON="$VENV/bin/meson" NINJA="$VENV/bin/ninja"
  else
    MESON="$(command -v meson)" NINJA="$(command -v ninja)"
  fi
}
