// Which cell is next: in the plan's order, each behind what it needs. Knows no process and no file.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "runner/plan/plan.h"

namespace auxbench {

class CellQueue {
 public:
  enum class State {
    waiting,    // for a worker, or for a cell that it needs
    running,    // in a worker of ours
    elsewhere,  // another run is at work on it
    settled,    // nothing more is done about it in this run
  };

  // The plan's selected cells; it must outlive this.
  explicit CellQueue(const Plan& plan);

  [[nodiscard]] size_t size() const { return cells_.size(); }
  [[nodiscard]] const PlannedCell& cell(size_t i) const { return *cells_.at(i).planned; }
  [[nodiscard]] State state(size_t i) const { return cells_.at(i).state; }
  [[nodiscard]] size_t count(State state) const;
  void set(size_t i, State state);

  // The first waiting cell all of whose needs are settled, whatever became of them; none when every other waits.
  [[nodiscard]] std::optional<size_t> next() const;

 private:
  struct Cell {
    const PlannedCell* planned;
    std::vector<size_t> needs;
    State state = State::waiting;
  };
  [[nodiscard]] bool is_ready(const Cell& cell) const;

  std::vector<Cell> cells_;
  size_t first_unsettled_ = 0;
};

}  // namespace auxbench
