#include "quantizers/apot.h"

#include <vector>

#include "quantizers/grid.h"
#include "quantizers/moments.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

const std::vector<double>& levels_of(int bits) {
  static const std::vector<std::vector<double>> kLevels = {
      {0, 1},
      {0, 1, 2, 4},
      {0, 1, 2, 3, 4, 6, 8, 10},
      {0, 1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 24, 32, 33, 36, 48},
      {0,  1,  2,  3,  4,  5,  6,  7,  8,  10, 12, 14, 16, 17, 20, 21,
       24, 28, 32, 34, 36, 38, 48, 52, 64, 65, 68, 69, 72, 76, 96, 100}};
  return kLevels.at(static_cast<size_t>(bits - 1));
}

class Apot final : public Quantizer {
 public:
  Apot(Role role, int bits, SettingsReader& reader)
      : role_(role), bits_(role == Role::weight ? bits - 1 : bits), normalise_(reader.flag("normalise", true)) {
    const auto& levels = levels_of(bits_);
    std::copy(levels.begin(), levels.end(), config_.levels);
    config_.two_sided = role == Role::weight;
    config_.masked = !(role == Role::weight && bits == 2);
    add_parameter("alpha", number(reader.number("alpha", role == Role::weight ? 3 : 6)));
  }

  [[nodiscard]] int64_t levels() const override {
    const auto count = static_cast<int64_t>(levels_of(bits_).size());
    return role_ == Role::weight ? 2 * count - 1 : count;
  }
  [[nodiscard]] bool output_in_input_scale() const override { return role_ == Role::activation || !normalise_; }

 protected:
  Codes do_encode(const at::Tensor& x, Phase) override {
    const auto& alpha = parameters().at("alpha");
    std::array<at::Tensor, 3> parameters = {alpha, {}, {}};
    FusedOptions options = {.learned = 1};
    if (role_ == Role::weight && normalise_ && x.numel() > 1) normalise(x, parameters, options);
    const double largest = config_.levels[levels_of(bits_).size() - 1];
    const auto last = static_cast<int64_t>(largest);
    return scaled_codes(codes_of(x, parameters, options), positive_scale(alpha, largest),
                        {.first = role_ == Role::weight ? -last : 0, .last = last});
  }

 private:
  static void normalise(const at::Tensor& w, std::array<at::Tensor, 3>& parameters, FusedOptions& options) {
    const auto found = moments_of(w);
    const auto deviation = found.of(fake_quant::kDeviation).clamp_min(1e-12), mean = found.of(fake_quant::kMean);
    parameters[1] = mean;
    parameters[2] = deviation;
    // Through mean and deviation: dw = (du - mean(du) - u sum(du u)/(N - 1)) / deviation.
    options.finish = [mean, deviation](const at::Tensor& w_, const at::Tensor&, const at::Tensor& totals,
                                       at::Tensor& dw) {
      const auto n = static_cast<double>(w_.numel());
      const auto type = w_.scalar_type();
      const auto slope = totals[2].to(type).div_(n - 1).div_(deviation);
      const auto constant = totals[1].to(type).div_(n).sub_(mean * slope);
      dw.sub_(constant).sub_(w_ * slope).div_(deviation);
    };
  }

  Encoded codes_of(const at::Tensor& x, const std::array<at::Tensor, 3>& parameters, const FusedOptions& options) {
    switch (bits_) {
      case 1:
        return encode_with<fake_quant::FixedLevels1>(x, config_, parameters, options);
      case 2:
        return encode_with<fake_quant::FixedLevels2>(x, config_, parameters, options);
      case 3:
        return encode_with<fake_quant::FixedLevels3>(x, config_, parameters, options);
      case 4:
        return encode_with<fake_quant::FixedLevels4>(x, config_, parameters, options);
      default:
        return encode_with<fake_quant::FixedLevels5>(x, config_, parameters, options);
    }
  }

  Role role_;
  int bits_;  // of the level set
  bool normalise_;
  fake_quant::FixedLevelsConfig config_;
};

}  // namespace

std::unique_ptr<Quantizer> make_apot(Role role, int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "APoT");
  auto made = std::make_unique<Apot>(role, bits, reader);
  reader.finish();
  return made;
}

}  // namespace auxbench
