// plan.json of a results folder. A plan that was read is written and read back as the same, extends itself to itself, and
// each of its cells has the name that its spec says and stands behind what it needs.
#include "runner/plan/plan.h"

#include <nlohmann/json.hpp>
#include <set>

#include "runner/plan/extend_plan.h"
#include "runner/plan/plan_file.h"
#include "tests/fuzz/target.h"

using namespace auxbench;

namespace {

void check_cells(const Plan& plan) {
  std::set<std::string> seen;
  for (const auto& cell : plan.cells) {
    for (const auto& needed : cell.needs) AUXBENCH_CHECK(seen.contains(needed), "cells behind what they need");
    AUXBENCH_CHECK(seen.insert(cell.id).second, "ids that are unique");
    AUXBENCH_CHECK(cell.slug == cell_slug(cell.spec), "a cell by its name");
    static_cast<void>(cell.spec.parent());
    static_cast<void>(cell.spec.teacher());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzz::may_refuse(ExitCode::data_missing, [&] {
    const auto plan = parse_plan(std::string(fuzz::text_of(data, size)), "plan.json");
    check_cells(plan);
    const auto written = plan_to_json(plan);
    AUXBENCH_CHECK(plan_to_json(plan_from_json(written, "again")) == written, "the plan that was written");
    AUXBENCH_CHECK(plan_to_json(extend_plan(plan, plan, "itself")) == written, "a plan that extends itself");
  });
  return 0;
}
