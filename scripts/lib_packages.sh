# shellcheck shell=bash
# What this system's installer has for us: what is needed, what is missing, how to get it. Debian and Ubuntu are known
# package by package and installed from; other systems get words. Sourced after lib.sh.

APT_GET=(apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::http::Timeout=60)

# One line a library: what pkg-config is asked, headers for where it does not know, the package of Debian and Ubuntu, and
# Arch's. RPMs carry pkg-config's names themselves.
LIBRARIES=(
  "CLI11|CLI/CLI.hpp|libcli11-dev|cli11"
  "nlohmann_json >= 3.10|nlohmann/json.hpp|nlohmann-json3-dev|nlohmann-json"
  "benchmark|benchmark/benchmark.h|libbenchmark-dev|benchmark"
  "zlib|zlib.h|zlib1g-dev|zlib"
  "libcrypto|openssl/sha.h|libssl-dev|openssl"
  "spng|spng.h|libspng-dev|libspng"
  "simdjson|simdjson.h|libsimdjson-dev|simdjson"
  "libjpeg|jpeglib.h|libjpeg-dev|libjpeg-turbo"
  "libzip|zip.h|libzip-dev|libzip"
  "catch2|catch2/catch.hpp catch2/catch_all.hpp|catch2|catch2"
)
DATASET_PACKAGE=dataset-fashion-mnist

# debian_names: of all libraries.
debian_names() { printf '%s\n' "${LIBRARIES[@]}" | cut -d'|' -f3; }

# missing_libraries: those that neither pkg-config nor the compiler's folders have. A library that is there, from
# wherever, needs no package; usually one question to pkg-config settles all of them.
missing_libraries() {
  local entry question headers package
  if pkg-config --exists "$(printf '%s\n' "${LIBRARIES[@]}" | cut -d'|' -f1 | paste -sd,)" 2>/dev/null; then return; fi
  for entry in "${LIBRARIES[@]}"; do
    IFS='|' read -r question headers package _ <<<"$entry"
    pkg-config --exists "$question" 2>/dev/null || find_header "$headers" || echo "$package"
  done
}

# candidates NAME...: "NAME VERSION" of those that apt could install.
APT_DIRS=()
candidates() {
  apt-cache "${APT_DIRS[@]}" policy "$@" 2>/dev/null |
    awk '/^[^ ]/ { name = substr($1, 1, length($1) - 1) }
         $1 == "Candidate:" && $2 != "(none)" { sub(/^[0-9]+:/, "", $2); print name, $2 }' || true
}

# at_least VERSION WANTED: compares numbers and dots; no version is none.
at_least() { [[ -n $1 && "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" == "$2" ]]; }

# compiler_package: `g++`, but where that is older than 12 (Ubuntu 22.04) the newest that is not.
compiler_package() {
  local known name
  known="$(candidates g++ "${COMPILERS[@]}")"
  if at_least "$(awk '$1 == "g++" { print $2 }' <<<"$known")" 12; then
    echo g++
    return
  fi
  for name in "${COMPILERS[@]}"; do
    if grep -F "$name " <<<"$known" >/dev/null; then echo "$name" && return; fi
  done
  # Package lists are empty. A g++ that is there already is too old, or find_compiler would have taken it.
  if command -v g++ >/dev/null; then echo g++-12; else echo g++; fi
}

