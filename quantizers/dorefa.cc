#include "quantizers/dorefa.h"

#include "quantizers/fused.h"
#include "quantizers/grid.h"
#include "quantizers/moments.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

using fake_quant::BoundGradient;
using fake_quant::ClipGrid;

// Where |w| is the maximum: places in memory order. Only the pieces that have it are looked through.
at::Tensor places_of_maximum(const at::Tensor& elements, const Moments& moments) {
  const auto largest = moments.of(fake_quant::kLargest);
  const auto pieces = moments.largest.eq(largest).nonzero().squeeze(1).cpu();
  std::vector<at::Tensor> places;
  for (int64_t i = 0; i < pieces.numel(); ++i) {
    const auto begin = pieces[i].item<int64_t>() * static_cast<int64_t>(fake_quant::kPiece);
    const auto own = elements.slice(0, begin, begin + static_cast<int64_t>(fake_quant::kPiece));
    places.push_back(own.abs().eq_(largest).nonzero().squeeze(1).add_(begin));
  }
  return places.empty() ? at::empty({0}, elements.options().dtype(at::kLong)) : at::cat(places);
}

// Through the maximum M of |t|: shared evenly among ties, as torch's full max() does.
void add_gradient_through_max(const at::Tensor& w, const Moments& moments, const at::Tensor& sum_of_g_t,
                              at::Tensor& dw) {
  const std::vector<int64_t> flat = {w.numel()}, step = {1};
  const auto elements = w.as_strided(flat, step);
  const auto at_max = places_of_maximum(elements, moments);
  if (at_max.numel() == 0) return;
  const auto tied = elements.index_select(0, at_max).tanh_();
  const auto share = sum_of_g_t.to(w.scalar_type()) / (tied.square() * static_cast<double>(at_max.numel()));
  dw.as_strided(flat, step).index_add_(0, at_max, tied.sign() * (1 - tied.square()) * share, -1);
}

class TanhWeight final : public Quantizer {
 public:
  TanhWeight(int bits, bool detach_max) : steps_(steps_of(bits)), detach_max_(detach_max) {}

  [[nodiscard]] int64_t levels() const override { return steps_ + 1; }
  [[nodiscard]] bool keeps_scale() const override { return false; }

 protected:
  Codes do_encode(const at::Tensor& w, Phase) override {
    const auto moments = moments_of(w);
    FusedOptions options;
    if (!detach_max_)
      options.finish = [moments](const at::Tensor& at, const at::Tensor&, const at::Tensor& totals, at::Tensor& dw) {
        if (moments.of(fake_quant::kLargest).is_nonzero()) add_gradient_through_max(at, moments, totals[0], dw);
      };
    const auto codes = encode_with<fake_quant::DorefaWeight>(w, {.steps = static_cast<double>(steps_)},
                                                             std::array{moments.of(fake_quant::kLargest)}, options);
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

std::unique_ptr<Quantizer> make(Role role, int bits, const QuantizerSettings& settings, const ClipGrid& grid,
                                bool sign_at_one_bit) {
  SettingsReader reader(settings, "DoReFa");
  const bool detach_max = reader.flag("detach_max");
  reader.finish();
  if (role == Role::activation) return std::make_unique<ClippedActivation>(grid);
  if (bits == 1 && sign_at_one_bit) return std::make_unique<ScaledSignWeight>();
  return std::make_unique<TanhWeight>(bits, detach_max);
}

}  // namespace

std::unique_ptr<Quantizer> make_dorefa_weight(int bits, const QuantizerSettings& settings) {
  return make(Role::weight, bits, settings, {}, true);
}

std::unique_ptr<Quantizer> make_dorefa(Role role, int bits, const QuantizerSettings& settings) {
  const auto steps = static_cast<double>(steps_of(bits));
  return make(role, bits, settings, {.hi = 1, .steps = steps, .unit = 1, .bounds = BoundGradient::pass}, true);
}

std::unique_ptr<Quantizer> make_dorefa_relu6_official(Role role, int bits, const QuantizerSettings& settings) {
  const auto steps = static_cast<double>(steps_of(bits));
  return make(role, bits, settings, {.hi = 6, .steps = steps, .unit = 1, .bounds = BoundGradient::stop}, false);
}

std::unique_ptr<Quantizer> make_dorefa_relu6_true(Role role, int bits, const QuantizerSettings& settings) {
  const auto steps = static_cast<double>(steps_of(bits));
  return make(role, bits, settings, {.hi = 6, .steps = steps, .unit = 6, .bounds = BoundGradient::stop}, true);
}

}  // namespace auxbench
