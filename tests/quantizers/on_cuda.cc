// Every quantizer on a CUDA device against the CPU. Exit code 77, which Meson calls skipped, where there is no device.
//
// Codes are equal bit for bit once the parameters, fitted on the CPU, are the same. Gradients of elements to 1e-12,
// those of parameters, which are sums in another order, to 1e-10.
#include <algorithm>
#include <cstdio>
#include <string>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "quantizers/quantizer.h"
#include "runner/training/device.h"

using namespace auxbench;

namespace {

struct Pass {
  at::Tensor codes, gradient;
  std::map<std::string, at::Tensor> parameter_gradients;
};

Pass run(Quantizer& quantizer, const at::Tensor& input, const at::Tensor& gradient) {
  const auto x = input.clone().requires_grad_(true);
  const auto coded = quantizer.encode(x);
  decode(coded).backward(gradient);
  Pass pass = {coded.codes.detach().cpu(), x.grad().cpu(), {}};
  for (auto& [name, parameter] : quantizer.parameters()) {
    if (!parameter.grad().defined()) continue;
    pass.parameter_gradients[name] = parameter.grad().cpu().clone();
    parameter.mutable_grad().reset();
  }
  return pass;
}

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

int failures = 0;

void compare(const QuantizerMethod& method, Role role, int bits, at::ScalarType type, const c10::Device& device) {
  const auto x = at::randn({64, 33, 3, 3}, at::kDouble).mul_(2).to(type);
  const auto g = at::randn_like(x);
  const auto quantizer = make_quantizer(method.name, role, bits);
  const auto here = run(*quantizer, x, g);
  const auto there = run(*quantizer, x.to(device), g.to(device));
  const double codes = difference(here.codes, there.codes), gradient = difference(here.gradient, there.gradient);
  double parameters = 0;
  for (const auto& [name, found] : here.parameter_gradients)
    parameters = std::max(parameters, difference(found, there.parameter_gradients.at(name)) /
                                          std::max(1.0, found.abs().max().item<double>()));
  const bool in_double = type == at::kDouble;
  const bool passed = codes == 0 && gradient <= (in_double ? 1e-12 : 1e-5) && parameters <= (in_double ? 1e-10 : 1e-4);
  failures += passed ? 0 : 1;
  std::printf("%s %s, %s, %d bits, %s: codes differ by %g, gradients by %g, parameters' by %g\n",
              passed ? "pass" : "FAIL", method.name.c_str(), role == Role::weight ? "weights" : "activations", bits,
              toString(type), codes, gradient, parameters);
}

}  // namespace

int main() {
  c10::Device device{c10::kCPU};
  try {
    device = open_device("cuda");
  } catch (const UserError& error) {
    std::printf("skipped: %s\n", error.what());
    return 77;
  }
  at::manual_seed(0);
  for (const auto& method : quantizer_methods()) {
    for (int bits = 1; bits <= 8; ++bits) {
      if (method.weight_bits.has(bits)) compare(method, Role::weight, bits, at::kDouble, device);
      if (!method.activation_bits.has(bits)) continue;
      compare(method, Role::activation, bits, at::kDouble, device);
      compare(method, Role::activation, bits, at::kFloat, device);
    }
  }
  return failures == 0 ? 0 : 1;
}
