# shellcheck shell=bash
# What the scripts share: where things are, how to speak, how to find tools. Sourced; changes no folder.

ROOT="$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)"
BUILD="${AUXBENCH_BUILD:-$ROOT/build}"

# A service or a container may start without HOME: then it is the folder that the system has for this user.
if [[ -z ${HOME:-} ]]; then
  HOME="$(getent passwd "$(id -u)" 2>/dev/null | cut -d: -f6)" || HOME=''
  export HOME="${HOME:-/}"
fi
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/auxbench"
VENV="$CACHE/venv"

# Objects are the same in every checkout, so that a fresh clone builds from a warm ccache.
export CCACHE_BASEDIR="${CCACHE_BASEDIR:-$ROOT}" CCACHE_NOHASHDIR="${CCACHE_NOHASHDIR:-1}"
# What ccache asks for before it keeps what was compiled with a precompiled header (scripts/meson.build).
export CCACHE_SLOPPINESS="${CCACHE_SLOPPINESS:-pch_defines,time_macros}"

export PIP_ROOT_USER_ACTION=ignore

say() { [[ -n ${QUIET:-} ]] || printf 'auxbench: %s\n' "$*" >&2; }
warn() { printf 'auxbench: %s\n' "$*" >&2; }

# die CODE MESSAGE: one line, then the exit code (2: the machine lacks something only its owner can add).
die() {
  local code=$1
  shift
  printf 'auxbench: %s\n' "$*" >&2
  exit "$code"
}

# make_cache: the folder for all that is fetched.
make_cache() {
  mkdir -p "$CACHE" 2>/dev/null || true
  [[ -w $CACHE ]] || die 2 "$CACHE cannot be written: name a folder that can be in XDG_CACHE_HOME"
}

# usage: prints the comment at the top of the calling script.
usage() { sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"; }

# use_prefix: lets a folder made by `scripts/setup --prefix` come before the system.
use_prefix() {
  [[ -n ${AUXBENCH_PREFIX:-} ]] || return 0
  [[ -f $AUXBENCH_PREFIX/env.sh ]] || die 2 "AUXBENCH_PREFIX=$AUXBENCH_PREFIX: no env.sh there; prepare it with scripts/setup --prefix"
  # shellcheck disable=SC1091
  . "$AUXBENCH_PREFIX/env.sh"
}

# has_gpu: an NVIDIA device file and its driver's tool; starts nothing, since nvidia-smi can take seconds.
has_gpu() {
  local device
  command -v nvidia-smi >/dev/null || return 1
  for device in /dev/nvidia[0-9]* /dev/dxg; do
    [[ -e $device ]] && return 0
  done
  return 1
}

# find_header "NAME...": one of them, in the folders a compiler looks into anyway.
find_header() {
  local folder names name
  read -ra names <<<"$1"
  local IFS=:
  for folder in ${CPLUS_INCLUDE_PATH:-} ${CPATH:-} /usr/include /usr/local/include; do
    for name in "${names[@]}"; do
      [[ -e $folder/$name ]] && return 0
    done
  done
  return 1
}

# find_dataset: the folder of Fashion-MNIST, looked for where the program looks (datasets/sources/fashion_mnist.h).
find_dataset() {
  local place folder
  for place in "${AUXBENCH_DATA:-/nowhere}" "${XDG_DATA_HOME:-$HOME/.local/share}/auxbench" /usr/share/datasets; do
    for folder in "$place/fashion-mnist" "$place"; do
      if [[ -e $folder/train-images-idx3-ubyte.gz || -e $folder/train-images-idx3-ubyte ]]; then
        printf '%s\n' "$folder"
        return 0
      fi
    done
  done
  return 1
}

# find_compiler: a g++ of at least version 12, or what CXX names.
COMPILERS=(g++-16 g++-15 g++-14 g++-13 g++-12)
find_compiler() {
  local candidate version
  for candidate in ${CXX:+"$CXX"} g++ "${COMPILERS[@]}"; do
    version="$(${candidate} -dumpversion 2>/dev/null)" || continue
    if [[ ${version%%.*} -ge 12 || $candidate == "${CXX:-}" ]]; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

# find_clangxx: a clang++; CXX may name one.
find_clangxx() {
  local candidate
  for candidate in ${CXX:+"$CXX"} clang++ clang++-{21..14}; do
    if [[ $candidate == *clang* ]] && command -v "$candidate" >/dev/null; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

# find_clang NAME: version 14 of clang-format or clang-tidy; others format and judge differently.
find_clang() {
  local candidate
  for candidate in "$1-14" "$1" "$CACHE/clang-venv/bin/$1"; do
    if "$candidate" --version 2>/dev/null | grep 'version 14\.' >/dev/null; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

# run_meson ARGUMENTS: the Meson that configured the build folder.
run_meson() {
  # shellcheck disable=SC1091
  . "$BUILD/.configured"
  "$MESON" "$@"
}

# program: the built executable.
program() { printf '%s\n' "$BUILD/auxbench"; }

# sum_counts FILE...: adds up the "N passed, N failed[, N skipped]" lines found in the files.
sum_counts() {
  awk '/^[0-9]+ passed, [0-9]+ failed/ { passed += $1; failed += $3; skipped += $5 }
       END { printf "%d passed, %d failed", passed, failed
             if (skipped) printf ", %d skipped", skipped
             printf "\n" }' "$@"
}

# failed_count LINE: the number of failures in such a line; a line without any passed test counts as a failure.
failed_count() { awk '{ print ($1 + 0 == 0 && $3 + 0 == 0) ? 1 : $3 + 0 }' <<<"$1"; }
