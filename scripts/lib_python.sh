# shellcheck shell=bash
# LibTorch, Meson and Ninja: those of this machine, or a virtual environment of our own. Sourced after lib.sh and
# lib_packages.sh. Sets TORCH_ROOT, MESON, NINJA.

REQUIREMENTS="$ROOT/scripts/requirements.txt"

# requirements cpu|cuda|tools|torch: with CUDA torch brings its own libraries.
requirements() {
  case $1 in
    cpu) grep '==' "$REQUIREMENTS" ;;
    cuda) grep '==' "$REQUIREMENTS" | grep -v '^nvidia-' ;;
    tools) grep -E '^(meson|ninja)==' "$REQUIREMENTS" ;;
    torch) grep "^torch==" "$REQUIREMENTS" ;;
  esac
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

# find_python: one that the pinned wheels are made for (torch 2.15: 3.11 and newer) and that can make environments.
find_python() {
  local candidate
  for candidate in python3 /usr/bin/python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return 0
    fi
  done
  return 1
}

# venv_kind: what the environment was completed with, or nothing.
venv_kind() {
  local kind pins
  [[ -f $VENV/.complete ]] || return 1
  read -r kind pins <"$VENV/.complete"
  [[ $pins == "$(sha256sum <"$REQUIREMENTS" | cut -c1-12)" ]] && printf '%s\n' "$kind"
}

mark_venv() { printf '%s %s\n' "$1" "$(sha256sum <"$REQUIREMENTS" | cut -c1-12)" >"$VENV/.complete"; }

# verify_venv KIND: all wheels are there, whole.
verify_venv() {
  local wheels
  mapfile -t wheels < <(requirements "$1")
  "$VENV/bin/python" "$ROOT/scripts/check_wheels.py" "${wheels[@]}" 2>/dev/null
}

# make_venv cpu|cuda|tools: from nothing, unless what is there proves to be whole.
make_venv() {
  local kind=$1 python deps=--no-deps log="$CACHE/pip.log"
  if verify_venv "$kind"; then
    mark_venv "$kind"
    return
  fi
  if ! python="$(find_python)"; then
    if command -v apt-get >/dev/null && may_install; then apt_install python3 python3-venv || true; fi
    python="$(find_python)" || die 2 "no Python 3.11 or newer with venv; run this as root, then try again:  $(install_line python3 python3-venv)"
  fi
  case $kind in
    cpu) say "installing LibTorch, Meson and Ninja into $VENV (540 MB to fetch, 1.3 GB on disk)" ;;
    cuda) deps='' && say "installing PyTorch with CUDA, Meson and Ninja into $VENV (several GB)" ;;
    tools) say "installing Meson and Ninja into $VENV" ;;
  esac
  rm -rf "$VENV"
  "$python" -m venv "$VENV" >"$log" 2>&1 || die 1 "$python cannot make a virtual environment; see $log"
  # shellcheck disable=SC2086
  requirements "$kind" | "$VENV/bin/python" -m pip install --quiet --no-input --disable-pip-version-check $deps -r /dev/stdin \
    >>"$log" 2>&1 || die 1 "pip failed: $(tail -n 1 "$log") (all of it in $log)"
  verify_venv "$kind" || die 1 "the wheels in $VENV are not whole: is the disk full? Try again"
  mark_venv "$kind"
}

# wheels_venv FOLDER WHEEL...: makes an environment with these wheels and what they need, unless it is there already.
wheels_venv() {
  local code=0
  mkdir -p "$CACHE"
  exec 8>"$1.lock"
  flock 8
  make_wheels_venv "$@" || code=$?
  exec 8>&-
  return $code
}

make_wheels_venv() {
  local folder=$1 python
  shift
  if [[ -f $folder/.complete && "$(<"$folder/.complete")" == "$*" ]]; then return; fi
  python="$(find_python)" || { warn "no Python 3.11 or newer with venv" && return 2; }
  say "installing into $folder: $*"
  rm -rf "$folder"
  if ! { "$python" -m venv "$folder" && "$folder/bin/python" -m pip install --quiet --no-input --disable-pip-version-check "$@"; } >"$folder.log" 2>&1; then
    warn "pip failed: $(tail -n 1 "$folder.log") (all of it in $folder.log)"
    return 1
  fi
  printf '%s\n' "$*" >"$folder/.complete"
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
