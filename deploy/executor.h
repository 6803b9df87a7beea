// Runs an integer network on the CPU's kernels. Torch-free.
//
// Plans and packs once, for a batch of a fixed size; run() then allocates nothing. One executor serves one caller at a
// time; its threads are OpenMP's.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "deploy/integer_network.h"
#include "kernels/isa/isa.h"

namespace auxbench {

struct ExecutorOptions {
  int64_t batch = 1;
  int threads = 1;
  bool keep_values = false;  // every value stays readable after a run; else memory is used again
};

class Executor {
 public:
  // The network must outlive it. Throws UserError where it cannot be run (value_sizes).
  Executor(const IntegerNetwork& network, const ExecutorOptions& options, const Isa& isa = this_isa());
  ~Executor();
  Executor(Executor&&) noexcept;

  // images: [batch][channels][h][w] floats, as the network was trained on. Returns [batch][classes], valid until the
  // next run. Fewer images than a batch are no batch: pad.
  std::span<const float> run(std::span<const float> images);

  // Only with keep_values: a value of the last run as numbers [batch][h][w][channels], codes as step u + shift.
  [[nodiscard]] std::vector<float> value(size_t index) const;

  // Which kernel each convolution on codes got, and why: "layer1.0.conv1: vnni-direct (...)".
  [[nodiscard]] std::vector<std::string> plans() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace auxbench
