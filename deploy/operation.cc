#include "deploy/operation.h"

#include <array>

#include "base/error.h"
#include "deploy/operations/average_pool.h"
#include "deploy/operations/blend.h"
#include "deploy/operations/convolution.h"
#include "deploy/operations/digit.h"
#include "deploy/operations/elementwise.h"
#include "deploy/operations/float_convolution.h"
#include "deploy/operations/image.h"
#include "deploy/operations/max_pool.h"
#include "deploy/operations/mean.h"
#include "deploy/operations/upsample.h"
#include "deploy/operations/weighted_sum.h"

namespace auxbench {
namespace {

using Kind = IntegerStep::Kind;

struct Entry {
  const char* name;  // with underscores
  const Operation& (*operation)();
};

constexpr std::array kTable = {
#define AUXBENCH_OPERATION(name) Entry{#name, name##_operation},
#include "deploy/operations/operations.inc"
#undef AUXBENCH_OPERATION
};

std::array<std::string, kTable.size()> names_in_files() {
  std::array<std::string, kTable.size()> names;
  for (size_t i = 0; i < kTable.size(); ++i) {
    names[i] = kTable[i].name;
    for (auto& letter : names[i])
      if (letter == '_') letter = '-';
  }
  return names;
}

}  // namespace

int64_t Operation::macs(const StepInputs&) const { return 0; }
int64_t Operation::border(const IntegerStep&) const { return 0; }
size_t Operation::scratch_bytes(const StepInputs&, int64_t) const { return 0; }

const Operation& operation_of(Kind kind) { return kTable.at(static_cast<size_t>(kind)).operation(); }

const char* step_kind_name(Kind kind) {
  static const auto names = names_in_files();
  return names.at(static_cast<size_t>(kind)).c_str();
}

void refuse_step(const IntegerStep& step, const std::string& what) {
  throw UserError(ExitCode::data_missing, "integer network, step " + step.name + ": " + what);
}

}  // namespace auxbench
