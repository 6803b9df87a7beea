#include "quantizers/reduce.h"

#include <atomic>

#include "base/torch_prelude.h"

namespace auxbench {
namespace {

// Null: this process is alone.
std::atomic<const Reduce*> current{nullptr};

bool alone() { return current.load() == nullptr || current.load()->processes() == 1; }

at::Tensor largest(const at::Tensor& numbers) {
  auto all = numbers.contiguous().clone();
  current.load()->max(all);
  return all;
}

}  // namespace

ReduceScope::ReduceScope(const Reduce& reduce) : before_(current.exchange(&reduce)) {}
ReduceScope::~ReduceScope() { current.store(before_); }

at::Tensor sum_of_parts(const at::Tensor& numbers) {
  if (alone()) return numbers;
  auto all = numbers.contiguous().clone();
  current.load()->sum(all);
  return all;
}

at::Tensor largest_of_parts(const at::Tensor& numbers) { return alone() ? numbers : largest(numbers); }

at::Tensor smallest_of_parts(const at::Tensor& numbers) { return alone() ? numbers : largest(numbers.neg()).neg_(); }

at::Tensor mean_of_parts(const at::Tensor& means, int64_t count) {
  if (alone()) return means;
  const auto own = at::full({1}, count, means.options().dtype(at::kDouble));
  const auto all = sum_of_parts(at::cat({means.to(at::kDouble).flatten().mul(own), own}));
  const auto numbers = all.slice(0, 0, means.numel()).div(all.slice(0, means.numel()));
  return numbers.view(means.sizes()).to(means.scalar_type());
}

at::Tensor deviation_of_parts(const at::Tensor& x) {
  if (alone()) return x.numel() > 1 ? x.std() : at::ones({}, x.options());
  // Squares around each part's own mean, then those of the means: no digits are lost far from zero.
  const auto numbers = x.to(at::kDouble);
  const auto count = at::full({}, x.numel(), numbers.options()), mean = numbers.mean();
  const auto all = sum_of_parts(at::stack({count, mean * count}));
  const auto away = mean - all[1] / all[0];
  const auto squares = sum_of_parts((numbers - mean).square_().sum() + count * away.square());
  return at::where(all[0].gt(1), (squares / (all[0] - 1)).sqrt(), at::ones_like(squares)).to(x.scalar_type());
}

}  // namespace auxbench
