#include "quantizers/ewgs.h"

#include <cmath>
#include <numbers>

#include "quantizers/grid.h"
#include "quantizers/reduce.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

class Ewgs final : public Quantizer {
 public:
  Ewgs(Role role, int bits, SettingsReader& reader) : role_(role), steps_(steps_of(bits)) {
    add_parameter("low", number(reader.number("low", role == Role::weight ? -1 : 0)));
    add_parameter("high", number(reader.number("high", 1)));
    add_state("delta", number(reader.number("delta", 1e-3)));
    if (!reader.has("low")) fit_to_first();
    if (role == Role::activation) return;
    add_parameter("scale", number(reader.number("scale", 1)));
    add_state("scaled", at::full({}, reader.has("scale"), at::kBool));
  }

  [[nodiscard]] int64_t levels() const override { return steps_ + 1; }
  [[nodiscard]] bool output_in_input_scale() const override { return true; }  // by its learned scale

  [[nodiscard]] bool wants_output_scale() override {
    if (role_ == Role::weight && !scaled_) scaled_ = state().at("scaled").item<bool>();
    return role_ == Role::weight && !scaled_;
  }
  void set_output_scale(const at::Tensor& ratio) override {
    parameters().at("scale").detach().copy_(ratio);
    state().at("scaled").fill_(true);
    scaled_ = true;
  }

 protected:
  void fit(const at::Tensor& x) override {
    auto low = parameters().at("low").detach(), high = parameters().at("high").detach();
    const auto deviation = deviation_of_parts(x).clamp_min(1e-8);
    if (role_ == Role::weight) {
      low.copy_(-3 * deviation);
      high.copy_(3 * deviation);
    } else {
      low.copy_(smallest_of_parts(x.min()));
      high.copy_(low + 3 / std::sqrt(1 - 2 / std::numbers::pi) * deviation);
    }
  }

  Codes do_encode(const at::Tensor& x, Phase) override {
    const bool weight = role_ == Role::weight;
    const auto scale = weight ? parameters().at("scale") : at::Tensor();
    const auto codes = encode_with<fake_quant::Ewgs>(
        x, {.steps = static_cast<double>(steps_), .symmetric = weight},
        std::array{parameters().at("low"), parameters().at("high"), scale, state().at("delta")}, {.learned = 3});
    const auto n = static_cast<double>(steps_);
    if (!weight) return uniform_codes(codes, 1 / n, from_zero(steps_));
    return scaled_codes(codes, positive_scale(scale, n), mid_rise(steps_));
  }

 private:
  Role role_;
  int64_t steps_;
  bool scaled_ = false;
};

}  // namespace

std::unique_ptr<Quantizer> make_ewgs(Role role, int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "EWGS");
  auto made = std::make_unique<Ewgs>(role, bits, reader);
  reader.finish();
  return made;
}

}  // namespace auxbench
