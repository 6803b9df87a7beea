#include "quantizers/dorefa.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "quantizers/best_range.h"
#include "quantizers/fused.h"
#include "quantizers/grid.h"
#include "quantizers/moments.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

using fake_quant::BoundGradient;
using fake_quant::ClipGrid;

// Through the maximum M of |t|: shared evenly among ties, as torch's full max() does. Nothing where M is 0.
template <typename T>
void subtract_through_max(const at::Tensor& w, const at::Tensor& largest, const at::Tensor& sum_of_g_t,
                          at::Tensor& dw) {
  const auto weights = fused_detail::elements<T>(w);
  const auto gradients = fused_detail::room_in<T>(dw);
  const T size = largest.item<T>(), t = largest.tanh().template item<T>(), squared = t * t;
  const auto part = [](auto all, int64_t first, int64_t last) {
    return all.subspan(static_cast<size_t>(first), static_cast<size_t>(last - first));
  };
  const auto ties = at::parallel_reduce(
      0, w.numel(), fused_detail::kGrain, size_t{0},
      [&](int64_t first, int64_t last, size_t count) {
        return count + fake_quant::count_of_magnitude<T>(part(weights, first, last), size);
      },
      std::plus<>());
  if (ties == 0 || size == T(0)) return;
  const T share = static_cast<T>(sum_of_g_t.item<double>()) / (squared * static_cast<T>(ties));
  const T each = (T(1) - squared) * share;
  at::parallel_for(0, w.numel(), fused_detail::kGrain, [&](int64_t first, int64_t last) {
    fake_quant::subtract_at_magnitude<T>(part(weights, first, last), size, each, part(gradients, first, last));
  });
}

// On a device the same without asking it where the maximum is, to the same bits.
void subtract_through_max_of_device(const at::Tensor& w, const at::Tensor& largest, const at::Tensor& sum_of_g_t,
                                    at::Tensor& dw) {
  const auto at_max = w.abs().eq(largest);
  const auto t = largest.tanh(), squared = t.square();
  const auto share = sum_of_g_t.to(w.scalar_type()) / (squared * at_max.sum().to(w.scalar_type()));
  const auto none = at::zeros({}, w.options());
  const auto each = at::where(largest.eq(0), none, (1 - squared) * share);
  dw.sub_(at::where(at_max, w.sign().mul_(each), none));
}

void add_gradient_through_max(const at::Tensor& w, const at::Tensor& largest, const at::Tensor& sum_of_g_t,
                              at::Tensor& dw) {
  if (!w.is_cpu()) return subtract_through_max_of_device(w, largest, sum_of_g_t, dw);
  if (w.scalar_type() == at::kDouble) return subtract_through_max<double>(w, largest, sum_of_g_t, dw);
  subtract_through_max<float>(w, largest, sum_of_g_t, dw);
}

// Weights that all but vanished (weight decay may take a layer to 1e-33): M^2 would be no number, 1/M infinite. The
// formula does not see a factor where tanh(w) = w, so they are multiplied by a power of two that takes the largest of them
// to about 2^-40, and the gradient with them. Undefined where the largest is 0 or 2^-60 and above: the usual case.
// On a device the factor is a tensor that is 1 in the usual case: nobody waits for the largest.
constexpr int kTinyExponent = -60, kLiftedExponent = -40, kLargestLift = 1000;

at::Tensor lift_of(const at::Tensor& largest) {
  if (!largest.is_cpu()) {
    const auto exponent = std::get<1>(at::frexp(largest));
    const auto lift = (kLiftedExponent - exponent).clamp_max(kLargestLift).to(largest.scalar_type()).exp2();
    const auto tiny = largest.gt(0).logical_and(largest.lt(std::ldexp(1.0, kTinyExponent)));
    return at::where(tiny, lift, at::ones_like(largest));
  }
  const double size = largest.item<double>();
  if (!(size > 0 && size < std::ldexp(1.0, kTinyExponent))) return {};
  const int exponent = std::min(kLiftedExponent - std::ilogb(size), kLargestLift);
  return at::full({}, std::ldexp(1.0, exponent), largest.options());
}

class TanhWeight final : public Quantizer {
 public:
  TanhWeight(int bits, bool detach_max) : steps_(steps_of(bits)), detach_max_(detach_max) {}

  [[nodiscard]] int64_t levels() const override { return steps_ + 1; }
  [[nodiscard]] bool output_in_input_scale() const override { return false; }

