// Every quantizer on a CUDA device against the CPU. Exit code 77, which Meson calls skipped, where there is no device.
//
// float64: values equal bit for bit, gradients to 1e-12 (a device's tanh may differ in the last place). float32
// activations: both bit for bit, since no transcendental function is involved.
#include <cstdio>
#include <string>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "quantizers/quantizer.h"
#include "runner/device.h"

using namespace auxbench;

namespace {

struct Pass {
  at::Tensor values, gradient;
};

Pass run(const QuantizerMethod& method, Role role, int bits, const at::Tensor& input, const at::Tensor& gradient) {
  const auto x = input.clone().requires_grad_(true);
  const auto values = method.make(role, bits, {})->quantize(x);
  values.backward(gradient);
  return {values.detach().cpu(), x.grad().cpu()};
}

double difference(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

int failures = 0;

void compare(const QuantizerMethod& method, Role role, int bits, at::ScalarType type, const c10::Device& device) {
  const auto x = at::randn({64, 33, 3, 3}, at::kDouble).mul_(2).to(type);
  const auto g = at::randn_like(x);
  const auto here = run(method, role, bits, x, g);
  const auto there = run(method, role, bits, x.to(device), g.to(device));
  const double tolerance = role == Role::activation ? 0 : 1e-12;
  const double values = difference(here.values, there.values);
  const double gradient = difference(here.gradient, there.gradient);
  const bool passed = values == 0 && gradient <= tolerance;
  failures += passed ? 0 : 1;
  std::printf("%s %s, %s, %d bits, %s: values differ by %g, gradients by %g\n", passed ? "pass" : "FAIL",
              method.name.c_str(), role == Role::weight ? "weights" : "activations", bits, toString(type), values,
              gradient);
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
  for (const auto& method : quantizer_table()) {
    for (int bits = 1; bits <= method.max_bits; ++bits) {
      compare(method, Role::weight, bits, at::kDouble, device);
      compare(method, Role::activation, bits, at::kDouble, device);
      compare(method, Role::activation, bits, at::kFloat, device);
    }
  }
  return failures == 0 ? 0 : 1;
}
