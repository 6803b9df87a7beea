#include "quantizers/best_range.h"

#include <vector>

#include "base/torch_prelude.h"
#include "quantizers/reduce.h"

namespace auxbench {
namespace {

at::Tensor sample_of(const at::Tensor& tensor) {
  constexpr int64_t kSample = 16384;
  const auto flat = tensor.reshape({-1}).to(at::kDouble);
  return flat.slice(0, 0, flat.numel(), std::max<int64_t>(1, flat.numel() / kSample));
}

at::Tensor squared_error(const at::Tensor& x, const ValueRange& range, double steps) {
  const double step = (range.hi - range.lo) / steps;
  const auto codes = x.sub(range.lo).div_(step).round_().clamp_(0, steps);
  return codes.mul_(step).add_(range.lo).sub_(x).square_().sum();
}

// The whole range, then those inside it that are tried.
std::vector<ValueRange> candidates_in(const ValueRange& whole) {
  constexpr int kTries = 20;
  std::vector<ValueRange> candidates = {whole};
  for (int top = kTries; top > 0; --top) {
    for (int bottom = kTries; bottom >= 0; --bottom) {
      const ValueRange range = {whole.lo * bottom / kTries, whole.hi * top / kTries};
      if (range.hi > range.lo) candidates.push_back(range);
      if (whole.lo == 0 && range.hi > range.lo) break;  // nothing below zero to cut
    }
  }
  return candidates;
}

// The first of equals.
ValueRange best_of(const std::vector<ValueRange>& candidates, const at::Tensor& x, double steps) {
  std::vector<at::Tensor> errors;
  for (const auto& range : candidates) errors.push_back(squared_error(x, range, steps));
  return candidates[static_cast<size_t>(sum_of_parts(at::stack(errors)).argmin().item<int64_t>())];
}

}  // namespace

ValueRange best_range(const at::Tensor& tensor, double steps) {
  const auto x = sample_of(tensor);
  const ValueRange whole = {smallest_of_parts(x.min()).item<double>(), largest_of_parts(x.max()).item<double>()};
  if (whole.hi <= whole.lo) return {whole.lo, whole.lo + 1};
  return best_of(candidates_in(whole), x, steps);
}

double best_clip(const at::Tensor& tensor, double steps) {
  constexpr int kTries = 50;
  const auto x = sample_of(tensor);
  const double largest = largest_of_parts(x.max()).item<double>();
  if (largest <= 0) return 1;
  std::vector<ValueRange> candidates;
  for (int top = kTries; top > 0; --top) candidates.push_back({0, largest * top / kTries});
  return best_of(candidates, x, steps).hi;
}

}  // namespace auxbench
