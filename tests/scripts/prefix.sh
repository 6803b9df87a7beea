#!/usr/bin/env bash
# A prefix can be moved: its pkg-config files name no absolute path, its links stay inside, its environment follows.
. "$(dirname "$0")/assert.sh"
. "$SCRIPTS/lib.sh"
. "$SCRIPTS/lib_packages.sh"
. "$SCRIPTS/lib_python.sh"
. "$SCRIPTS/lib_prefix.sh"
lib="$TMP/one/sysroot/usr/lib/x86_64-linux-gnu"
mkdir -p "$lib/pkgconfig" "$TMP/one/sysroot/lib" "$TMP/one/sysroot/usr/include" "$TMP/one/sysroot/usr/share/"{doc,pkgconfig}
echo real >"$TMP/one/sysroot/lib/libtoy.so.1"
ln -s /lib/libtoy.so.1 "$lib/libtoy.so"
# shellcheck disable=SC2016
printf 'prefix=/usr\nlibdir=${prefix}/lib/x86_64-linux-gnu\n\nName: toy\nDescription: toy\nVersion: 1\nLibs: -L${libdir} -ltoy\n' \
  >"$lib/pkgconfig/toy.pc"
printf 'Name: bare\nDescription: bare\nVersion: 1\nCflags: -I/usr/include\n' >"$TMP/one/sysroot/usr/share/pkgconfig/bare.pc"
make_relocatable "$TMP/one/sysroot"
write_environment "$TMP/one"
mv "$TMP/one" "$TMP/two"

expect_equal "$(cat "$TMP/two/sysroot/usr/lib/x86_64-linux-gnu/libtoy.so")" real "an absolute link became one inside"
[[ ! -e $TMP/two/sysroot/usr/share/doc ]] || fail "documentation is left out"
command -v pkg-config >/dev/null || exit 77
# shellcheck disable=SC2016
flags="$(env -i PATH="$PATH" bash -c '. "$0/env.sh" && pkg-config --cflags --libs bare toy' "$TMP/two")"
include="$(sed -n 's/^-I\([^ ]*\) .*/\1/p' <<<"$flags")"
folder="$(sed -n 's/.*-L\([^ ]*\) .*/\1/p' <<<"$flags")"
expect_equal "$(realpath "$include")" "$TMP/two/sysroot/usr/include" "headers after the move"
expect_equal "$(realpath "$folder")" "$TMP/two/sysroot/usr/lib/x86_64-linux-gnu" "libraries after the move"
# shellcheck disable=SC2016
data="$(env -i PATH="$PATH" bash -c '. "$0/env.sh" && . "$0/env.sh" && echo "$AUXBENCH_DATA"' "$TMP/two")"
expect_equal "$data" "$TMP/two/sysroot/usr/share/datasets" "the data after the move"
