#include "deploy/frozen_weights.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/torch_prelude.h"

namespace auxbench {

std::vector<float> floats(const at::Tensor& tensor) {
  const auto flat = tensor.detach().to(at::kFloat).contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

std::vector<float> in_kernel_order(const at::Tensor& weights) { return floats(weights.permute({0, 2, 3, 1})); }

WeightCodes weight_codes(const at::Tensor& whole_numbers, const std::string& name) {
  const auto values = in_kernel_order(whole_numbers);
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    throw UserError(ExitCode::usage, name + ": weights that are not finite have no codes (the training diverged)");
  WeightCodes found;
  found.odd = std::all_of(values.begin(), values.end(), [](float v) { return static_cast<int>(v) % 2 != 0; });
  int lowest = 0, highest = 0;
  std::vector<int> codes;
  for (const float v : values) {
    const int code = found.odd ? (static_cast<int>(v) - 1) / 2 : static_cast<int>(v);
    codes.push_back(code);
    lowest = std::min(lowest, code);
    highest = std::max(highest, code);
  }
  for (const int bits : {1, 2, 3, 4, 8}) {
    found.bits = bits;
    if (lowest >= -(1 << (bits - 1)) && highest < (1 << (bits - 1))) {
      for (const int code : codes) found.codes.push_back(static_cast<int8_t>(code));
      return found;
    }
  }
  throw UserError(ExitCode::usage, name + ": weight codes from " + std::to_string(lowest) + " to " +
                                       std::to_string(highest) + " do not fit in 8 bits");
}

std::vector<WeightTerm> weight_terms(const Codes& w) {
  if (!w.basis.defined()) return {{w.codes, w.scale}};
  std::vector<WeightTerm> terms;
  for (int64_t j = 0; j < w.basis.size(-1); ++j) {
    const auto digit = at::floor(w.codes / static_cast<double>(int64_t{1} << j)).remainder(2);
    terms.push_back({w.signed_digits ? digit * 2 - 1 : digit, w.basis.select(-1, j)});
  }
  return terms;
}

}  // namespace auxbench
