// Runs an integer network on the CPU's kernels. Torch-free.
//
// A network is not bound to one size of image: for each size that comes, maps and plans are made once and kept, of the
// sizes used last; weights are packed once for all of them. A run at a size that is kept allocates nothing. One executor
// serves one caller at a time; its threads are OpenMP's.
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
  size_t most_sizes = 8;     // sizes of images whose maps and plans are kept, at least 1
};

// An output of the last run: [batch][h][w][channels], valid until the next.
struct ExecutorOutput {
  std::string name;
  std::span<const float> numbers;
  int64_t h = 0, w = 0, channels = 0;
};

class Executor {
 public:
  // The network must outlive it. Made ready for images of the network's own size. Throws UserError where it cannot be
  // run (value_sizes).
  Executor(const IntegerNetwork& network, const ExecutorOptions& options, const Isa& isa = this_isa());
  Executor(const IntegerNetwork&&, const ExecutorOptions&, const Isa& = this_isa()) = delete;
  ~Executor();
  Executor(Executor&&) noexcept;

  // images: [batch][channels][h][w] floats, as the network was trained on; a whole batch, so pad the last. Returns the
  // numbers of the first output, of a classifier [batch][classes], valid until the next run. `size`: of the images; it
  // throws UserError, and leaves everything as it was, where the network cannot be run at it.
  std::span<const float> run(std::span<const float> images);
  std::span<const float> run(std::span<const float> images, ValueSize size);

  // Of the last run.
  [[nodiscard]] ExecutorOutput output(const std::string& name) const;
  // Only with keep_values: a value as numbers [batch][h][w][channels], codes as step u + shift.
  [[nodiscard]] std::vector<float> value(size_t index) const;

  // Which kernel each convolution on codes got, and why: "layer1.0.conv1: vnni-direct (...)". Of the size used last.
  [[nodiscard]] std::vector<std::string> plans() const;
  [[nodiscard]] size_t map_bytes() const;       // of all values at the size used last, as they lie in memory
  [[nodiscard]] size_t packed_weights() const;  // how many weights were packed: at all sizes together

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace auxbench
