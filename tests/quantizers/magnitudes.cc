// Weights and activations of every magnitude that a type holds: what a layer's weights decay to or explode into.
#include <cmath>

#include "quantizers/torch_formulas.h"
#include "tests/quantizers/probing.h"
#include "tests/support/catch.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

// By powers of two: exact in either type, the last ones below its normal numbers.
const std::vector<int> kExponents = {-149, -140, -127, -110, -90, -75, -61, -60, -40, -20, 20, 40, 60, 80, 100, 124};

at::Tensor weights(at::ScalarType type) {
  at::manual_seed(31);
  return at::randn({6, 5, 3, 3}, at::kDouble).mul_(0.5).to(type);
}

at::Tensor at_magnitude(int exponent, at::ScalarType type) {
  return weights(at::kDouble).mul(std::ldexp(1.0, exponent)).to(type);
}

struct Pass {
  at::Tensor values, dx;
};

template <typename Function>
Pass pass(const Function& function, const at::Tensor& x) {
  auto input = x.clone().requires_grad_(true);
  const auto values = function(input);
  at::manual_seed(32);
  values.backward(at::randn(values.sizes(), at::kDouble).to(values.scalar_type()));
  return {.values = values.detach(), .dx = input.grad()};
}

bool finite(const at::Tensor& tensor) { return tensor.isfinite().all().item<bool>(); }

}  // namespace

TEST_CASE("values and gradients are numbers at every magnitude at which PyTorch's are", "[quantizers]") {
  // Post-training methods have no chain of operators to look at: what they square is finite up to here in float32.
  constexpr int kLargestSquared = 60;
  for (const auto type : {at::kFloat, at::kDouble})
    for (const auto& method : quantizer_methods())
      for (const auto role : {Role::weight, Role::activation})
        for (const int exponent : kExponents) {
          INFO(method.name << (role == Role::weight ? " weights" : " activations") << " at 2^" << exponent << " in "
                           << (type == at::kFloat ? "float32" : "float64"));
          const auto x = at_magnitude(exponent, type);
          const auto quantizer = make_quantizer(method.name, role, torch_formula_bits(method.name));
          quantizer->encode(x);  // fitted
          const auto chain = torch_formula(method.name, role, *quantizer);
          const auto wanted = chain ? pass(chain, x) : Pass{};
          if (chain ? !finite(wanted.values) || !finite(wanted.dx) : exponent > kLargestSquared) continue;
          const auto found = pass([&](const at::Tensor& w) { return quantizer->quantize(w, Phase::training); }, x);
          CHECK(finite(found.values));
          CHECK(finite(found.dx));
        }
}

TEST_CASE("DoReFa's weights have PyTorch's values and gradients however small they are", "[quantizers]") {
  for (const auto type : {at::kFloat, at::kDouble})
    for (const char* method : {"dorefa", "dorefa-relu6-official", "pact"}) {
      const auto quantizer = make_quantizer(method, Role::weight, 2);
      const auto chain = torch_formula(method, Role::weight, *quantizer);
      for (const int exponent : {-120, -110, -76, -75, -63, -61, -60, -59, -40, -20, 0}) {
        INFO(method << " at 2^" << exponent << " in " << (type == at::kFloat ? "float32" : "float64"));
        const auto x = at_magnitude(exponent, type);
        const auto wanted = pass(chain, x);
        const auto found = pass([&](const at::Tensor& w) { return quantizer->quantize(w, Phase::training); }, x);
        REQUIRE(finite(wanted.dx));
        const double tolerance = type == at::kFloat ? 1e-5 : 1e-12;
        CHECK((found.values - wanted.values).abs().max().item<double>() < tolerance);
        CHECK(((found.dx - wanted.dx).abs().max() / wanted.dx.abs().max()).item<double>() < tolerance);
      }
    }
}

TEST_CASE("in float64 DoReFa's weights are the same down to the smallest number", "[quantizers]") {
  const auto quantizer = make_quantizer("dorefa", Role::weight, 2);
  const auto usual = pass([&](const at::Tensor& w) { return quantizer->quantize(w); }, at_magnitude(-60, at::kDouble));
  for (const int exponent : {-500, -900, -1010}) {
    INFO("2^" << exponent);
    const auto found =
        pass([&](const at::Tensor& w) { return quantizer->quantize(w); }, at_magnitude(exponent, at::kDouble));
    CHECK((found.values - usual.values).abs().max().item<double>() < 1e-12);
    const auto scaled = found.dx * std::ldexp(1.0, exponent + 60);
    CHECK(((scaled - usual.dx).abs().max() / usual.dx.abs().max()).item<double>() < 1e-12);
  }
}

TEST_CASE("the probe's values are scale * codes + offset to the last digit, for every method in both roles",
          "[quantizers]") {
  for (const auto& shape : {std::vector<int64_t>{6, 5, 3, 3}, {7, 4}, {10}})
    for (const auto& method : quantizer_methods())
      for (const auto role : {Role::weight, Role::activation})
        for (int bits = 1; bits <= 8; ++bits) {
          if (!(role == Role::weight ? method.weight_bits : method.activation_bits).has(bits)) continue;
          INFO(method.name << (role == Role::weight ? " weights, " : " activations, ") << bits << " bits, rank "
                           << shape.size());
          at::manual_seed(33);
          SafeTensors in;
          store_tensors({{"input", at::randn(shape, at::kDouble)}, {"grad", at::randn(shape, at::kDouble)}}, in);
          const auto out = probe_quantizer(method.name, role, bits, {}, in);
          const auto number = [&](const char* name) { return from_safetensor(out.tensors.at(name), name); };
          if (out.tensors.contains("basis")) {
            const auto basis = number("basis");
            const auto codes = number("codes").to(at::kLong);
            auto values = at::zeros(shape, at::kDouble);
            for (int64_t j = 0; j < basis.size(-1); ++j) {
              const auto digit = codes.div(int64_t{1} << j, "floor").remainder(2).to(at::kDouble);
              auto factor = basis.select(-1, j);
              if (factor.dim() == 1)
                factor = factor.view([&] {
                  std::vector<int64_t> sizes(shape.size(), 1);
                  sizes[0] = factor.size(0);
                  return sizes;
                }());
              values = values + factor * (role == Role::weight ? digit * 2 - 1 : digit);
            }
            CHECK((values - number("values")).abs().max().item<double>() < 1e-15);
          } else {
            CHECK((number("scale") * number("codes") + number("offset")).equal(number("values")));
          }
          if (method.name == "ewgs" && role == Role::weight) {
            CHECK(out.tensors.contains("learned.scale"));
            CHECK(out.tensors.contains("scale_grad"));
          }
        }
}
