#!/usr/bin/env bash
# Where several files are compiled as one, a name of one of them must not stand for what another takes from a header.
. "$(dirname "$0")/assert.sh"
cd "$TMP"
mkdir room
units() { python3 "$SCRIPTS/check_units.py" "$TMP"; }
printf "library = static_library('room',\n  'a.cc', 'b.cc',\n  include_directories: root_inc, override_options: units)\n" >room/meson.build
printf 'namespace auxbench {\nstd::string escaped(const std::string& text);\n}\n' >room/markdown.h
printf 'namespace auxbench {\nnamespace {\nstd::string escaped(const std::string& t) { return t; }\n}\n}\n' >room/a.cc
printf 'namespace auxbench {\nstd::string page() { return escaped("<"); }\n}\n' >room/b.cc
expect_code 1 units
expect_match "$OUTPUT" "room/a.cc: its own escaped would be taken for room/markdown.h's in room/b.cc" "what, where"

# Said with its namespace, or of its own: no harm.
printf 'namespace auxbench {\nstd::string page() { return auxbench::escaped("<"); }\n}\n' >room/b.cc
expect_code 0 units
printf 'namespace auxbench {\nnamespace {\nint escaped(int n) { return n; }\n}\nint page() { return escaped(1); }\n}\n' >room/b.cc
expect_code 0 units
# Compiled by itself.
printf 'namespace auxbench {\nstd::string page() { return escaped("<"); }\n}\n' >room/b.cc
sed -i 's/, override_options: units//' room/meson.build
printf "other = executable('other', 'a.cc', override_options: units)\n" >>room/meson.build
expect_code 0 units
rm room/meson.build
expect_code 1 units
expect_match "$OUTPUT" "no longer fit" "a check that looks at nothing"
