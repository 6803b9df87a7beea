// Oracle vectors: values, input gradients and parameter gradients of every method in float64, from an independent
// evaluation of the papers' formulas. Digits are as printed there: short ones are exact, long ones have six figures.
#include <cmath>

#include "tests/quantizers/probing.h"
#include "tests/support/catch.h"
#include "tests/support/near.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

constexpr double kExact = 1e-12, kSixFigures = 1e-6;
constexpr double kThird = 1.0 / 3;

struct Oracle {
  std::string title, method;
  Role role;
  int bits;
  QuantizerSettings settings;
  std::vector<double> values, gradient;  // empty: not given
  std::map<std::string, double> parameters;
  double tolerance = kExact;
};

const auto kWeight = Role::weight, kActivation = Role::activation;

const std::vector<Oracle> kOracles = {
    {"DoReFa W k2",
     "dorefa",
     kWeight,
     2,
     {},
     {-1, -1, -kThird, -kThird, kThird, kThird, kThird, kThird, 1, 1},
     {.037919, -.0984639, .448345, -.100857, .404438, -.598004, .173026, .422243, -.0780868, .00245729},
     {},
     kSixFigures},
    {"DoReFa W k1", "dorefa", kWeight, 1, {}, {-.817, -.817, -.817, -.817, .817, .817, .817, .817, .817, .817}, kG, {}},
    {"DoReFa A k2",
     "dorefa",
     kActivation,
     2,
     {},
     {0, 0, 0, 0, 0, 0, kThird, 2 * kThird, 1, 1},
     {0, 0, 0, 0, .4, -.6, .2, .7, 0, 0},
     {}},
    {"DoReFa A relu6-official k2",
     "dorefa-relu6-official",
     kActivation,
     2,
     {},
     {0, 0, 0, 0, 0, 0, kThird, 2 * kThird, 4 * kThird, 8 * kThird},
     {0, 0, 0, 0, 0, -.6, .2, .7, -.3, .1},
     {}},
    {"PACT k2 alpha 1",
     "pact",
     kActivation,
     2,
     {{"alpha", 1}},
     {0, 0, 0, 0, 0, 0, kThird, 2 * kThird, 1, 1},
     {0, 0, 0, 0, .4, -.6, .2, .7, 0, 0},
     {{"alpha", -.2}}},
    {"PACT-CG k2 alpha 1",
     "pact",
     kActivation,
     2,
     {{"alpha", 1}, {"residual", 1}},
     {},
     {},
     {{"alpha", -.199667}},
     kSixFigures},
    {"LSQ W k2",
     "lsq",
     kWeight,
     2,
     {{"step", .5}, {"gradient_scale", 1 / std::sqrt(10.0)}},
     {-1, -1, -.5, 0, 0, 0, .5, .5, .5, .5},
     {0, -.2, .5, -.1, .4, -.6, .2, 0, 0, 0},
     {{"step", -.0113842}},
     kSixFigures},
    {"LSQ A k2, its own gradient scale",
     "lsq",
     kActivation,
     2,
     {{"step", .4}},
     {0, 0, 0, 0, 0, 0, .4, .8, 1.2, 1.2},
     {0, 0, 0, 0, .4, -.6, .2, .7, 0, 0},
     {{"step", -.0607059}},
     kSixFigures},
    {"Monash W k2 c 1",
     "clip-lsq",
     kWeight,
     2,
     {{"normalise", 0}},
     {-1, -1, -kThird, -kThird, kThird, kThird, kThird, 1, 1, 1},
     {0, -.2, .5, -.1, .4, -.6, .2, .7, 0, 0},
     {{"clip", -.276333}},
     kSixFigures},
    {"FQN W k2",
     "fqn",
     kWeight,
     2,
     {},
     // lo -1.7, hi 2.6: s 4.3/3, z round(1.186) = 1; the range ends at -s and 2 s.
     {-4.3 / 3, -4.3 / 3, 0, 0, 0, 0, 0, 4.3 / 3, 4.3 / 3, 8.6 / 3},
     {0, -.2, .5, -.1, .4, -.6, .2, .7, -.3, .1},
     {}},
    {"FQN A k2, two of ten numbers cut off at each end",
     "fqn",
     kActivation,
     2,
     {{"gamma", .8}},
     // lo -.35, hi .75: s 1.1/3, z round(.9545) = 1; .75 lies beyond 2 s, -.35 within -s.
     {-1.1 / 3, -1.1 / 3, -1.1 / 3, 0, 0, 0, 1.1 / 3, 2.2 / 3, 2.2 / 3, 2.2 / 3},
     {0, 0, .5, -.1, .4, -.6, .2, 0, 0, 0},
     {}},
    {"LSQ+ A k2",
     "lsq+",
     kActivation,
     2,
     {{"step", .5}, {"offset", -.4}, {"gradient_scale", 1}},
     {-.4, -.4, -.4, .1, .1, .1, .6, .6, 1.1, 1.1},
     {0, 0, .5, -.1, .4, -.6, .2, .7, 0, 0},
     {{"step", -.706}, {"offset", -.1}}},
    {"QIL W k2",
     "qil",
     kWeight,
     2,
     {{"centre", .8}, {"width", .6}},
     {-1, -1, 0, 0, 0, 0, 0, 0, 1, 1},
     {0, -.166667, .416667, 0, 0, 0, .166667, .583333, -.25, 0},
     {{"centre", -.25}, {"width", .0277778}},
     kSixFigures},
    {"QIL W k3, gamma 1.5",
     "qil",
     kWeight,
     3,
     {{"centre", .8}, {"width", .7}, {"gamma", 1.5}},
     {-1, -kThird, 0, 0, 0, 0, 0, kThird, 2 * kThird, 1},
     {0, -.161985, .226381, 0, 0, -.0768361, .099195, .511039, -.297585, 0},
     {{"centre", -.171417}, {"width", .0624345}, {"gamma", -.142765}},
     kSixFigures},
    {"QIL A k2",
     "qil",
     kActivation,
     2,
     {{"centre", .9}, {"width", .8}},
     {0, 0, 0, 0, 0, 0, kThird, kThird, 2 * kThird, 1},
     {0, 0, 0, 0, 0, -.375, .125, .4375, -.1875, 0},
     {{"centre", 0}, {"width", -.111719}},
     kSixFigures},
    {"EWGS W, 4 levels",
     "ewgs",
     kWeight,
     2,
     {{"low", -1.2}, {"high", 1.2}, {"scale", 1}, {"delta", .2}},
     {-1, -1, -kThird, -kThird, kThird, kThird, kThird, kThird, 1, 1},
     {0, -.1625, .418403, -.0809028, .322222, -.511667, .166667, .600347, 0, 0},
     {{"low", -.184876}, {"high", -.567694}},
     kSixFigures},
    {"EWGS A",
     "ewgs",
     kActivation,
     2,
     {{"low", 0}, {"high", 1.5}, {"delta", .2}},
     {0, 0, 0, 0, 0, 0, kThird, 2 * kThird, 1, 1},
     {0, 0, 0, 0, .266667, -.3936, .131556, .451111, -.205333, 0},
     {{"low", -.199207}, {"high", -.0511935}},
     kSixFigures},
    {"APoT W k3 alpha 1.5",
     "apot",
     kWeight,
     3,
     {{"alpha", 1.5}, {"normalise", 0}},
     {-1.5, -.75, -.375, 0, 0, 0, .375, .75, 1.5, 1.5},
     {0, -.2, .5, -.1, .4, -.6, .2, .7, -.3, 0},
     {{"alpha", -.227}},
     kSixFigures},
    {"APoT A k3 alpha 2",
     "apot",
     kActivation,
     3,
     {{"alpha", 2}},
     {0, 0, 0, 0, 0, .2, .4, .8, 1.2, 2},
     {0, 0, 0, 0, .4, -.6, .2, .7, -.3, 0},
     {{"alpha", .1085}}},
    {"sign, STE |x| < 1",
     "xnor",
     kActivation,
     1,
     {},
     {-1, -1, -1, -1, 1, 1, 1, 1, 1, 1},
     {0, -.2, .5, -.1, .4, -.6, .2, .7, 0, 0},
     {}},
    {"sign, Bi-Real",
     "bireal",
     kActivation,
     1,
     {},
     {-1, -1, -1, -1, 1, 1, 1, 1, 1, 1},
     {0, -.04, .65, -.19, .8, -1.056, .24, .35, 0, 0},
     {}},
    {"Bi-Real W",
     "bireal",
     kWeight,
     1,
     {},
     {-.817, -.817, -.817, -.817, .817, .817, .817, .817, .817, .817},
     {0, -.2, .5, -.1, .4, -.6, .2, .7, 0, 0},
     {}},
    {"Group-Net W", "group-net", kWeight, 1, {}, {-1, -1, -1, -1, 1, 1, 1, 1, 1, 1}, kG, {}},
};

}  // namespace

