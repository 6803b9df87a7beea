#include "quantizers/digits.h"

#include "quantizers/fused.h"

namespace auxbench {

at::Tensor digit_table(int64_t bits, bool signed_digits, const at::TensorOptions& options) {
  auto table = at::empty({int64_t{1} << bits, bits}, at::kDouble);
  auto entries = table.accessor<double, 2>();
  for (int64_t code = 0; code < table.size(0); ++code)
    for (int64_t j = 0; j < bits; ++j) {
      const auto digit = static_cast<double>((code >> j) & 1);
      entries[code][j] = signed_digits ? 2 * digit - 1 : digit;
    }
  return table.to(options);
}

at::Tensor by_code(const at::Tensor& codes, const at::Tensor& table) {
  const at::NoGradGuard no_gradient;
  const std::array parameters = {table.contiguous()};
  const FusedOptions options = {.by_row = table.dim() > 1, .passes_gradient = true};
  switch (table.size(-1)) {
    case 2:
      return encode_with<fake_quant::Lookup1>(codes, {}, parameters, options).codes;
    case 4:
      return encode_with<fake_quant::Lookup2>(codes, {}, parameters, options).codes;
    case 8:
      return encode_with<fake_quant::Lookup3>(codes, {}, parameters, options).codes;
    default:
      AUXBENCH_CHECK(table.size(-1) == 16, "a table for codes of 1 to 4 bits");
      return encode_with<fake_quant::Lookup4>(codes, {}, parameters, options).codes;
  }
}

}  // namespace auxbench
