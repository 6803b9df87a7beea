#include "quantizers/clip_lsq.h"

#include <optional>

#include "quantizers/grid.h"
#include "quantizers/moments.h"
#include "quantizers/reduce.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

class ClipLsq : public Quantizer {
 public:
  ClipLsq(int bits, double clip, double stable) : steps_(steps_of(bits)), stable_(stable) {
    add_parameter("clip", number(clip));
    add_state("seen", number(0));
  }

  [[nodiscard]] int64_t levels() const override { return steps_ + 1; }

 protected:
  Codes do_encode(const at::Tensor& x, Phase phase) override {
    if (phase == Phase::training && stable_ > 0 && x.numel() > 0) warm_up(x.detach());
    const auto& clip = parameters().at("clip");
    return scaled_codes(codes_of(x, clip), positive_scale(clip, static_cast<double>(steps_)), range(steps_));
  }

  virtual Encoded codes_of(const at::Tensor& x, const at::Tensor& clip) = 0;
  [[nodiscard]] virtual CodeRange range(int64_t n) const = 0;
  [[nodiscard]] double steps() const { return static_cast<double>(steps_); }

 private:
  void warm_up(const at::Tensor& x) {
    const at::NoGradGuard no_gradient;
    auto& seen = state().at("seen");
    if (!seen_) seen_ = seen.item<double>();  // once: a device is not waited for at every step
    if (*seen_ >= stable_) return;
    auto clip = parameters().at("clip").detach();
    const auto largest = largest_of_parts(moments_of(x).of(fake_quant::kLargest)).mul(0.8);
    clip.copy_((clip * seen + largest) / (seen + 1));
    seen.add_(1);
    *seen_ += 1;
  }

  int64_t steps_;
  double stable_;
  std::optional<double> seen_;  // the state of that name, once read
};

class ClipLsqActivation final : public ClipLsq {
  using ClipLsq::ClipLsq;

  [[nodiscard]] CodeRange range(int64_t n) const override { return from_zero(n); }
  Encoded codes_of(const at::Tensor& x, const at::Tensor& clip) override {
    return encode_with<fake_quant::Range>(x, {.steps = steps(), .residual = true}, std::array{clip}, {.learned = 1});
  }
};

class ClipLsqWeight final : public ClipLsq {
 public:
  ClipLsqWeight(int bits, double clip, double stable, bool normalise)
      : ClipLsq(bits, clip, stable), normalise_(normalise) {}
  [[nodiscard]] bool output_in_input_scale() const override { return !normalise_; }

 private:
  [[nodiscard]] CodeRange range(int64_t n) const override { return mid_rise(n); }
  Encoded codes_of(const at::Tensor& w, const at::Tensor& clip) override {
    std::array<at::Tensor, 3> parameters = {clip, {}, {}};
    if (normalise_ && w.numel() > 1) {
      const auto found = moments_of(w);
      parameters[1] = found.of(fake_quant::kMean);
      // A constant tensor has no deviation: it is centred and left there.
      parameters[2] = found.of(fake_quant::kDeviation).clamp_min(1e-12);
    }
    return encode_with<fake_quant::MidRise>(w, {.steps = steps()}, parameters, {.learned = 1});
  }

  bool normalise_;
};

}  // namespace

std::unique_ptr<Quantizer> make_clip_lsq(Role role, int bits, const QuantizerSettings& settings) {
  SettingsReader reader(settings, "clip-lsq");
  const double clip = reader.number("clip", 1), stable = reader.number("stable", 0);
  const bool normalise = reader.flag("normalise", true);
  reader.finish();
  if (role == Role::activation) return std::make_unique<ClipLsqActivation>(bits, clip, stable);
  return std::make_unique<ClipLsqWeight>(bits, clip, stable, normalise);
}

}  // namespace auxbench
