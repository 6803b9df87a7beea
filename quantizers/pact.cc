#include "quantizers/pact.h"

#include "quantizers/dorefa.h"
#include "quantizers/grid.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

class PactActivation final : public Quantizer {
 public:
  PactActivation(int bits, double alpha, bool residual) : steps_(steps_of(bits)), residual_(residual) {
    add_parameter("alpha", number(alpha));
  }

  [[nodiscard]] int64_t levels() const override { return steps_ + 1; }

 protected:
  Codes do_encode(const at::Tensor& x, Phase) override {
    const auto& alpha = parameters().at("alpha");
    const auto codes = encode_with<fake_quant::Range>(x, {.steps = static_cast<double>(steps_), .residual = residual_},
                                                      std::array{alpha}, {.learned = 1});
    return scaled_codes(codes, positive_scale(alpha, static_cast<double>(steps_)), from_zero(steps_));
  }

 private:
  int64_t steps_;
  bool residual_;
};

}  // namespace

std::unique_ptr<Quantizer> make_pact_activation(int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "PACT");
  const double alpha = reader.number("alpha", 8);
  const bool residual = reader.flag("residual");
  reader.finish();
  return std::make_unique<PactActivation>(bits, alpha, residual);
}

std::unique_ptr<Quantizer> make_pact(Role role, int bits, const QuantizerSettings& settings) {
  return role == Role::weight ? make_dorefa_weight(bits, settings) : make_pact_activation(bits, settings);
}

}  // namespace auxbench
