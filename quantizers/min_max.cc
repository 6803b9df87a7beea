#include "quantizers/min_max.h"

#include "base/torch_prelude.h"
#include "quantizers/observed_range.h"

namespace auxbench {

std::unique_ptr<Quantizer> make_min_max(Role role, int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "min-max");
  return make_observed_range(role, bits, full_range, 0, reader);
}

}  // namespace auxbench
