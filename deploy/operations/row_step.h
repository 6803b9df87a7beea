// A prepared step whose kernel makes rows of outputs, counted through (n h + y), any of them alone.
#pragma once

#include <memory>
#include <utility>

#include "deploy/operation.h"
#include "deploy/share.h"

namespace auxbench {

template <typename Work>
class RowStep final : public PreparedStep {
 public:
  RowStep(int64_t rows, Work work) : rows_(rows), work_(std::move(work)) {}
  void run(const RunContext& context) const override {
    share(context.threads, rows_, [this](int64_t first, int64_t last, int) { work_(first, last); });
  }

 private:
  int64_t rows_;
  Work work_;
};

// work(first, last)
template <typename Work>
std::unique_ptr<PreparedStep> make_row_step(int64_t rows, Work work) {
  return std::make_unique<RowStep<Work>>(rows, std::move(work));
}

}  // namespace auxbench
