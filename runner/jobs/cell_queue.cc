#include "runner/jobs/cell_queue.h"

#include <algorithm>
#include <map>
#include <string>

namespace auxbench {

CellQueue::CellQueue(const Plan& plan) {
  std::map<std::string, size_t> places;
  for (const auto& cell : plan.cells) {
    if (!cell.selected) continue;
    Cell own = {.planned = &cell, .needs = {}};
    for (const auto& id : cell.needs)
      if (const auto found = places.find(id); found != places.end()) own.needs.push_back(found->second);
    places[cell.id] = cells_.size();
    cells_.push_back(std::move(own));
  }
}

size_t CellQueue::count(State state) const {
  return static_cast<size_t>(
      std::count_if(cells_.begin(), cells_.end(), [&](const Cell& cell) { return cell.state == state; }));
}

void CellQueue::set(size_t i, State state) {
  cells_.at(i).state = state;
  first_unsettled_ = std::min(first_unsettled_, i);
  while (first_unsettled_ < cells_.size() && cells_[first_unsettled_].state == State::settled) ++first_unsettled_;
}

bool CellQueue::is_ready(const Cell& cell) const {
  return cell.state == State::waiting &&
         std::all_of(cell.needs.begin(), cell.needs.end(), [&](size_t i) { return cells_[i].state == State::settled; });
}

std::optional<size_t> CellQueue::next() const {
  for (size_t i = first_unsettled_; i < cells_.size(); ++i)
    if (is_ready(cells_[i])) return i;
  return std::nullopt;
}

}  // namespace auxbench
