# shellcheck shell=bash
# scripts/setup --prefix: the packages unpacked into a folder that may be copied to another machine and another place.
# Sourced after lib.sh, lib_machine.sh, lib_packages.sh and lib_python.sh.

mapfile -t PREFIX_PACKAGES < <(debian_names && echo pkgconf-bin)

# with_libraries NAME...: the packages and the shared libraries their development files are for. libjpeg-dev only names
# the package that has them, in one step or two.
with_libraries() {
  local names=("$@")
  while [[ ${#names[@]} -gt 0 ]]; do
    printf '%s\n' "${names[@]}"
    mapfile -t names < <(apt-cache "${APT_DIRS[@]}" depends "${names[@]}" |
      sed -n 's/^ *Depends: \(lib\(benchmark\|jpeg\|ssl\|pkgconf\|spng\|simdjson\|zip\)[^ ]*\|zlib1g\)$/\1/p')
  done
}

# apt_folders DIR: package lists of our own where the system's are empty, since only root may fill those.
apt_folders() {
  APT_DIRS=()
  if apt-get -qq download --print-uris nlohmann-json3-dev >/dev/null 2>&1; then return; fi
  say "fetching package lists"
  mkdir -p "$1/apt/lists/partial" "$1/apt/cache/archives/partial"
  APT_DIRS=(-o "Dir::State::Lists=$1/apt/lists" -o "Dir::Cache=$1/apt/cache")
  apt-get -qq -o APT::Sandbox::User=root "${APT_DIRS[@]}" update >&2 || die 2 "apt-get update failed: the packages cannot be fetched"
}

unpack_packages() {
  local prefix=$1 names deb
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    mapfile -t names < <(debian_names)
    die 2 "--prefix needs apt-get and dpkg-deb; on another system:  $(install_line "${names[@]}")"
  fi
  apt_folders "$prefix"
  mapfile -t names < <(with_libraries "${PREFIX_PACKAGES[@]}" | sort -u)
  if [[ -n $(candidates "$DATASET_PACKAGE") ]]; then
    names+=("$DATASET_PACKAGE")
  else
    warn "$DATASET_PACKAGE is not in this system's package lists: put the four files of Fashion-MNIST into $prefix/sysroot/usr/share/datasets/fashion-mnist"
  fi
  say "unpacking into $prefix/sysroot: ${names[*]}"
  mkdir -p "$prefix/debs"
  (cd "$prefix/debs" && apt-get -qq -o APT::Sandbox::User=root "${APT_DIRS[@]}" download "${names[@]}" >&2) || die 2 "apt-get download failed"
  rm -rf "$prefix/sysroot"
  for deb in "$prefix"/debs/*.deb; do dpkg-deb -x "$deb" "$prefix/sysroot"; done
  rm -rf "$prefix/debs" "$prefix/apt"
}

# make_relocatable ROOT: no absolute link and no absolute path in a .pc file; nothing that no build reads.
make_relocatable() {
  local root=$1 link target file up
  rm -rf "$root"/usr/share/{doc,man,lintian,bug} "$root"/usr/lib/*/lib{crypto,ssl}.a "$root"/usr/lib/*/{engines-3,ossl-modules}
  while read -r link; do
    target="$(readlink "$link")"
    [[ $target != /* ]] || ln -sfrn "$root$target" "$link"
  done < <(find "$root" -type l)
  while read -r file; do
    up="$(realpath --relative-to "$(dirname "$file")" "$root/usr")"
    grep '^prefix=' "$file" >/dev/null || sed -i '1iprefix=/usr' "$file"
    sed -i -e "s|^prefix=.*|prefix=\${pcfiledir}/$up|" -e "s|=/usr/|=\${prefix}/|" -e "s|\(-[IL]\)/usr/|\1\${prefix}/|g" "$file"
  done < <(find "$root" -name '*.pc' -type f)
}

# install_wheels DIR TORCH: with pip's --target, so that any interpreter can be given the folder.
install_wheels() {
  local prefix=$1 kind=tools python space=300
  if [[ -n $2 ]]; then kind=cpu space=2600; fi
  need_disk "$prefix" "$space" "the folder" "choose another one"
  python="$(find_python)" || die_without_python
  "$python" -m pip --version >/dev/null 2>&1 || {
    "$python" -m venv "$prefix/pip" && python="$prefix/pip/bin/python"
  }
  say "installing into $prefix/python: $(wheels_of "$(wheel_list "$kind")" | paste -sd' ')"
  rm -rf "$prefix/python"
  "$python" -m pip install --quiet --no-input --disable-pip-version-check --no-deps --no-compile --target "$prefix/python" \
    --require-hashes -r "$(wheel_list "$kind")" >&2 || die 1 "pip failed"
  rm -rf "$prefix/pip"
  mkdir -p "$prefix/bin" "$prefix/fallback"
  ln -sfrn "$prefix/python/bin/ninja" "$prefix/bin/ninja"
  write_wrappers "$prefix"
}

# write_wrappers: programs that find their files wherever the folder is.
write_wrappers() {
  cat >"$1/bin/meson" <<'WRAPPER'
#!/usr/bin/env python3
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "python"))
from mesonbuild.mesonmain import main

sys.exit(main())
WRAPPER
  cat >"$1/fallback/pkg-config" <<'WRAPPER'
#!/bin/sh
root="$(dirname "$(readlink -f "$0")")/../sysroot/usr"
library="$(echo "$root"/lib/*/libpkgconf.so.3)"
LD_LIBRARY_PATH="${library%/*}" exec "$root/bin/pkgconf" "$@"
WRAPPER
  chmod +x "$1/bin/meson" "$1/fallback/pkg-config"
}

write_environment() {
  cat >"$1/env.sh" <<'ENV'
# Source this (bash, zsh), or name this folder in AUXBENCH_PREFIX: compilers, pkg-config, Meson and auxbench then find
# what scripts/setup --prefix has put here. The folder may be moved.
AUXBENCH_PREFIX="$(cd "$(dirname "${BASH_SOURCE[0]:-${(%):-%x}}")" && pwd)"
_auxbench_root="$AUXBENCH_PREFIX/sysroot/usr"
_auxbench_lib="$(echo "$_auxbench_root"/lib/*-linux-gnu)"
case ":$PATH:" in
  *":$AUXBENCH_PREFIX/bin:"*) ;;
  *)
    # As system headers, so that their warnings are none of ours.
    export CPLUS_INCLUDE_PATH="$_auxbench_root/include:$_auxbench_root/include/${_auxbench_lib##*/}${CPLUS_INCLUDE_PATH:+:$CPLUS_INCLUDE_PATH}"
    export C_INCLUDE_PATH="$_auxbench_root/include:$_auxbench_root/include/${_auxbench_lib##*/}${C_INCLUDE_PATH:+:$C_INCLUDE_PATH}"
    export LIBRARY_PATH="$_auxbench_lib:$_auxbench_root/lib${LIBRARY_PATH:+:$LIBRARY_PATH}"
    export PKG_CONFIG_PATH="$_auxbench_lib/pkgconfig:$_auxbench_root/share/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}"
    PATH="$AUXBENCH_PREFIX/bin:$PATH"
    command -v pkg-config >/dev/null || PATH="$PATH:$AUXBENCH_PREFIX/fallback"
    # Only a torch that was asked for may come before the machine's own.
    if [ -d "$AUXBENCH_PREFIX/python/torch" ]; then export PYTHONPATH="$AUXBENCH_PREFIX/python${PYTHONPATH:+:$PYTHONPATH}"; fi
    ;;
esac
export PATH AUXBENCH_PREFIX AUXBENCH_DATA="${AUXBENCH_DATA:-$_auxbench_root/share/datasets}"
unset _auxbench_root _auxbench_lib
ENV
}

prepare_prefix() {
  local prefix torch=$2
  mkdir -p "$1"
  prefix="$(cd "$1" && pwd)"
  unpack_packages "$prefix"
  make_relocatable "$prefix/sysroot"
  install_wheels "$prefix" "$torch"
  write_environment "$prefix"
  say "ready: $(du -sh "$prefix" | cut -f1) in $prefix; use it with AUXBENCH_PREFIX=$prefix or . $prefix/env.sh"
}
