#include "quantizers/quantizer.h"

#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"
#include "quantizers/digits.h"
#include "quantizers/fused.h"
#include "quantizers/settings.h"

namespace auxbench {
namespace {

constexpr const char* kFitted = "fitted";

// One number per row of a tensor, shaped to multiply it.
at::Tensor by_row(const at::Tensor& numbers, const at::Tensor& x) {
  if (numbers.dim() == 0) return numbers;
  std::vector<int64_t> shape(static_cast<size_t>(x.dim()), 1);
  shape[0] = numbers.size(0);
  return numbers.view(shape);
}

at::Tensor basis_values(const Codes& coded) {
  const auto digits = digit_table(coded.basis.size(-1), coded.signed_digits, coded.basis.options());
  return by_code(coded.codes, coded.basis.matmul(digits.t()));
}

// `room` holds the codes and is overwritten, or is undefined.
at::Tensor values_of(const Codes& coded, at::Tensor room) {
  if (coded.basis.defined()) return basis_values(coded);
  const auto scale = by_row(coded.scale, coded.codes);
  auto value = room.defined() ? room.mul_(scale) : coded.codes.mul(scale);
  return coded.offset.defined() ? value.add_(coded.offset) : value;
}

at::Tensor decode_to(const Codes& coded, const at::Tensor& room) {
  if (coded.is_plain()) return coded.codes;
  at::Tensor value;
  {
    const at::NoGradGuard no_gradient;
    value = values_of(coded, room);
  }
  return coded.edge.defined() ? straight_through(coded.edge, value) : value;
}

}  // namespace

at::Tensor decode(const Codes& coded) { return decode_to(coded, {}); }

at::Tensor Quantizer::quantize(const at::Tensor& x, Phase phase) {
  const auto coded = encode(x, phase);
  return decode_to(coded, coded.codes);
}

void Quantizer::adopt_type_of(const at::Tensor& x) {
  for (auto* tensors : {&parameters_, &state_})
    for (auto& [name, tensor] : *tensors)
      if (tensor.device() != x.device() || (tensor.is_floating_point() && tensor.scalar_type() != x.scalar_type()))
        tensor.set_data(
            tensor.data().to(x.device(), tensor.is_floating_point() ? x.scalar_type() : tensor.scalar_type()));
}

Codes Quantizer::encode(const at::Tensor& x, Phase phase) {
  adopt_type_of(x);
  if (fits_ && !fitted_ && x.numel() > 0) {
    const at::NoGradGuard no_gradient;
    auto& flag = state_.at(kFitted);
    if (!flag.item<bool>()) {
      fit(x.detach());
      flag.fill_(true);
    }
    fitted_ = true;
  }
  return do_encode(x, phase);
}

void Quantizer::observe(const at::Tensor& x) {
  if (!fits_ || x.numel() == 0) return;
  const at::NoGradGuard no_gradient;
  adopt_type_of(x);
  auto& flag = state_.at(kFitted);
  do_observe(x.detach(), !flag.item<bool>());
  flag.fill_(true);
  fitted_ = true;
}

void Quantizer::set_output_scale(const at::Tensor&) { AUXBENCH_CHECK(false, "a method with an output scale"); }

at::Tensor& Quantizer::add_parameter(const std::string& name, at::Tensor value) {
  return parameters_[name] = value.set_requires_grad(true);
}

at::Tensor& Quantizer::add_state(const std::string& name, at::Tensor value) { return state_[name] = std::move(value); }

void Quantizer::fit_to_first() {
  fits_ = true;
  add_state(kFitted, at::zeros({}, at::kBool));
}

void SettingsReader::finish() const {
  for (const auto& [name, value] : settings_) {
    if (known_.contains(name)) continue;
    std::string all;
    for (const auto& known : known_) all += (all.empty() ? "" : ", ") + known;
    throw UserError(ExitCode::usage,
                    method_ + " has no setting " + name + ", " + (all.empty() ? "it has none" : "only " + all));
  }
}

int real_bits(int64_t levels) {
  int bits = 0;
  while ((int64_t{1} << bits) < levels) ++bits;
  return bits;
}

}  // namespace auxbench
