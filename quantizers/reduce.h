// What quantizers take from data (a first fit, observed ranges, running state) when the data are spread over several
// processes: each sees its part of a batch, all must come to the same numbers.
//
// One seam for the whole process: the identity, until whoever starts the processes says otherwise. Weights and learned
// parameters are the same in every process; only statistics of activations, and of a layer's output, come here. All
// processes call the functions below in the same order, with tensors of the same shape and with a part that is not
// empty. Alone they return their argument as it is, bit for bit.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace auxbench {

class Reduce {
 public:
  virtual ~Reduce() = default;
  [[nodiscard]] virtual int64_t processes() const = 0;
  // Element by element over all processes, in place; every process gets the result.
  virtual void sum(at::Tensor& numbers) const = 0;
  virtual void max(at::Tensor& numbers) const = 0;
};

// While it lives statistics go through `reduce`, which outlives it. Not while a quantizer computes.
class ReduceScope {
 public:
  explicit ReduceScope(const Reduce& reduce);
  ~ReduceScope();
  ReduceScope(const ReduceScope&) = delete;
  ReduceScope& operator=(const ReduceScope&) = delete;

 private:
  const Reduce* before_;
};

// Element by element over the processes' parts: the sum, the largest, the smallest.
at::Tensor sum_of_parts(const at::Tensor& numbers);
at::Tensor largest_of_parts(const at::Tensor& numbers);
at::Tensor smallest_of_parts(const at::Tensor& numbers);
// The mean over all parts, of which this one's, of `count` numbers each, is `means`.
at::Tensor mean_of_parts(const at::Tensor& means, int64_t count);
// The unbiased standard deviation of all parts together; 1 for fewer than two numbers.
at::Tensor deviation_of_parts(const at::Tensor& x);

}  // namespace auxbench
