#include "runner/training/gradient_sync.h"

namespace auxbench {
namespace {

class OneProcess final : public GradientSync {
 public:
  void average(const std::vector<at::Tensor>& /*parameters*/) override {}
};

}  // namespace

GradientSync& one_process() {
  static OneProcess sync;
  return sync;
}

}  // namespace auxbench
