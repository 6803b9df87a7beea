// FQN's calibration and the codes of its weights; values and gradients are in oracle.cc.
#include "tests/quantizers/probing.h"
#include "tests/support/catch.h"
#include "tests/support/near.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

double low_of(Quantizer& quantizer) { return quantizer.state().at("low").item<double>(); }
double high_of(Quantizer& quantizer) { return quantizer.state().at("high").item<double>(); }

// 0 .. 999 times a number, shuffled by a stride that has no factor in common with 1000.
at::Tensor batch(double scale) { return at::arange(1000).mul(7).remainder(1000).to(at::kDouble).mul(scale); }

}  // namespace

TEST_CASE("FQN's range is the mean of the first batches' percentiles and then stays", "[quantizers]") {
  const auto quantizer = make_quantizer("fqn", Role::activation, 4, {{"batches", 3}});
  // Of 0 .. 999 the 999th smallest is 998, the 999th largest is 1; below that the range reaches zero.
  for (const double scale : {1.0, 2.0, 6.0}) quantizer->quantize(batch(scale), Phase::training);
  CHECK(high_of(*quantizer) == Approx(998 * 3.0).epsilon(1e-12));
  CHECK(low_of(*quantizer) == 0);
  for (const double scale : {100.0, 0.01}) quantizer->quantize(batch(scale), Phase::training);
  quantizer->observe(batch(50));
  CHECK(high_of(*quantizer) == Approx(998 * 3.0).epsilon(1e-12));
}

TEST_CASE("FQN cuts both tails", "[quantizers]") {
  const auto quantizer = make_quantizer("fqn", Role::activation, 8, {{"gamma", 0.9}});
  quantizer->quantize(batch(1) - 400, Phase::training);  // -400 .. 599
  CHECK(low_of(*quantizer) == -300);                     // the 900th largest
  CHECK(high_of(*quantizer) == 499);                     // the 900th smallest
  const auto coded = quantizer->encode(at::zeros({1}, at::kDouble));
  CHECK(decode(coded).item<double>() == 0);
  CHECK(coded.offset.defined());
}

TEST_CASE("FQN is not calibrated by evaluation, and counts from its state", "[quantizers]") {
  const auto quantizer = make_quantizer("fqn", Role::activation, 4, {{"batches", 2}});
  quantizer->quantize(batch(9));  // stands in until training begins
  CHECK(high_of(*quantizer) == 998 * 9);
  quantizer->quantize(batch(5));
  CHECK(high_of(*quantizer) == 998 * 9);
  quantizer->quantize(batch(2), Phase::training);
  CHECK(high_of(*quantizer) == 998 * 2);
  const auto resumed = make_quantizer("fqn", Role::activation, 4, {{"batches", 2}});
  resumed->encode(batch(1));
  for (auto& [name, tensor] : resumed->state()) tensor.copy_(quantizer->state().at(name));
  for (auto* one : {quantizer.get(), resumed.get()})
    for (const double scale : {4.0, 8.0}) one->quantize(batch(scale), Phase::training);
  CHECK(high_of(*quantizer) == 998 * 3);
  CHECK(high_of(*resumed) == 998 * 3);
}

TEST_CASE("FQN's weights: each channel's range at this step, its zero point in its codes", "[quantizers]") {
  const auto quantizer = make_quantizer("fqn", Role::weight, 2);
  const auto w = at::tensor({-1.0, 0.0, 2.0, 0.3, 0.6, 0.9, -0.4, -0.1, -0.25}, at::kDouble).reshape({3, 3});
  const auto coded = quantizer->encode(w);
  // Ranges -1 .. 2, 0 .. 0.9, -0.4 .. 0: zero is level 1, 0 and 3 of 0 .. 3.
  CHECK(difference(numbers(coded.scale), {1, .3, .4 / 3}, 1e-12) == "");
  CHECK(difference(numbers(coded.codes), {-1, 0, 2, 1, 2, 3, -3, -1, -2}, 1e-12) == "");
  CHECK_FALSE(coded.offset.defined());
  CHECK(coded.range.first == -3);
  CHECK(coded.range.last == 3);
  CHECK(quantizer->levels() == 4);
  CHECK(difference(numbers(quantizer->encode(w * 10).scale), {10, 3, 4.0 / 3}, 1e-12) == "");
  const auto together = make_quantizer("fqn", Role::weight, 2, {{"per_channel", 0}})->encode(w);
  CHECK(difference(numbers(together.scale), {1}, 1e-12) == "");
}
