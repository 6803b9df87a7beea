// How many bytes of tensors on the CPU stay alive behind a computation of this thread: what its graph keeps for
// backward. For .cc files.
#pragma once

#include <c10/core/Allocator.h>

#include <memory>

namespace auxbench::test {

// LibTorch's allocator reports to it whatever it hands out and takes back.
class LiveBytes final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, int64_t size, size_t, size_t, c10::Device) override { bytes_ += size; }
  [[nodiscard]] bool memoryProfilingEnabled() const override { return true; }
  [[nodiscard]] int64_t bytes() const { return bytes_; }

 private:
  int64_t bytes_ = 0;
};

// compute() returns what holds the graph, a loss for instance; that itself is counted too.
template <typename Compute>
int64_t bytes_kept_by(const Compute& compute) {
  const auto counter = std::make_shared<LiveBytes>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counter);
  const auto held = compute();
  return counter->bytes();
}

}  // namespace auxbench::test
