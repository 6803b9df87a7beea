// The fused passes against the same formulas as chains of torch operators, differentiated by autograd.
#include "quantizers/torch_formulas.h"

#include "base/torch_prelude.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

struct Outcome {
  at::Tensor values, dx;
  std::map<std::string, at::Tensor> parameters;
};

template <typename Function>
Outcome differentiate(const Function& function, const at::Tensor& x, const at::Tensor& g, Quantizer& quantizer) {
  auto input = x.clone().requires_grad_(true);
  for (auto& [name, parameter] : quantizer.parameters()) parameter.mutable_grad().reset();
  const auto values = function(input);
  values.backward(g);
  Outcome outcome = {.values = values.detach(), .dx = input.grad(), .parameters = {}};
  for (auto& [name, parameter] : quantizer.parameters())
    if (parameter.grad().defined()) outcome.parameters[name] = parameter.grad().clone();
  return outcome;
}

double furthest(const at::Tensor& a, const at::Tensor& b) { return (a - b).abs().max().item<double>(); }

}  // namespace

TEST_CASE("fused passes are the chains of operators, values and every gradient", "[quantizers]") {
  at::manual_seed(21);
  for (const auto& method : quantizer_methods()) {
    for (const auto role : {Role::weight, Role::activation}) {
      const int bits = torch_formula_bits(method.name);
      const auto quantizer = make_quantizer(method.name, role, bits);
      const auto chain = torch_formula(method.name, role, *quantizer);
      INFO(method.name << (role == Role::weight ? " weights" : " activations"));
      CHECK(static_cast<bool>(chain) == !method.post_training());
      if (!chain) continue;
      const auto x = at::randn({6, 5, 3, 3}, at::kDouble) * 0.7;
      const auto g = at::randn_like(x);
      quantizer->encode(x * 1.01);  // no element stands exactly on a bound
      const auto wanted = differentiate(chain, x, g, *quantizer);
      const auto fused = [&](const at::Tensor& input) { return quantizer->quantize(input, Phase::training); };
      const auto found = differentiate(fused, x, g, *quantizer);
      CHECK(furthest(found.values, wanted.values) < 1e-12);
      CHECK(furthest(found.dx, wanted.dx) < 1e-11);
      for (const auto& [name, gradient] : wanted.parameters) {
        INFO(name);
        REQUIRE(found.parameters.contains(name));
        CHECK(furthest(found.parameters.at(name), gradient) < 1e-10);
      }
    }
  }
}