 protected:
  Codes do_encode(const at::Tensor& w, Phase) override {
    const auto found = moments_of(w).of(fake_quant::kLargest), lift = lift_of(found);
    const auto largest = lift.defined() ? found * lift : found;
    FusedOptions options;
    if (lift.defined()) options.source = w;
    if (!detach_max_ || lift.defined())
      options.finish = [largest, lift, detached = detach_max_](const at::Tensor& at, const at::Tensor&,
                                                               const at::Tensor& totals, at::Tensor& dw) {
        if (!detached) add_gradient_through_max(at, largest, totals[0], dw);
        if (lift.defined()) dw.mul_(lift);
      };
    const auto codes = encode_with<fake_quant::DorefaWeight>(
        lift.defined() ? w.detach() * lift : w, {.steps = static_cast<double>(steps_)}, std::array{largest}, options);
    return uniform_codes(codes, 1.0 / static_cast<double>(steps_), mid_rise(steps_));
  }

 private:
  int64_t steps_;
  bool detach_max_;
};

class ScaledSignWeight final : public Quantizer {
 public:
  [[nodiscard]] int64_t levels() const override { return 2; }

 protected:
  Codes do_encode(const at::Tensor& w, Phase) override {
    return scaled_codes(encode_with<fake_quant::Sign>(w, {}, std::array<at::Tensor, 0>{}, {.passes_gradient = true}),
                        moments_of(w).of(fake_quant::kMeanMagnitude), mid_rise(1));
  }
};

class ClippedActivation final : public Quantizer {
 public:
  explicit ClippedActivation(const ClipGrid& grid) : grid_(grid) {}

  [[nodiscard]] int64_t levels() const override {
    return static_cast<int64_t>(grid_.hi / grid_.unit * grid_.steps) + 1;
  }

 protected:
  Codes do_encode(const at::Tensor& x, Phase) override {
    return uniform_codes(encode_with<fake_quant::Clip>(x, grid_, std::array<at::Tensor, 0>{}), grid_.unit / grid_.steps,
                         from_zero(levels() - 1));
  }

 private:
  ClipGrid grid_;
};

class FittedActivation final : public Quantizer {
 public:
  explicit FittedActivation(int bits) : steps_(steps_of(bits)) {
    add_state("clip", number(1));
    fit_to_first();
  }

  [[nodiscard]] int64_t levels() const override { return steps_ + 1; }

 protected:
  void fit(const at::Tensor& x) override { state().at("clip").fill_(best_clip(x, static_cast<double>(steps_))); }

  Codes do_encode(const at::Tensor& x, Phase) override {
    const auto& clip = state().at("clip");
    const auto steps = static_cast<double>(steps_);
    const auto codes = encode_with<fake_quant::Range>(x, {.steps = steps, .residual = false}, std::array{clip});
    return scaled_codes(codes, positive_scale(clip, steps), from_zero(steps_));
  }

 private:
  int64_t steps_;
};

std::unique_ptr<Quantizer> make_weight(int bits, const QuantizerSettings& settings, bool sign_at_one_bit) {
  SettingsReader reader(settings, "DoReFa");
  const bool detach_max = reader.flag("detach_max");
  reader.finish();
  if (bits == 1 && sign_at_one_bit) return std::make_unique<ScaledSignWeight>();
  return std::make_unique<TanhWeight>(bits, detach_max);
}

std::unique_ptr<Quantizer> make_activation(const QuantizerSettings& settings, const ClipGrid& grid) {
  SettingsReader(settings, "DoReFa").finish();
  return std::make_unique<ClippedActivation>(grid);
}

}  // namespace

std::unique_ptr<Quantizer> make_dorefa_weight(int bits, const QuantizerSettings& settings) {
  return make_weight(bits, settings, true);
}

std::unique_ptr<Quantizer> make_dorefa(Role role, int bits, const QuantizerSettings& settings) {
  if (role == Role::weight) return make_dorefa_weight(bits, settings);
  SettingsReader reader(settings, "DoReFa");
  const bool fitted = reader.flag("range");
  reader.finish();
  if (fitted) return std::make_unique<FittedActivation>(bits);
  const auto steps = static_cast<double>(steps_of(bits));
  return std::make_unique<ClippedActivation>(
      ClipGrid{.hi = 1, .steps = steps, .unit = 1, .bounds = BoundGradient::pass});
}

std::unique_ptr<Quantizer> make_dorefa_relu6_official(Role role, int bits, const QuantizerSettings& settings) {
  if (role == Role::weight) return make_weight(bits, settings, false);
  const auto steps = static_cast<double>(steps_of(bits));
  return make_activation(settings, {.hi = 6, .steps = steps, .unit = 1, .bounds = BoundGradient::stop});
}

std::unique_ptr<Quantizer> make_dorefa_relu6_true(Role role, int bits, const QuantizerSettings& settings) {
  if (role == Role::weight) return make_weight(bits, settings, true);
  const auto steps = static_cast<double>(steps_of(bits));
  return make_activation(settings, {.hi = 6, .steps = steps, .unit = 6, .bounds = BoundGradient::stop});
}

}  // namespace auxbench
