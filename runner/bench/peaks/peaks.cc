#include "runner/bench/peaks/peaks.h"

namespace auxbench::peaks {

const Loop* find_loop(const std::string& name, const Isa& isa) {
  for (const auto& loop : loops())
    if (loop.name == name && loop.runs_on(isa)) return &loop;
  return nullptr;
}

}  // namespace auxbench::peaks
