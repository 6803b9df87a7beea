# shellcheck shell=bash
# Debian and Ubuntu packages: which are needed, which are missing, how to get them. Sourced after lib.sh.

APT_GET=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::http::Timeout=60)

# header or program -> package. A thing that is there, from wherever, needs no package.
HEADER_PACKAGES=(
  CLI/CLI.hpp=libcli11-dev
  nlohmann/json.hpp=nlohmann-json3-dev
  benchmark/benchmark.h=libbenchmark-dev
  zlib.h=zlib1g-dev
  openssl/sha.h=libssl-dev
  spng.h=libspng-dev
  simdjson.h=libsimdjson-dev
  jpeglib.h=libjpeg-dev
  zip.h=libzip-dev
)
DATASET_PACKAGE=dataset-fashion-mnist

# What nothing can be built without, and what is only useful.
missing_packages() {
  local entry
  find_compiler >/dev/null || echo g++
  command -v pkg-config >/dev/null || echo pkg-config
  for entry in "${HEADER_PACKAGES[@]}"; do
    find_header "${entry%%=*}" || echo "${entry#*=}"
  done
  find_header catch2/catch.hpp || find_header catch2/catch_all.hpp || echo catch2
}

missing_extras() {
  command -v git >/dev/null || echo git
  command -v ccache >/dev/null || echo ccache
  find_dataset >/dev/null || echo "$DATASET_PACKAGE"
}

# as_root COMMAND...: as root, or by sudo where it asks for no password; fails otherwise.
as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

# may_install: not beside a folder made by --prefix, whose user has no network or does not want packages installed.
may_install() { [[ -z ${AUXBENCH_PREFIX:-} && ($EUID -eq 0 || -n $(sudo -n echo yes 2>/dev/null)) ]]; }

# candidates NAME...: those that apt knows a version of.
candidates() {
  local name
  for name in "$@"; do
    if apt-cache policy "$name" 2>/dev/null | grep 'Candidate: [^(]' >/dev/null; then echo "$name"; fi
  done
}

install_line() { echo "apt-get update && apt-get install -y --no-install-recommends $*"; }

# apt_install NAME...: fails when one of them cannot be had.
apt_install() {
  local known log="$CACHE/apt.log"
  say "installing Debian packages: $*"
  as_root "${APT_GET[@]}" update >"$log" 2>&1 || warn "apt-get update failed; going on with the lists that are there"
  mapfile -t known < <(candidates "$@")
  if [[ ${#known[@]} -gt 0 ]]; then
    as_root env DEBIAN_FRONTEND=noninteractive "${APT_GET[@]}" install -y --no-install-recommends "${known[@]}" >>"$log" 2>&1 || {
      warn "apt-get failed: $(tail -n 1 "$log") (all of it in $log)"
      return 1
    }
  fi
  [[ ${#known[@]} -eq $# ]]
}

# prepare_packages: what is needed must be there afterwards; without the extras things go on.
prepare_packages() {
  local missing extras
  mapfile -t missing < <(missing_packages)
  mapfile -t extras < <(missing_extras)
  if [[ ${#missing[@]} -eq 0 && ${#extras[@]} -eq 0 ]]; then return; fi
  if command -v apt-get >/dev/null && may_install; then
    apt_install "${missing[@]}" "${extras[@]}" || true
  fi
  mapfile -t missing < <(missing_packages)
  [[ ${#missing[@]} -eq 0 ]] || die 2 "packages are missing; run this as root, then try again:  $(install_line "${missing[@]}" "${extras[@]}")"
  mapfile -t extras < <(missing_extras)
  if [[ ${#extras[@]} -gt 0 ]]; then warn "going on without: ${extras[*]}"; fi
  find_dataset >/dev/null ||
    warn "Fashion-MNIST was not found: $(install_line "$DATASET_PACKAGE"), or name the folder of its four .gz files in AUXBENCH_DATA"
}
