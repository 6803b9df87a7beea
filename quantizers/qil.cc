#include "quantizers/qil.h"

#include "quantizers/grid.h"
#include "quantizers/reduce.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

class Qil final : public Quantizer {
 public:
  Qil(Role role, int bits, SettingsReader& reader)
      : role_(role), steps_(steps_of(role == Role::weight ? bits - 1 : bits)) {
    add_parameter("centre", number(reader.number("centre", 0.5)));
    add_parameter("width", number(reader.number("width", 0.5)));
    const double gamma = reader.number("gamma", 1);
    if (reader.has("gamma")) add_parameter("gamma", number(gamma));
    if (!reader.has("centre")) fit_to_first();
  }

  [[nodiscard]] int64_t levels() const override { return role_ == Role::weight ? 2 * steps_ + 1 : steps_ + 1; }
  [[nodiscard]] bool output_in_input_scale() const override { return false; }

 protected:
  void fit(const at::Tensor& x) override {
    const auto half = largest_of_parts(x.abs().max()).mul(0.5).clamp_min_(1e-8);
    parameters().at("centre").detach().copy_(half);
    parameters().at("width").detach().copy_(half);
  }

  Codes do_encode(const at::Tensor& x, Phase) override {
    const fake_quant::IntervalConfig config = {.steps = static_cast<double>(steps_),
                                               .two_sided = role_ == Role::weight};
    const auto &centre = parameters().at("centre"), &width = parameters().at("width");
    const auto gamma = parameters().find("gamma");
    const auto codes = gamma == parameters().end()
                           ? encode_with<fake_quant::Interval>(x, config, std::array{centre, width}, {.learned = 2})
                           : encode_with<fake_quant::IntervalPower>(x, config, std::array{centre, width, gamma->second},
                                                                    {.learned = 3});
    return uniform_codes(codes, 1.0 / static_cast<double>(steps_),
                         {.first = role_ == Role::weight ? -steps_ : 0, .last = steps_});
  }

 private:
  Role role_;
  int64_t steps_;
};

}  // namespace

std::unique_ptr<Quantizer> make_qil(Role role, int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "QIL");
  auto made = std::make_unique<Qil>(role, bits, reader);
  reader.finish();
  return made;
}

}  // namespace auxbench
