#!/usr/bin/env bash
# The map of rooms is held by scripts/check_includes.py: each kind of forbidden include is found, each allowed one is not.
. "$(dirname "$0")/assert.sh"
cd "$TMP"
mkdir -p base kernels models aux runner/plan runner/app/torch runner/inspect/torch runner/jobs runner/pictures runner/sweep results reports tests/models

# check FILE TEXT: what the checker says of a file with this text.
check() {
  printf '%b' "$2" >"$1"
  echo "$1" | python3 "$SCRIPTS/check_includes.py"
}
allowed() { expect_equal "$(check "$1" "$2")" "" "$1 may"; }
forbidden() { expect_match "$(check "$1" "$2")" "^$1:[0-9]+: .*$3" "$1 may not"; }

allowed models/a.cc '#include "models/a.h"\n#include "quantizers/q.h"\n#include "base/torch_prelude.h"\n'
allowed models/a.h '#pragma once\n#include <ATen/core/Tensor.h>\n#include <c10/core/Device.h>\n'
allowed models/b.h '// For .cc files of this room.\n#pragma once\n#include "base/torch_prelude.h"\n'
allowed base/torch_prelude.h '#include <torch/nn/module.h>\n#include <ATen/ATen.h>\n'
allowed runner/sweep/a.cc '#include "runner/jobs/lease.h"\n'
allowed runner/app/a.cc '#include "runner/jobs/dispatcher.h"\n#include "deploy/executor.h"\n#include "reports/r.h"\n#include "runner/inspect/doctor.h"\n'
allowed runner/app/torch/a.cc '#include "aux/a.h"\n#include "runner/sweep/worker.h"\n#include "runner/app/torch_verbs.h"\n'
allowed runner/inspect/torch/a.cc '#include "models/a.h"\n#include "base/torch_prelude.h"\n'
allowed reports/a.h '#pragma once\n#include "runner/plan/plan.h"\n#include "results/record.h"\n'
allowed runner/pictures/a.cc '#include "datasets/box_grid.h"\n#include "reports/report.h"\n'
allowed runner/app/b.cc '#include "runner/pictures/box_pictures.h"\n'
allowed tests/models/a.cc '#include "aux/a.h"\n#include "tests/support/catch.h"\n'

forbidden models/a.cc '#include "aux/auxiliary_module.h"\n' 'models does not know aux'
forbidden kernels/a.cc '\n#include "quantizers/q.h"\n' 'kernels does not know quantizers'
forbidden runner/plan/a.cc '#include "runner/training/experiment.h"\n' 'runner/plan does not know runner'
forbidden runner/jobs/a.cc '#include "runner/sweep/worker.h"\n' 'runner/jobs does not know runner/sweep'
forbidden runner/jobs/a.cc '#include <ATen/core/Tensor.h>\n' 'free of torch'
forbidden runner/app/a.cc '#include "runner/training/device.h"\n' 'runner/app does not know runner/training'
forbidden runner/app/a.cc '#include "runner/app/torch/verbs.h"\n' 'runner/app does not know runner/app/torch'
forbidden runner/app/a.cc '#include "deploy/freeze.h"\n' 'free of torch'
forbidden runner/inspect/a.cc '#include "runner/inspect/torch/probes.h"\n' 'runner/inspect does not know runner/inspect/torch'
forbidden runner/inspect/a.cc '#include <c10/core/Device.h>\n' 'free of torch'
forbidden runner/pictures/a.cc '#include "runner/jobs/lease.h"\n' 'runner/pictures does not know runner/jobs'
forbidden runner/pictures/a.cc '#include <ATen/core/Tensor.h>\n' 'free of torch'
forbidden reports/a.cc '#include "datasets/image/encode_png.h"\n' 'reports does not know datasets'
forbidden results/a.cc '#include "base/torch_prelude.h"\n' 'free of torch'
forbidden results/a.cc '#include <ATen/core/Tensor.h>\n' 'free of torch'
forbidden models/a.cc '#include <torch/torch.h>\n' 'comes through base/torch_prelude.h'
forbidden models/a.h '#include "base/torch_prelude.h"\n' 'for .cc files'
forbidden models/a.h '#include <ATen/ATen.h>\n' 'a header includes nothing'
forbidden models/a.cc '#include "a.h"\n' 'named from the root'