TEST_CASE("every method gives the oracle's values, input gradient and parameter gradients", "[quantizers]") {
  for (const auto& oracle : kOracles) {
    INFO(oracle.title);
    const auto found = probe(oracle.method, oracle.role, oracle.bits, oracle.settings);
    if (!oracle.values.empty()) CHECK(difference(found.at("values"), oracle.values, kExact) == "");
    if (!oracle.gradient.empty()) CHECK(difference(found.at("input_grad"), oracle.gradient, oracle.tolerance) == "");
    for (const auto& [name, gradient] : oracle.parameters)
      CHECK(difference(found.at(name + "_grad"), {gradient}, oracle.tolerance) == "");
  }
}

TEST_CASE("SAWB's clip on the oracle's vector", "[quantizers]") {
  const std::map<int, double> alphas = {{2, 1.87268712}, {3, 2.93473094}, {4, 4.00643993}};
  for (const auto& [bits, alpha] : alphas)
    CHECK(difference(probe("sawb", Role::weight, bits).at("state.alpha"), {alpha}, 1e-8) == "");
  const auto found = probe("sawb", Role::weight, 2);
  const double top = found.at("state.alpha")[0], low = top / 3;
  CHECK(difference(found.at("values"), {-top, -low, -low, -low, low, low, low, low, top, top}, kExact) == "");
  CHECK(difference(found.at("input_grad"), kG, kExact) == "");
}

