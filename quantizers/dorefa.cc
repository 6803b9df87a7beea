#include "quantizers/dorefa.h"

#include "quantizers/fused.h"
#include "quantizers/grid.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

using fake_quant::BoundGradient;
using fake_quant::ClipGrid;

// Through the maximum M of |t|: shared evenly among ties, as torch's full max() does.
void add_gradient_through_max(const at::Tensor& t, const at::Tensor& max, const at::Tensor& sum_of_g_t,
                              at::Tensor& dw) {
  const std::vector<int64_t> flat = {t.numel()}, step = {1};
  const auto elements = t.as_strided(flat, step);
  const auto at_max = elements.abs().eq_(max).nonzero().squeeze(1);
  if (at_max.numel() == 0) return;
  const auto tied = elements.index_select(0, at_max);
  const auto share = sum_of_g_t.to(t.scalar_type()) / (max * max * static_cast<double>(at_max.numel()));
  dw.as_strided(flat, step).index_add_(0, at_max, tied.sign() * (1 - tied.square()) * share, -1);
}

class TanhWeight final : public Quantizer {
 public:
  TanhWeight(int bits, bool detach_max) : steps_(steps_of(bits)), detach_max_(detach_max) {}

  [[nodiscard]] int64_t levels() const override { return steps_ + 1; }
  [[nodiscard]] bool keeps_scale() const override { return false; }

 protected:
  Codes do_encode(const at::Tensor& w, Phase) override {
    at::Tensor t, max;
    {
      const at::NoGradGuard no_gradient;
      t = fused_detail::dense(w, false).tanh();
      max = t.numel() == 0 ? at::ones({}, t.options()) : t.abs().max();
    }
    FusedOptions options;
    options.source = w;
    if (!detach_max_)
      options.finish = [max](const at::Tensor& at, const at::Tensor&, const at::Tensor& totals, at::Tensor& dw) {
        if (max.is_nonzero()) add_gradient_through_max(at, max, totals[0], dw);
      };
    const auto codes =
        encode_with<fake_quant::DorefaWeight>(t, {.steps = static_cast<double>(steps_)}, std::array{max}, options);
    return uniform_codes(codes, 1.0 / static_cast<double>(steps_), steps_);
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
    const auto size = w.detach().abs();
    const auto scale = w.numel() == 0 ? at::zeros({}, w.options()) : size.mean();
    return {.codes = encode_with<fake_quant::Sign>(w, {}, std::array<at::Tensor, 0>{}), .scale = scale, .largest = 1};
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
                         levels() - 1);
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
