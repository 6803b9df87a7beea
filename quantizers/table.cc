// Names to makers, from the one list.
#include <map>

#include "base/error.h"
#include "quantizers/quantizer.h"

namespace auxbench {

#define METHOD(name, maker, ...) std::unique_ptr<Quantizer> maker(Role, int, const QuantizerSettings&);
#include "quantizers/methods/methods.inc"
#undef METHOD

std::unique_ptr<Quantizer> make_quantizer(const std::string& name, Role role, int bits,
                                          const QuantizerSettings& settings) {
  using Maker = std::unique_ptr<Quantizer> (*)(Role, int, const QuantizerSettings&);
  static const std::map<std::string, Maker> kMakers = {
#define METHOD(known, maker, ...) {known, &maker},
#include "quantizers/methods/methods.inc"
#undef METHOD
  };
  const auto* method = find_quantizer(name);
  if (method == nullptr) throw UserError(ExitCode::usage, name + ": no such quantizer");
  const auto& range = role == Role::weight ? method->weight_bits : method->activation_bits;
  if (!range.has(bits))
    throw UserError(ExitCode::usage, name + ": " + (role == Role::weight ? "weights" : "activations") + " have " +
                                         std::to_string(range.first) + " to " + std::to_string(range.last) +
                                         " bits, not " + std::to_string(bits));
  return kMakers.at(name)(role, bits, settings);
}

}  // namespace auxbench
