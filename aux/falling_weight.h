// The weight of a loss that helps at first: it falls linearly to 0 over a part of the training.
#pragma once

#include <algorithm>
#include <optional>

#include "aux/training_method.h"

namespace auxbench {

class FallingWeight {
 public:
  // until: part of the training's steps, above 0; unset: the weight is constant.
  FallingWeight(double start, std::optional<double> until) : start_(start), until_(until), now_(start) {}

  void move_to(const StepPosition& position) {
    if (!until_) return;
    const double done = static_cast<double>(position.iteration) / static_cast<double>(position.total);
    now_ = start_ * std::max(0.0, 1 - done / *until_);
    ended_ = done >= *until_;
  }

  [[nodiscard]] double now() const { return now_; }
  // It has come to 0: what it weighs need not be computed.
  [[nodiscard]] bool ended() const { return ended_; }

 private:
  double start_;
  std::optional<double> until_;
  double now_;
  bool ended_ = false;
};

}  // namespace auxbench