# python_packages: likewise of PYTHONS (lib_python.sh).
python_packages() {
  local known version name
  known="$(candidates python3 "${PYTHONS[@]/#/python}")"
  version="$(awk '$1 == "python3" { print $2 }' <<<"$known")"
  if at_least "$version" "${PYTHONS[-1]}" && ! at_least "$version" "$PYTHON_TOO_NEW"; then
    printf '%s\n' python3 python3-venv
    return
  fi
  for name in "${PYTHONS[@]/#/python}"; do
    if grep -F "$name " <<<"$known" >/dev/null; then printf '%s\n' "$name" "$name-venv" && return; fi
  done
  if python3 -c 'import sys; sys.exit(sys.version_info >= (3, 11))' 2>/dev/null; then
    printf '%s\n' "python${PYTHONS[-1]}" "python${PYTHONS[-1]}-venv"
  else
    printf '%s\n' python3 python3-venv
  fi
}

# What nothing can be built without, and what is only useful. NEED_PYTHON: an environment must be made.
missing_packages() {
  find_compiler >/dev/null || compiler_package
  command -v pkg-config >/dev/null || echo pkg-config
  missing_libraries
  if [[ -n ${NEED_PYTHON:-} ]]; then find_python >/dev/null || python_packages; fi
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

# installer: this system's; nothing where we know none.
installer() {
  local name
  for name in apt-get dnf zypper pacman; do
    if command -v "$name" >/dev/null; then echo "$name" && return; fi
  done
}

# name_for SYSTEM NAME: what dnf, zypper, pacman or, for `words`, a reader calls a Debian package; nothing where there is
# none.
name_for() {
  local entry question package arch
  case $2 in
    "$DATASET_PACKAGE" | python*-venv) return ;;
    g++*) case $1 in pacman) echo gcc ;; words) echo "g++ (12 or newer)" ;; *) echo gcc-c++ ;; esac && return ;;
    python*) case $1 in pacman) echo python ;; words) echo "Python (3.11 or newer)" ;; *) echo python3 ;; esac && return ;;
    pkg-config) case $1 in pacman) echo pkgconf ;; dnf) echo pkgconf-pkg-config ;; *) echo pkg-config ;; esac && return ;;
    libclang-rt-dev) if [[ $1 != zypper ]]; then echo compiler-rt; fi && return ;;
    clang-format-14 | clang-tidy-14) return ;;
  esac
  for entry in "${LIBRARIES[@]}"; do
    IFS='|' read -r question _ package arch <<<"$entry"
    if [[ $package == "$2" ]]; then
      case $1 in pacman) echo "$arch" ;; words) echo "$question" ;; *) echo "'pkgconfig(${question%% *})'" ;; esac
      return
    fi
  done
  echo "$2"
}

# install_line NAME...: how root gets these Debian packages, or what is the same elsewhere.
install_line() {
  local system name names=()
  system="$(installer)"
  if [[ $system == apt-get ]]; then
    echo "apt-get update && apt-get install -y --no-install-recommends $*"
    return
  fi
  for name in "$@"; do
    name="$(name_for "${system:-words}" "$name")"
    if [[ -n $name ]]; then names+=("$name"); fi
  done
  case $system in
    dnf) echo "dnf install -y ${names[*]}" ;;
    zypper) echo "zypper install -y ${names[*]}" ;;
    pacman) echo "pacman -S --needed ${names[*]}" ;;
    *) printf '%s\n' "${names[@]}" | paste -sd, | sed 's/,/, /g; s/^/by the means of this system, libraries with their headers: /' ;;
  esac
}

# get_line NAME...: what is missing and how to get it, in one line.
get_line() {
  local names
  names="$(printf '%s\n' "$@" | paste -sd' ')"
  if [[ -n $(installer) ]]; then
    echo "missing: $names. To get them run as root, then try again:  $(install_line "$@")"
  else
    echo "missing here: $names (Debian's names). Install them and try again:  $(install_line "$@")"
  fi
}

# apt_install: everything that is missing and known. Fails, and says why, when apt-get does; where its lists cannot be
# renewed it goes on with those that are there.
apt_install() {
  local names known log="$CACHE/apt.log" code=0
  as_root "${APT_GET[@]}" update >"$log" 2>&1 || code=$?
  mapfile -t names < <(missing_packages && missing_extras)  # a name may depend on the lists
  mapfile -t known < <(candidates "${names[@]}" | cut -d' ' -f1)
  if [[ ${#known[@]} -gt 0 ]]; then
    say "installing Debian packages: ${known[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive "${APT_GET[@]}" install -y --no-install-recommends "${known[@]}" >>"$log" 2>&1 || code=$?
  fi
  [[ $code -eq 0 ]] || echo "apt-get failed: $(grep '^[EW]:' "$log" | tail -n 1) (all of it in $log)"
  return $code
}

# prepare_packages: what is needed must be there afterwards; without the extras things go on.
prepare_packages() {
  local missing extras why=''
  mapfile -t missing < <(missing_packages)
  mapfile -t extras < <(missing_extras)
  if [[ ${#missing[@]} -eq 0 && ${#extras[@]} -eq 0 ]]; then return; fi
  if [[ $(installer) == apt-get ]] && may_install; then
    why="$(apt_install)" || true
    mapfile -t missing < <(missing_packages)
    mapfile -t extras < <(missing_extras)
  fi
  [[ ${#missing[@]} -eq 0 ]] || die 2 "$(get_line "${missing[@]}" "${extras[@]}")${why:+; $why}"
  if [[ ${#extras[@]} -gt 0 ]]; then warn "going on without: ${extras[*]}${why:+; $why}"; fi
  find_dataset >/dev/null || warn "Fashion-MNIST was not found: $(dataset_hint)"
}

dataset_hint() {
  local folder="name the folder of its four .gz files in AUXBENCH_DATA"
  if [[ $(installer) == apt-get ]]; then folder="$(install_line "$DATASET_PACKAGE"), or $folder"; fi
  echo "$folder"
}
