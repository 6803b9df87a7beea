// What a cell that is at work tells whoever follows it. By itself it tells nobody.
#pragma once

#include <cstdint>
#include <string>

namespace auxbench {

class Progress {
 public:
  virtual ~Progress() = default;

  // `done` of `total` steps: where the cell stands when it begins, then after each step with its loss.
  virtual void start_cell(const std::string& /*label*/, int64_t /*total_steps*/, int64_t /*done_steps*/) {}
  virtual void advance(int64_t /*done_steps*/, double /*loss*/) {}
  virtual void end_cell() {}
};

}  // namespace auxbench
