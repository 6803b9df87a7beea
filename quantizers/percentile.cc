#include "quantizers/percentile.h"

#include "base/error.h"
#include "base/torch_prelude.h"
#include "quantizers/observed_range.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_percentile(Role role, int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "percentile");
  const double p = reader.number("p", 0.99999);
  if (!(p > 0 && p <= 1)) throw UserError(ExitCode::usage, "percentile: p " + std::to_string(p) + " is not in (0, 1]");
  const auto search = [p](const at::Tensor& rows) {
    const auto threshold = order_statistic(rows.abs(), p);
    const auto all = full_range(rows);
    return ObservedRange{.low = at::maximum(all.low, threshold.neg()), .high = at::minimum(all.high, threshold)};
  };
  return make_observed_range(role, bits, search, 0.9, reader);
}

}  // namespace auxbench
