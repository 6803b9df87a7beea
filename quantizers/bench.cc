// Each method's forward and backward pass against the same formula as a chain of torch operators: same tensors, same
// threads, in turn in one run. Prints a Markdown table of medians and their ratio.
//
//   bench-quantizers [ROUNDS]        11 unless told; a build's test runs 1
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/memory.h"
#include "base/quantile.h"
#include "base/stopwatch.h"
#include "base/torch_prelude.h"
#include "quantizers/torch_formulas.h"

namespace {

using namespace auxbench;

// Inputs of a middle layer at batch 128, weights of a wide 3x3 convolution.
at::Tensor sample(Role role) {
  at::manual_seed(1);
  return role == Role::weight ? at::randn({512, 512, 3, 3}) * 0.05 : at::randn({128, 64, 28, 28});
}

template <typename Function>
double seconds_of(const Function& function, at::Tensor& x, const at::Tensor& g, Quantizer& quantizer) {
  x.mutable_grad().reset();
  for (auto& [name, parameter] : quantizer.parameters()) parameter.mutable_grad().reset();
  const Stopwatch watch;
  function(x).backward(g);
  return watch.seconds();
}

void compare(const QuantizerMethod& method, Role role, int rounds) {
  const int bits = torch_formula_bits(method.name);
  const auto quantizer = make_quantizer(method.name, role, bits);
  const auto chain = torch_formula(method.name, role, *quantizer);
  if (!chain) return;
  auto x = sample(role);
  const auto g = at::randn_like(x);
  quantizer->encode(x, Phase::training);
  x.requires_grad_(true);
  const auto fused = [&](const at::Tensor& input) { return quantizer->quantize(input, Phase::training); };
  std::vector<double> ours, theirs, ratios;
  for (int round = -1; round < rounds; ++round) {
    // Whoever goes first finds colder caches: they take turns.
    const bool first = round % 2 == 0;
    const double early = first ? seconds_of(fused, x, g, *quantizer) : seconds_of(chain, x, g, *quantizer);
    const double late = first ? seconds_of(chain, x, g, *quantizer) : seconds_of(fused, x, g, *quantizer);
    if (round < 0) continue;
    ours.push_back(first ? early : late);
    theirs.push_back(first ? late : early);
    ratios.push_back(theirs.back() / ours.back());
  }
  std::printf("| %s | %s | %d | %.2f | %.2f | %.1f (%.1f .. %.1f) |\n", method.name.c_str(),
              role == Role::weight ? "weights" : "activations", bits, 1e3 * quantile(ours, 0.5),
              1e3 * quantile(theirs, 0.5), quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75));
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();  // as the program does
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 11;
  std::printf("%d threads; activations [128, 64, 28, 28], weights [512, 512, 3, 3], float32; medians of %d rounds\n\n",
              at::get_num_threads(), rounds);
  std::printf(
      "| method | of | bits | fused, ms | torch operators, ms | times as fast (quartiles) "
      "|\n|---|---|---|---|---|---|\n");
  for (const auto role : {Role::activation, Role::weight})
    for (const auto& method : quantizer_methods()) compare(method, role, rounds);
  return 0;
}
