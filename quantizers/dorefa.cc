#include "quantizers/dorefa.h"

#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"
#include "quantizers/fused.h"

namespace auxbench {
namespace {

using fake_quant::BoundGradient;
using fake_quant::ClipGrid;

double steps_of(int bits) { return static_cast<double>((int64_t{1} << bits) - 1); }

class TanhWeight final : public Quantizer {
 public:
  TanhWeight(int bits, bool detach_max) : steps_(steps_of(bits)), detach_max_(detach_max) {}

  at::Tensor quantize(const at::Tensor& w) override { return dorefa_weight(w, steps_, detach_max_); }

  IntegerCodes integer_codes(const at::Tensor& w) override {
    const at::NoGradGuard no_gradient;
    // q = 2c/n - 1 exactly undone: (q + 1) n / 2 is within a half of c for every n up to 255.
    return {.codes = quantize(w).add_(1).mul_(steps_ / 2).round_(), .scale = 2 / steps_, .offset = -1};
  }

  [[nodiscard]] int64_t levels() const override { return static_cast<int64_t>(steps_) + 1; }

 private:
  double steps_;
  bool detach_max_;
};

class ScaledSignWeight final : public Quantizer {
 public:
  at::Tensor quantize(const at::Tensor& w) override {
    if (w.numel() == 0) return w;
    const auto mean = mean_of(w);
    return straight_through(w, at::where(w.detach().ge(0), mean, -mean));
  }

  IntegerCodes integer_codes(const at::Tensor& w) override {
    const at::NoGradGuard no_gradient;
    const double mean = w.numel() == 0 ? 0.0 : mean_of(w).item<double>();
    return {.codes = w.ge(0).to(w.scalar_type()), .scale = 2 * mean, .offset = -mean};
  }

  [[nodiscard]] int64_t levels() const override { return 2; }

 private:
  static at::Tensor mean_of(const at::Tensor& w) { return w.detach().abs().mean(); }
};

class ClippedActivation final : public Quantizer {
 public:
  explicit ClippedActivation(const ClipGrid& grid) : grid_(grid) {}

  at::Tensor quantize(const at::Tensor& x) override { return clip_quantize(x, grid_); }

  IntegerCodes integer_codes(const at::Tensor& x) override {
    const at::NoGradGuard no_gradient;
    const double step = grid_.unit / grid_.steps;
    return {.codes = quantize(x).div_(step).round_(), .scale = step, .offset = 0};
  }

  [[nodiscard]] int64_t levels() const override {
    return static_cast<int64_t>(grid_.hi / grid_.unit * grid_.steps) + 1;
  }

 private:
  ClipGrid grid_;
};

bool detach_max_of(const QuantizerSettings& settings) {
  for (const auto& [name, value] : settings)
    if (name != "detach_max")
      throw UserError(ExitCode::usage, "--set " + name + ": DoReFa has no such setting, only detach_max");
  const auto found = settings.find("detach_max");
  return found != settings.end() && found->second != 0;
}

std::unique_ptr<Quantizer> make(Role role, int bits, const QuantizerSettings& settings, const ClipGrid& grid,
                                bool sign_at_one_bit) {
  AUXBENCH_CHECK(bits >= 1 && bits <= 8, "1 to 8 bits");
  const bool detach_max = detach_max_of(settings);
  if (role == Role::activation) return std::make_unique<ClippedActivation>(grid);
  if (bits == 1 && sign_at_one_bit) return std::make_unique<ScaledSignWeight>();
  return std::make_unique<TanhWeight>(bits, detach_max);
}

}  // namespace

std::unique_ptr<Quantizer> make_dorefa(Role role, int bits, const QuantizerSettings& settings) {
  return make(role, bits, settings, {.hi = 1, .steps = steps_of(bits), .unit = 1, .bounds = BoundGradient::pass}, true);
}

std::unique_ptr<Quantizer> make_dorefa_relu6_official(Role role, int bits, const QuantizerSettings& settings) {
  return make(role, bits, settings, {.hi = 6, .steps = steps_of(bits), .unit = 1, .bounds = BoundGradient::stop},
              false);
}

std::unique_ptr<Quantizer> make_dorefa_relu6_true(Role role, int bits, const QuantizerSettings& settings) {
  return make(role, bits, settings, {.hi = 6, .steps = steps_of(bits), .unit = 6, .bounds = BoundGradient::stop}, true);
}

}  // namespace auxbench