TEST_CASE("SAWB's clip on a large normal sample", "[quantizers]") {
  at::manual_seed(0);
  const auto sample = at::randn({1000000}, at::kDouble);
  const std::map<int, double> alphas = {{2, 1.473}, {3, 2.011}, {4, 2.469}};
  for (const auto& [bits, alpha] : alphas) {
    const auto quantizer = make_quantizer("sawb", Role::weight, bits);
    quantizer->encode(sample);
    CHECK(quantizer->state().at("alpha").item<double>() == Approx(alpha).margin(0.01));
  }
}

TEST_CASE("LSQ and LSQ+ fit their first step as their papers say", "[quantizers]") {
  CHECK(difference(probe("lsq", Role::weight, 2).at("step"), {1.634}, kExact) == "");
  CHECK(difference(probe("lsq", Role::activation, 2).at("step"), {.94339034}, 1e-8) == "");
  CHECK(difference(probe("lsq+", Role::weight, 2).at("step"), {1.87916442}, 1e-8) == "");
}

TEST_CASE("N2UQ gives the oracle's values and gradients", "[quantizers]") {
  const QuantizerSettings settings = {{"start", .1},      {"interval_0", .5},   {"interval_1", .7},
                                      {"interval_2", .6}, {"input_scale", 1.1}, {"output_scale", .9}};
  const auto found = probe("n2uq", Role::activation, 2, settings);
  CHECK(difference(found.at("values"), {0, 0, 0, 0, 0, 0, .6, .6, 1.2, 1.8}, 1e-7) == "");
  CHECK(difference(found.at("input_grad"), {0, 0, 0, 0, 0, -.792, .264, .66, -.33, 0}, 1e-6) == "");
  CHECK(difference(found.at("curve_grad"), {.18, -.41712, .107143, .065, .0696, .4}, 1e-6) == "");
}

