#include "quantizers/binary.h"

#include "quantizers/grid.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

const std::array<at::Tensor, 0> kNoParameters{};

// E|w| of each output channel.
at::Tensor channel_means(const at::Tensor& w) {
  if (w.numel() == 0 || w.dim() < 2) return w.numel() == 0 ? at::zeros({}, w.options()) : w.detach().abs().mean();
  return w.detach().abs().flatten(1).mean(1);
}

class Binary : public Quantizer {
 public:
  [[nodiscard]] int64_t levels() const override { return 2; }
};

class SignActivation final : public Binary {
 public:
  explicit SignActivation(bool polynomial) : polynomial_(polynomial) {}

 protected:
  Codes do_encode(const at::Tensor& x, Phase) override {
    const auto codes = polynomial_ ? encode_with<fake_quant::SignPolynomial>(x, {}, kNoParameters)
                                   : encode_with<fake_quant::Sign>(x, {.limit = 1, .open = true}, kNoParameters);
    return uniform_codes(codes, 1, mid_rise(1));
  }

 private:
  bool polynomial_;
};

class XnorWeight final : public Binary {
 protected:
  Codes do_encode(const at::Tensor& weight, Phase phase) override {
    const auto w = prepared(weight, phase);
    const auto scale = channel_means(w);
    const double inputs = w.dim() > 1 ? static_cast<double>(w.size(1)) : static_cast<double>(w.numel());
    const double filter = w.dim() > 1 ? static_cast<double>(w.numel() / std::max<int64_t>(1, w.size(0))) : inputs;
    const double kept = inputs > 1 ? 1 - 1 / inputs : 1;
    const auto inside = ((scale + 1 / filter) * kept).contiguous();
    FusedOptions options;
    options.by_row = inside.dim() > 0;
    options.source = weight;
    const auto codes = encode_with<fake_quant::Sign>(w, {.limit = 1, .open = true, .outside = kept / filter},
                                                     std::array{inside}, options);
    return scaled_codes(codes, scale, mid_rise(1));
  }

 private:
  static at::Tensor prepared(const at::Tensor& weight, Phase phase) {
    const at::NoGradGuard no_gradient;
    if (weight.dim() < 2 || weight.numel() == 0) return weight.detach().clamp(-1, 1);
    const auto centred = weight.detach().sub(weight.detach().mean(1, /*keepdim=*/true)).clamp_(-1, 1);
    if (phase == Phase::training) weight.detach().copy_(centred);
    return centred;
  }
};

class BirealWeight final : public Binary {
 protected:
  Codes do_encode(const at::Tensor& w, Phase) override {
    return scaled_codes(encode_with<fake_quant::Sign>(w, {.limit = 1}, kNoParameters), channel_means(w), mid_rise(1));
  }
};

class PlainSignWeight final : public Binary {
 public:
  [[nodiscard]] bool output_in_input_scale() const override { return false; }

 protected:
  Codes do_encode(const at::Tensor& w, Phase) override {
    return uniform_codes(encode_with<fake_quant::Sign>(w, {}, kNoParameters, {.passes_gradient = true}), 1,
                         mid_rise(1));
  }
};

void refuse_settings(const QuantizerSettings& settings, const char* method) {
  const SettingsReader reader(settings, method);
  reader.finish();
}

}  // namespace

std::unique_ptr<Quantizer> make_xnor(Role role, int, const QuantizerSettings& settings) {
  refuse_settings(settings, "XNOR-Net");
  if (role == Role::weight) return std::make_unique<XnorWeight>();
  return std::make_unique<SignActivation>(false);
}

std::unique_ptr<Quantizer> make_bireal(Role role, int, const QuantizerSettings& settings) {
  refuse_settings(settings, "Bi-Real Net");
  if (role == Role::weight) return std::make_unique<BirealWeight>();
  return std::make_unique<SignActivation>(true);
}

std::unique_ptr<Quantizer> make_group_net(Role role, int, const QuantizerSettings& settings) {
  refuse_settings(settings, "Group-Net");
  if (role == Role::weight) return std::make_unique<PlainSignWeight>();
  return std::make_unique<SignActivation>(true);
}

}  // namespace auxbench
