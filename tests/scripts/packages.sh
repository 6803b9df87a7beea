#!/usr/bin/env bash
# What is missing is said in the first line, with the way to get it in the words of the system at hand. Systems are
# simulated: what their package tables hold, which installer they have; none of them was tried for real.
. "$(dirname "$0")/assert.sh"
. "$SCRIPTS/lib.sh"
. "$SCRIPTS/lib_machine.sh"
. "$SCRIPTS/lib_packages.sh"
. "$SCRIPTS/lib_python.sh"
REAL_PATH=$PATH
may_install() { false; }
find_dataset() { false; }
find_header() { false; }
missing_extras() { echo dataset-fashion-mnist; }

# system INSTALLER G++ PYTHON TABLE...: programs that answer as there; TABLE: "NAME VERSION" of apt's candidates. G++ and
# PYTHON are the versions that are installed, - for none.
system() {
  local bin="$TMP/bin" name made
  PATH=$REAL_PATH
  rm -rf "$bin" && mkdir -p "$bin"
  for name in bash env cat cut paste sort head awk sed grep tr mkdir rm chmod tail; do ln -s "$(type -P "$name")" "$bin/$name"; done
  PATH=$bin
  hash -r
  if [[ -n $1 ]]; then printf '#!/bin/sh\nexit 1\n' >"$bin/$1"; fi
  if [[ $2 != - ]]; then printf '#!/bin/sh\necho %s\n' "$2" >"$bin/g++"; fi
  # Asked whether it is new enough; this one answers by its version alone.
  if [[ $3 != - ]]; then printf '#!/bin/sh\nexit %s\n' "$([[ $3 == 3.10* ]] && echo 0 || echo 1)" >"$bin/python3"; fi
  shift 3
  printf '%s\n' "$@" >"$TMP/table"
  cat >"$bin/apt-cache" <<'FAKE'
#!/usr/bin/env bash
while [[ $1 != policy ]]; do shift; done
for name in "${@:2}"; do
  version="$(awk -v name="$name" '$1 == name { print $2 }' "$TABLE")"
  if grep "^$name " "$TABLE" >/dev/null; then printf '%s:\n  Installed: (none)\n  Candidate: %s\n  Version table:\n     %s 500\n' "$name" "${version:-(none)}" "$version"; fi
done
FAKE
  made=("$bin"/*)
  for name in "${made[@]}"; do [[ -L $name ]] || chmod +x "$name"; done
}
export TABLE="$TMP/table"
find_python() { false; }
CXX=''

# expect_first PATTERN WHAT: the set-up stops with 2, and its first line is this.
expect_first() {
  expect_code 2 prepare_packages
  expect_match "${OUTPUT%%$'\n'*}" "$1" "$2"
}

jammy=("g++ 4:11.2.0-1ubuntu1" "g++-11 11.4.0-1ubuntu1~22.04" "g++-12 12.3.0-1ubuntu1~22.04" "python3 3.10.6-1~22.04"
  "python3.11 3.11.0~rc1-1~22.04" "python3.11-venv 3.11.0~rc1-1~22.04" "libzip-dev 1.7.3-1ubuntu2")
NEED_PYTHON=1
system apt-get 11 3.10 "${jammy[@]}"
expect_first "^auxbench: missing: g\+\+-12 pkg-config .*python3.11 python3.11-venv dataset-fashion-mnist\. " "Ubuntu 22.04: what is missing"
expect_match "$OUTPUT" "run as root, then try again:  apt-get update && apt-get install -y --no-install-recommends g\+\+-12 " "Ubuntu 22.04: how to get it"
system apt-get - - "${jammy[@]}"
expect_first "missing: g\+\+-12 " "Ubuntu 22.04 without any compiler"
system apt-get 11 3.10
expect_first "missing: g\+\+-12 .* python3.11 python3.11-venv " "Ubuntu 22.04 before apt-get update"
system apt-get - -
expect_first "missing: g\+\+ .* python3 python3-venv " "an empty Debian before apt-get update"
system apt-get - 3.12 "g++ 4:13.2.0-7ubuntu1" "g++-14 14.2.0-4ubuntu2" "python3 3.12.3-0ubuntu2" "python3-venv 3.12.3-0ubuntu2"
expect_first "missing: g\+\+ pkg-config .* python3 python3-venv " "Ubuntu 24.04"
system apt-get - - "g++ 4:15.2.0" "python3 3.15.0-1" "python3.14 3.14.1-1"
expect_first "python3.14 python3.14-venv" "a Python for which there are no wheels yet"

system dnf - -
expect_first "run as root, then try again:  dnf install -y gcc-c\+\+ pkgconf-pkg-config 'pkgconfig\(CLI11\)' 'pkgconfig\(nlohmann_json\)' .*'pkgconfig\(libzip\)'.* python3$" "Fedora"
system zypper - -
expect_first "zypper install -y gcc-c\+\+ pkg-config 'pkgconfig\(CLI11\)'" "openSUSE"
system pacman - -
expect_first "pacman -S --needed gcc pkgconf cli11 nlohmann-json benchmark .* catch2 python$" "Arch"
system '' - -
expect_first "Install them and try again:  by the means of this system, libraries with their headers: g\+\+ \(12 or newer\), pkg-config, CLI11, nlohmann_json >= 3.10, " "a system without an installer that we know"

# A library that pkg-config has needs no header in the compiler's folders, and one that only the compiler has no pkg-config.
system apt-get 12 3.12
# shellcheck disable=SC2016
printf '#!/bin/sh\ncase "$2" in *,*) exit 1 ;; spng | zlib) exit 0 ;; esac\nexit 1\n' >"$TMP/bin/pkg-config" && chmod +x "$TMP/bin/pkg-config"
find_header() { [[ $1 == zip.h ]]; }
expect_equal "$(missing_libraries | paste -sd' ')" "libcli11-dev nlohmann-json3-dev libbenchmark-dev libssl-dev libsimdjson-dev libjpeg-dev catch2" "the rest"
printf '#!/bin/sh\nexit 0\n' >"$TMP/bin/pkg-config"
expect_equal "$(missing_libraries)" "" "all of them at once"

# Extras alone hold nothing up. apt-get's own error goes with what is still missing, into the same line.
missing_packages() { true; }
expect_code 0 prepare_packages
expect_match "$OUTPUT" "AUXBENCH_DATA" "where to put the images"
missing_packages() { printf '%s\n' libcli11-dev catch2; }
expect_first "apt-get update && apt-get install -y --no-install-recommends libcli11-dev catch2 dataset-fashion-mnist" "the line"
may_install() { true; }
as_root() { echo "E: Could not resolve the mirror" && return 100; }
CACHE="$TMP"
expect_first "missing: libcli11-dev catch2 .*; apt-get failed: E: Could not resolve the mirror \(all of it in $TMP/apt.log\)$" "apt-get's reason"
