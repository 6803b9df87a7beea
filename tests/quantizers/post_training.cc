// Post-training ranges against what they are by definition, and AdaRound's formulas at numbers of the paper.
#include <algorithm>
#include <cmath>

#include "quantizers/adaround.h"
#include "tests/quantizers/probing.h"
#include "tests/support/catch.h"
#include "tests/support/near.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

double mean_loss(const std::vector<double>& x, double low, double high, double power) {
  const double scale = (high - low) / 15, zero = std::nearbyint(-low / scale);
  double sum = 0;
  for (const double value : x) {
    const double code = std::clamp(std::nearbyint((value + zero * scale) / scale), 0.0, 15.0);
    sum += std::pow(std::abs(value - (code - zero) * scale), power);
  }
  return sum / static_cast<double>(x.size());
}

std::vector<double> skewed_sample() {
  std::vector<double> x;
  for (int i = 1; i <= 400; ++i) x.push_back(std::pow(i / 100.0, 3) - 2);
  return x;
}

}  // namespace

TEST_CASE("min-max activations: affine, with zero on the grid", "[quantizers]") {
  const auto found = probe("min-max", Role::activation, 2);
  // Range -1.7 .. 2.6, scale 4.3/3, zero at round(1.186) = 1.
  const double scale = 4.3 / 3;
  CHECK(difference(found.at("scale"), {scale}, 1e-12) == "");
  CHECK(difference(found.at("offset"), {-scale}, 1e-12) == "");
  CHECK(difference(found.at("codes"), {0, 0, 1, 1, 1, 1, 1, 2, 2, 3}, 1e-12) == "");
  CHECK(found.at("values")[4] == 0);
  CHECK(difference(found.at("input_grad"), {0, -.2, .5, -.1, .4, -.6, .2, .7, -.3, .1}, 1e-12) == "");
}

TEST_CASE("behind a ReLU there is no offset", "[quantizers]") {
  const auto quantizer = make_quantizer("min-max", Role::activation, 4);
  CHECK_FALSE(quantizer->encode(at::linspace(0.2, 3, 50)).offset.defined());
  quantizer->observe(at::linspace(-1, 0.5, 50));
  CHECK(quantizer->encode(at::linspace(-1, 3, 50)).offset.defined());
}

TEST_CASE("min-max weights: symmetric, each channel on its own scale", "[quantizers]") {
  const auto w = at::tensor({-3.0, 0.4, 1.5, 0.1, 0.2, -0.05}, at::kDouble).reshape({2, 3});
  const auto quantizer = make_quantizer("min-max", Role::weight, 3);
  const auto coded = quantizer->encode(w);
  CHECK(difference(numbers(coded.scale), {3 / 3.5, .2 / 3.5}, 1e-12) == "");
  CHECK(difference(numbers(coded.codes), {-4, 0, 2, 2, 3, -1}, 1e-12) == "");
  const auto together = make_quantizer("min-max", Role::weight, 3, {{"per_channel", 0}})->encode(w);
  CHECK(difference(numbers(together.scale), {3 / 3.5}, 1e-12) == "");
}

TEST_CASE("min-max widens with each batch, or follows them slowly", "[quantizers]") {
  const auto widening = make_quantizer("min-max", Role::activation, 8);
  const auto moving = make_quantizer("min-max", Role::activation, 8, {{"average", 0.9}});
  for (auto* quantizer : {widening.get(), moving.get()})
    for (const double top : {1.0, 3.0, 2.0}) quantizer->observe(at::linspace(0, top, 20, at::kDouble));
  CHECK(difference(numbers(widening->state().at("high")), {3}, 1e-12) == "");
  CHECK(difference(numbers(moving->state().at("high")), {.9 * (.9 * 1 + .1 * 3) + .1 * 2}, 1e-12) == "");
}

TEST_CASE("a percentile is an order statistic of the magnitudes", "[quantizers]") {
  const auto x = at::arange(-300, 701, at::kDouble);  // 1001 numbers
  const auto quantizer = make_quantizer("percentile", Role::activation, 8, {{"p", 0.9}});
  quantizer->observe(x);
  // |x|: 0 once, 1 .. 300 twice, 301 .. 700 once; the 901st smallest is 600.
  CHECK(difference(numbers(quantizer->state().at("high")), {600}, 1e-12) == "");
  CHECK(difference(numbers(quantizer->state().at("low")), {-300}, 1e-12) == "");
  const auto all = make_quantizer("percentile", Role::activation, 8, {{"p", 1}});
  all->observe(x);
  CHECK(difference(numbers(all->state().at("high")), {700}, 1e-12) == "");
}