TEST_CASE("LQ-Nets' activations: levels, thresholds and one step of QEM", "[quantizers]") {
  auto relu = kX;
  for (auto& x : relu) x = std::max(x, 0.0);
  const auto found = probe("lq-net", Role::activation, 2, {}, relu);
  const double v1 = 0.6745 * 2 / 3, v2 = 2 * v1;
  CHECK(difference(found.at("basis"), {v1, v2}, kExact) == "");
  CHECK(difference(found.at("values"), {0, 0, 0, 0, 0, 0, v1, v2, v1 + v2, v1 + v2}, kExact) == "");
  // The ridge of 1e-5 moves the least-squares solution (.72, 1.07) in the fifth digit.
  CHECK(difference(found.at("state.basis"), {.72, 1.07}, 1e-4) == "");
  const auto plain = probe("lq-net", Role::activation, 2, {{"plain_average", 1}}, relu);
  CHECK(difference(plain.at("state.basis"), {.9 * v1 + .072, .9 * v2 + .107}, 1e-5) == "");
}

TEST_CASE("LQ-Nets' weights: levels and one step of QEM", "[quantizers]") {
  const double v1 = .15082279, v2 = .30164557;
  const auto found = probe("lq-net", Role::weight, 2);
  CHECK(difference(found.at("basis"), {v1, v2}, 1e-8) == "");
  CHECK(difference(found.at("values"),
                   {-v1 - v2, -v1 - v2, -v1 - v2, v1 - v2, v1 - v2, v2 - v1, v1 + v2, v1 + v2, v1 + v2, v1 + v2},
                   1e-7) == "");
  CHECK(difference(found.at("input_grad"), kG, kExact) == "");
  CHECK(difference(found.at("state.basis"), {.54309199, .59976022}, 1e-8) == "");
  const auto plain = probe("lq-net", Role::weight, 2, {{"plain_average", 1}});
  CHECK(difference(plain.at("state.basis"), {.19004971, .33145704}, 1e-8) == "");
}

// The fixed point was computed apart from this program, by alternating over 200,000 quantiles of the half-normal.
TEST_CASE("QEM comes to rest at its fixed point: two bits on a half-normal", "[quantizers]") {
  at::manual_seed(1);
  const auto sample = at::randn({400000}, at::kDouble).abs();
  const auto quantizer = make_quantizer("lq-net", Role::activation, 2);
  for (int i = 0; i < 200; ++i) quantizer->encode(sample, Phase::training);
  CHECK(difference(numbers(quantizer->state().at("basis")), {.6522, 1.3000}, 5e-3) == "");
  CHECK((quantizer->quantize(sample) - sample).square().mean().item<double>() == Approx(.04659).margin(3e-4));
}

TEST_CASE("XNOR-Net's weights are centred, clamped and stored, and their gradient is the published code's",
          "[quantizers]") {
  at::manual_seed(2);
  auto w = at::randn({3, 4, 2, 2}, at::kDouble).requires_grad_(true);
  const auto before = w.detach().clone();
  const auto g = at::randn_like(w);
  const auto quantizer = make_quantizer("xnor", Role::weight, 1);
  quantizer->quantize(w, Phase::training).backward(g);
  const auto prepared = (before - before.mean(1, true)).clamp(-1, 1);
  CHECK(w.detach().equal(prepared));
  const auto alpha = prepared.abs().flatten(1).mean(1).view({3, 1, 1, 1});
  const auto slope = (alpha * prepared.abs().lt(1) + 1.0 / 16) * (1 - 1.0 / 4);
  CHECK((w.grad() - g * slope).abs().max().item<double>() < 1e-12);
  // Evaluation prepares the stored weights once more, and leaves them alone.
  const auto again = (prepared - prepared.mean(1, true)).clamp(-1, 1);
  const auto sign = at::where(again.ge(0), at::ones_like(again), -at::ones_like(again));
  const auto scale = again.abs().flatten(1).mean(1).view({3, 1, 1, 1});
  CHECK((quantizer->quantize(w.detach()) - scale * sign).abs().max().item<double>() < 1e-12);
  CHECK(w.detach().equal(prepared));
}
