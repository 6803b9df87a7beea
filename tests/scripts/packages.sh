#!/usr/bin/env bash
# Without the right to install packages the exact line to run is printed; extras alone hold nothing up.
. "$(dirname "$0")/assert.sh"
. "$SCRIPTS/lib.sh"
. "$SCRIPTS/lib_packages.sh"
may_install() { false; }
find_dataset() { false; }
missing_extras() { echo dataset-fashion-mnist; }

missing_packages() { printf '%s\n' libcli11-dev catch2; }
expect_code 2 prepare_packages
expect_match "$OUTPUT" "apt-get update && apt-get install -y --no-install-recommends libcli11-dev catch2 dataset-fashion-mnist" "the line"

missing_packages() { true; }
expect_code 0 prepare_packages
expect_match "$OUTPUT" "AUXBENCH_DATA" "where to put the images"