TEST_CASE("MSE takes the best of its 95 ranges", "[quantizers]") {
  const auto sample = skewed_sample();
  const double low = *std::min_element(sample.begin(), sample.end());
  const double high = *std::max_element(sample.begin(), sample.end());
  for (const double power : {2.0, 2.4}) {
    double best = 1, least = mean_loss(sample, low, high, power);
    for (int i = 1; i < 95; ++i) {
      const double factor = 1 - 0.01 * i, loss = mean_loss(sample, low * factor, high * factor, power);
      if (loss < least) std::tie(best, least) = std::pair(factor, loss);
    }
    CHECK(best < 1);
    const auto quantizer = make_quantizer("mse", Role::activation, 4, {{"power", power}});
    quantizer->observe(at::tensor(sample, at::kDouble));
    CHECK(difference(numbers(quantizer->state().at("low")), {low * best}, 1e-12) == "");
    CHECK(difference(numbers(quantizer->state().at("high")), {high * best}, 1e-12) == "");
  }
}

TEST_CASE("MSE searches each channel of a weight alone", "[quantizers]") {
  at::manual_seed(2);
  const auto w = at::randn({5, 40}, at::kDouble) * at::tensor({1., 10., .1, 3., .01}).to(at::kDouble).unsqueeze(1);
  const auto together = make_quantizer("mse", Role::weight, 3);
  together->observe(w);
  for (int64_t i = 0; i < 5; ++i) {
    const auto alone = make_quantizer("mse", Role::weight, 3);
    // Two equal rows: a single one would count as a tensor, which has more candidates.
    alone->observe(at::cat({w.slice(0, i, i + 1), w.slice(0, i, i + 1)}));
    CHECK(alone->state().at("high")[0].item<double>() == together->state().at("high")[i].item<double>());
  }
}

TEST_CASE("AdaRound starts at the weights, ends at one of their neighbours", "[quantizers]") {
  const auto w = at::tensor({0.3, -1.9, 1.7, -1.25, 0.75, 0.5}, at::kDouble).reshape({2, 3});
  const auto quantizer = make_quantizer("min-max", Role::weight, 4);
  LearnedRounding rounding(w, *quantizer);
  CHECK((rounding.soft() - w).abs().max().item<double>() < 1e-12);
  const auto scale = quantizer->encode(w).scale.unsqueeze(1);
  CHECK(rounding.hard().equal(w.div(scale).add(0.5).floor().clamp(-8, 7) * scale));
  // The fraction .3 starts at a = -ln 2.
  const auto v = w / scale;
  const auto fraction = v - v.floor();
  const auto expected = -((1.2 / (fraction + 0.1) - 1).log());
  CHECK((rounding.alpha() - expected).abs().max().item<double>() < 1e-12);
  CHECK(-std::log(1.2 / (.3 + .1) - 1) == Approx(-0.693147181).epsilon(1e-8));
  {
    const at::NoGradGuard no_gradient;
    rounding.alpha().fill_(-9);
  }
  CHECK(rounding.hard().equal(w.div(scale).floor().clamp(-8, 7) * scale));
  CHECK(rounding.regularizer(2).item<double>() == 0);
}

TEST_CASE("AdaRound's regulariser is 1 where it is undecided, and its gradient pushes to a side", "[quantizers]") {
  const auto w = at::tensor({2.0, 1.0 / 3.5, 0.0, -2.0}, at::kDouble).reshape({1, 4});
  LearnedRounding rounding(w, *make_quantizer("min-max", Role::weight, 3));
  {
    const at::NoGradGuard no_gradient;
    rounding.alpha().zero_();  // h = 0.5
  }
  CHECK(rounding.regularizer(20).item<double>() == Approx(4));
  {
    const at::NoGradGuard no_gradient;
    rounding.alpha().fill_(0.5);
  }
  rounding.regularizer(2).backward();
  CHECK((rounding.alpha().grad() < 0).all().item<bool>());  // descent raises alpha: up
}
