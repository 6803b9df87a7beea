// What holds for every method, role and width: the one list is walked.
#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include "base/error.h"
#include "quantizers/code_conv.h"
#include "tests/quantizers/probing.h"
#include "tests/support/catch.h"
#include "tests/support/near.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

// Calls body(method, role, bits, quantizer) with a new quantizer for everything the methods define.
template <typename Body>
void for_each_quantizer(const Body& body, int most_bits = 8) {
  for (const auto& method : quantizer_methods())
    for (const auto role : {Role::weight, Role::activation})
      for (int bits = 1; bits <= most_bits; ++bits) {
        if (!(role == Role::weight ? method.weight_bits : method.activation_bits).has(bits)) continue;
        INFO(method.name << ", " << (role == Role::weight ? "weights" : "activations") << ", " << bits << " bits");
        body(method.name, role, bits, *make_quantizer(method.name, role, bits));
      }
}

at::Tensor filters(at::ScalarType type) {
  at::manual_seed(3);
  return at::randn({6, 5, 3, 3}, type);
}

}  // namespace

TEST_CASE("codes are whole and bounded, and decode to the values", "[quantizers]") {
  for_each_quantizer([](const auto&, Role, int, Quantizer& quantizer) {
    const auto x = filters(at::kDouble);
    const auto coded = quantizer.encode(x);
    CHECK(coded.codes.equal(coded.codes.round()));
    CHECK(coded.codes.abs().max().item<double>() <= static_cast<double>(coded.range.largest()));
    if (coded.basis.defined()) return;
    auto scale = coded.scale.dim() == 0 ? coded.scale : coded.scale.view({-1, 1, 1, 1});
    auto wanted = coded.codes * scale;
    if (coded.offset.defined()) wanted = wanted + coded.offset;
    CHECK((decode(coded) - wanted).abs().max().item<double>() == 0);
  });
}

TEST_CASE("a quantizer returns as many values as it says", "[quantizers]") {
  // Parameters are fitted to the inner stretch; the outer one reaches the codes beyond it. It is not as long on both
  // sides: a range that is taken from it would end within a rounding of where the outermost code begins.
  const auto inner = at::linspace(-9, 9, 40001, at::kDouble);
  const auto x =
      at::cat({inner, at::linspace(-300, 300, 40001, at::kDouble), at::linspace(-3000, 3100, 2001, at::kDouble)});
  for_each_quantizer([&](const auto&, Role, int, Quantizer& quantizer) {
    quantizer.encode(inner);
    std::set<double> seen;
    for (const double code : numbers(quantizer.encode(x).codes)) seen.insert(code);
    CHECK(static_cast<int64_t>(seen.size()) == quantizer.levels());
  });
}

TEST_CASE("DoReFa's activations have the published numbers of levels", "[quantizers]") {
  const std::map<std::string, std::vector<int64_t>> levels = {
      {"dorefa", {2, 4, 8, 16}}, {"dorefa-relu6-official", {7, 19, 43, 91}}, {"dorefa-relu6-true", {2, 4, 8, 16}}};
  for (const auto& [method, wanted] : levels)
    for (int bits = 1; bits <= 4; ++bits)
      CHECK(make_quantizer(method, Role::activation, bits)->levels() == wanted[static_cast<size_t>(bits - 1)]);
  CHECK(real_bits(2) == 1);
  CHECK(real_bits(19) == 5);
  CHECK(real_bits(91) == 7);
}

TEST_CASE("quantizing twice is quantizing once, for uniform grids on their own scale", "[quantizers]") {
  for (const char* method : {"lsq", "lsq+", "pact", "clip-lsq", "dorefa"}) {
    for (int bits = 1; bits <= 8; ++bits) {
      const auto quantizer = make_quantizer(method, Role::activation, bits);
      const auto once = quantizer->quantize(at::linspace(-1, 3, 1001, at::kDouble));
      INFO(method << " " << bits);
      CHECK((quantizer->quantize(once) - once).abs().max().item<double>() < 1e-12);
    }
  }
}

TEST_CASE("a sample is quantized alike alone and in a batch", "[quantizers]") {
  const auto x = at::linspace(-1, 7, 600, at::kFloat).reshape({6, 100});
  for_each_quantizer([&](const auto&, Role role, int, Quantizer& quantizer) {
    if (role == Role::activation) CHECK(quantizer.quantize(x)[4].equal(quantizer.quantize(x[4].contiguous())));
  });
}

TEST_CASE("evaluation changes no state", "[quantizers]") {
  for_each_quantizer([&](const auto&, Role, int, Quantizer& quantizer) {
    const auto x = filters(at::kFloat);
    const auto first = quantizer.quantize(x);
    quantizer.quantize(x * 3);
    CHECK(quantizer.quantize(x).equal(first));
  });
}

TEST_CASE("layout does not change what a quantizer returns", "[quantizers]") {
  const auto x = filters(at::kFloat);
  const auto g = at::linspace(-1, 1, x.numel(), at::kFloat).reshape(x.sizes());
  for_each_quantizer(
      [&](const auto&, Role, int, Quantizer& quantizer) {
        const auto a = x.clone().requires_grad_(true);
        const auto b = x.contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true);
        const auto qa = quantizer.quantize(a), qb = quantizer.quantize(b);
        qa.backward(g);
        qb.backward(g);
        CHECK((qa - qb).abs().max().template item<double>() < 1e-6);
        CHECK(a.grad().allclose(b.grad(), 1e-5, 1e-6));
      },
      4);
}

TEST_CASE("empty, all-zero, all-negative and one-element tensors are defined", "[quantizers]") {
  for_each_quantizer([](const auto& name, Role role, int bits, Quantizer&) {
    const auto make = [&] { return make_quantizer(name, role, bits); };
    CHECK(make()->quantize(at::empty({0, 3}, at::kFloat), Phase::training).numel() == 0);
    for (const auto& x : {at::zeros({4, 2}), at::full({4, 2}, -0.3), at::full({1, 1}, 0.7), at::full({3, 1}, 0.7)}) {
      const auto input = x.clone().requires_grad_(true);
      const auto values = make()->quantize(input, Phase::training);
      values.sum().backward();
      CHECK(values.isfinite().all().template item<bool>());
      CHECK(input.grad().isfinite().all().template item<bool>());
    }
  });
}

TEST_CASE("a NaN in the input shows in the output", "[quantizers]") {
  for_each_quantizer([](const auto&, Role role, int, Quantizer& quantizer) {
    auto x = at::full({2, 3}, 0.5);
    quantizer.quantize(x);  // parameters are fitted to ordinary numbers
    x[1][1] = std::nan("");
    const auto values = quantizer.quantize(x);
    CHECK(values[1][1].isnan().template item<bool>());
    if (role == Role::activation) CHECK(values[0].isfinite().all().template item<bool>());
  });
}

TEST_CASE("parameter gradients of smooth paths agree with finite differences", "[quantizers]") {
  // The straight-through surrogate: values with rounding frozen are linear in scale and offset where codes do not move.
  const auto x = at::linspace(0.05, 2.9, 57, at::kDouble);
  const auto g = at::linspace(-1, 2, 57, at::kDouble);
  struct Case {
    const char* method;
    Role role;
    const char* parameter;
  };
  // Elements beyond the grid: there the value is the bound itself, and no rounding is straightened.
  for (const auto& test : {Case{"lsq", Role::activation, "step"}, Case{"lsq", Role::weight, "step"},
                           Case{"lsq+", Role::activation, "step"}, Case{"lsq+", Role::activation, "offset"},
                           Case{"clip-lsq", Role::activation, "clip"}, Case{"apot", Role::activation, "alpha"},
                           Case{"pact", Role::activation, "alpha"}}) {
    INFO(test.method << " " << test.parameter);
    const QuantizerSettings start = {{std::string(test.method) == "pact" || std::string(test.method) == "apot"
                                          ? "alpha"
                                          : (std::string(test.method) == "clip-lsq" ? "clip" : "step"),
                                      0.01}};
    auto settings = start;
    if (std::string(test.method).starts_with("lsq")) settings["gradient_scale"] = 1;
    const auto quantizer = make_quantizer(test.method, test.role, 2, settings);
    quantizer->quantize(x).backward(g);
    auto& parameter = quantizer->parameters().at(test.parameter);
    const double found = parameter.grad().item<double>();
    const at::NoGradGuard no_gradient;
    constexpr double kStep = 1e-5;
    parameter.add_(kStep);
    const auto above = quantizer->quantize(x);
    parameter.sub_(2 * kStep);
    const auto below = quantizer->quantize(x);
    CHECK(found == Approx(((above - below) * g).sum().item<double>() / (2 * kStep)).epsilon(1e-6));
  }
}

TEST_CASE("DoReFa's fitted clip is the one of least squared error, and 1 gives DoReFa itself", "[quantizers]") {
  at::manual_seed(11);
  const auto x = at::randn({4, 5, 6, 6}, at::kDouble).relu() * 3;
  const auto quantizer = make_quantizer("dorefa", Role::activation, 2, {{"range", 1}});
  const auto values = quantizer->quantize(x, Phase::training);
  const double c = quantizer->state().at("clip").item<double>();
  const auto error = [&](double clip) {
    return ((x / clip).clamp(0, 1).mul(3).round().mul(clip / 3) - x).square().sum().item<double>();
  };
  const double largest = x.max().item<double>();
  for (int i = 1; i <= 50; ++i) CHECK(error(c) <= error(largest * i / 50) * (1 + 1e-12));
  CHECK(error(c) < error(1));
  CHECK(values.allclose((x / c).clamp(0, 1).mul(3).round().mul(c / 3), 1e-12, 1e-12));
  // From the first tensor on it stays.
  quantizer->quantize(x * 7, Phase::training);
  CHECK(quantizer->state().at("clip").item<double>() == c);
  quantizer->state().at("clip").fill_(1);
  const auto unit = make_quantizer("dorefa", Role::activation, 2);
  CHECK(quantizer->quantize(x).equal(unit->quantize(x)));
  const auto gradient = [&](Quantizer& one) {
    auto leaf = x.clone().requires_grad_(true);
    one.quantize(leaf).sum().backward();
    return leaf.grad();
  };
  CHECK(gradient(*quantizer).equal(gradient(*unit)));
  const auto empty = make_quantizer("dorefa", Role::activation, 2, {{"range", 1}});
  empty->quantize(at::full({3}, -1.0, at::kDouble));
  CHECK(empty->state().at("clip").item<double>() == 1);
}

namespace {

using Point = std::vector<double>;

double clip01(double x) { return std::min(1.0, std::max(0.0, x)); }

// What straight-through gradients are the gradients of: each method's value with its rounding left out.
struct Surrogate {
  std::string method;
  Role role;
  QuantizerSettings settings;
  std::vector<std::string> learned;  // probe's names of the gradients, in the order of p
  Point p;                           // where they stand
  std::function<double(double x, const Point& p)> value;
};

std::vector<Surrogate> surrogates() {
  const auto interval = [](double size, const Point& p) { return clip01((size - (p[0] - p[1])) / (2 * p[1])); };
  const auto range = [](double x, const Point& p) { return clip01((x - p[0]) / (p[1] - p[0])); };
  return {
      {"qil", Role::activation, {{"centre", 0.9}, {"width", 0.7}}, {"centre_grad", "width_grad"}, {0.9, 0.7}, interval},
      {"qil",
       Role::weight,
       {{"centre", 0.8}, {"width", 0.65}, {"gamma", 1.4}},
       {"centre_grad", "width_grad", "gamma_grad"},
       {0.8, 0.65, 1.4},
       [=](double x, const Point& p) { return std::copysign(std::pow(interval(std::abs(x), p), p[2]), x); }},
      {"ewgs",
       Role::activation,
       {{"low", -0.15}, {"high", 1.45}, {"delta", 0}},
       {"low_grad", "high_grad"},
       {-0.15, 1.45},
       range},
      {"ewgs",
       Role::weight,
       {{"low", -1.15}, {"high", 1.35}, {"delta", 0}, {"scale", 0.8}},
       {"low_grad", "high_grad"},
       {-1.15, 1.35},
       [=](double x, const Point& p) { return 0.8 * (2 * range(x, p) - 1); }},
      {"n2uq",
       Role::activation,
       {{"start", 0.07},
        {"interval_0", 0.5},
        {"interval_1", 0.7},
        {"interval_2", 0.6},
        {"input_scale", 1.1},
        {"output_scale", 0.9}},
       {"curve_grad"},
       {0.07, 0.5, 0.7, 0.6, 1.1},
       [](double x, const Point& p) {
         double sum = 0, begin = p[0];
         for (size_t i = 1; i <= 3; ++i) {
           sum += 2.0 / 3 * clip01((x * p[4] - begin) / p[i]);
           begin += p[i];
         }
         return 0.9 * sum;
       }},
  };
}

}  // namespace

TEST_CASE("gradients of smooth paths are finite differences of the value without its rounding", "[quantizers]") {
  constexpr double kStep = 1e-6;
  for (const auto& one : surrogates()) {
    INFO(one.method << (one.role == Role::weight ? " weights" : " activations"));
    const auto found = probe(one.method, one.role, 2, one.settings);
    for (size_t i = 0; i < kX.size(); ++i) {
      const double slope = (one.value(kX[i] + kStep, one.p) - one.value(kX[i] - kStep, one.p)) / (2 * kStep);
      INFO("x = " << kX[i]);
      CHECK(found.at("input_grad")[i] == Approx(kG[i] * slope).margin(1e-7));
    }
    Point gradients;
    for (const auto& name : one.learned)
      gradients.insert(gradients.end(), found.at(name).begin(), found.at(name).end());
    for (size_t j = 0; j < one.p.size(); ++j) {
      auto above = one.p, below = one.p;
      above[j] += kStep;
      below[j] -= kStep;
      double wanted = 0;
      for (size_t i = 0; i < kX.size(); ++i)
        wanted += kG[i] * (one.value(kX[i], above) - one.value(kX[i], below)) / (2 * kStep);
      INFO("parameter " << j);
      CHECK(gradients.at(j) == Approx(wanted).margin(1e-7));
    }
  }
}

TEST_CASE("APoT's weight normalisation is differentiated", "[quantizers]") {
  at::manual_seed(5);
  auto w = at::randn({200}, at::kDouble).requires_grad_(true);
  const auto g = at::randn({200}, at::kDouble);
  const auto quantizer = make_quantizer("apot", Role::weight, 4, {{"alpha", 50}});  // nothing is clipped
  quantizer->quantize(w).backward(g);
  auto v = w.detach().clone().requires_grad_(true);
  ((v - v.mean()) / v.std()).backward(g);
  CHECK((w.grad() - v.grad()).abs().max().item<double>() < 1e-12);
}

TEST_CASE("the learned parameters take part in autograd through a chain of operators", "[quantizers]") {
  const auto quantizer = make_quantizer("lsq", Role::activation, 2, {{"step", 0.4}});
  const auto x = at::linspace(-1, 2, 11, at::kDouble).requires_grad_(true);
  (quantizer->quantize(x * 2) * 3).sum().backward();
  CHECK(x.grad().abs().sum().item<double>() > 0);
  CHECK(quantizer->parameters().at("step").grad().abs().item<double>() > 0);
}

TEST_CASE("an unknown method, width or setting is refused by name", "[quantizers]") {
  CHECK_THROWS_AS(make_quantizer("lsqq", Role::weight, 2), UserError);
  CHECK_THROWS_AS(make_quantizer("bireal", Role::weight, 2), UserError);
  CHECK_THROWS_AS(make_quantizer("lsq", Role::weight, 1), UserError);
  for_each_quantizer([](const auto& name, Role role, int bits, Quantizer&) {
    CHECK_THROWS_AS(make_quantizer(name, role, bits, {{"no_such_setting", 1}}), UserError);
  });
}

TEST_CASE("DoReFa without a gradient through the maximum", "[quantizers]") {
  const auto detached = probe("dorefa", Role::weight, 2, {{"detach_max", 1}});
  const double t = std::tanh(2.6);
  CHECK(detached.at("input_grad").back() == Approx((1 - t * t) / t * .1).epsilon(1e-12));
}

TEST_CASE("a convolution on codes is the convolution of the values, for every method", "[quantizers]") {
  at::manual_seed(7);
  const auto x = at::rand({2, 5, 6, 6}, at::kDouble) * 2 - 0.3;
  for (const auto& method : quantizer_methods()) {
    for (int bits = 1; bits <= 8; ++bits) {
      if (!method.weight_bits.has(bits) || !method.activation_bits.has(bits)) continue;
      INFO(method.name << " " << bits);
      const auto a = make_quantizer(method.name, Role::activation, bits);
      const auto w = make_quantizer(method.name, Role::weight, bits);
      auto xa = x.clone().requires_grad_(true), wa = filters(at::kDouble).requires_grad_(true);
      auto xb = x.clone().requires_grad_(true), wb = filters(at::kDouble).requires_grad_(true);
      const ConvGeometry geometry = {.stride = 2, .padding = 1};
      const auto on_codes = conv_on_codes(a->encode(xa), w->encode(wa), geometry);
      const auto on_values = at::conv2d(a->quantize(xb), w->quantize(wb), {}, 2, 1);
      CHECK((on_codes - on_values).abs().max().item<double>() < 1e-10);
      const auto g = at::randn_like(on_codes);
      on_codes.backward(g);
      on_values.backward(g);
      CHECK((xa.grad() - xb.grad()).abs().max().item<double>() < 1e-10);
      CHECK((wa.grad() - wb.grad()).abs().max().item<double>() < 1e-10);
    }
  }
}

TEST_CASE("sums of codes are exact in float32 however many there are", "[quantizers]") {
  // 8 bits over 4608 taps: a sum of up to 3e8, which float32 cannot hold.
  at::manual_seed(8);
  const auto codes_a = at::randint(0, 256, {1, 512, 5, 5}).to(at::kFloat);
  const auto codes_w = at::randint(-255, 256, {4, 512, 3, 3}).to(at::kFloat);
  const auto one = at::ones({}, at::kFloat);
  const auto y = conv_on_codes({.codes = codes_a, .scale = one, .range = {-255, 255}},
                               {.codes = codes_w, .scale = one, .range = {-255, 255}}, {.padding = 1});
  const auto exact = at::conv2d(codes_a.to(at::kDouble), codes_w.to(at::kDouble), {}, 1, 1);
  CHECK(y.equal(exact.to(at::kFloat)));
}

TEST_CASE("sums of binary digits are exact in float32, two at a time, over many channels and in groups",
          "[quantizers]") {
  at::manual_seed(10);
  for (const int64_t bits : {1, 2, 3, 4}) {
    for (const int64_t channels : {3, 100, 512}) {
      for (const int64_t groups : {1, channels % 4 == 0 ? 4 : 1}) {
        INFO(bits << " bits, " << channels << " channels in " << groups << " groups");
        const Codes a = {.codes = at::randint(0, 1 << bits, {1, channels, 5, 5}).to(at::kFloat),
                         .basis = at::rand({bits}) + 0.3,
                         .range = {0, (1 << bits) - 1}};
        const Codes w = {.codes = at::randint(0, 1 << bits, {8, channels / groups, 3, 3}).to(at::kFloat),
                         .basis = at::rand({8, bits}) + 0.3,
                         .signed_digits = true,
                         .range = {0, (1 << bits) - 1}};
        const ConvGeometry geometry = {.padding = 1, .groups = groups};
        // What an engine that counts bits computes: whole sums, then float32 in this order.
        at::Tensor wanted;
        const auto digit = [](const at::Tensor& codes, int64_t j) {
          return codes.to(at::kLong).div(1 << j, "floor").remainder(2);
        };
        for (int64_t j = 0; j < bits; ++j)
          for (int64_t i = 0; i < bits; ++i) {
            const auto sums = at::conv2d(digit(a.codes, i).to(at::kDouble), (digit(w.codes, j) * 2 - 1).to(at::kDouble),
                                         {}, 1, 1, 1, groups);
            const auto part = sums.to(at::kFloat) * (a.basis[i] * w.basis.select(1, j)).view({1, -1, 1, 1});
            wanted = wanted.defined() ? wanted + part : part;
          }
        CHECK(conv_on_codes(a, w, geometry).equal(wanted));
      }
    }
  }
}

TEST_CASE("images convolved on codes in a batch and alone give the same bits", "[quantizers]") {
  at::manual_seed(9);
  const auto x = at::rand({8, 5, 9, 9});
  for (const auto& method : quantizer_methods()) {
    const int bits = method.activation_bits.has(2) && method.weight_bits.has(2) ? 2 : 1;
    const auto a = make_quantizer(method.name, Role::activation, bits);
    const auto w = make_quantizer(method.name, Role::weight, bits);
    const auto weight = filters(at::kFloat);
    const auto whole = conv_on_codes(a->encode(x), w->encode(weight), {.padding = 1});
    const auto alone = conv_on_codes(a->encode(x.slice(0, 3, 4)), w->encode(weight), {.padding = 1});
    INFO(method.name);
    CHECK(whole.slice(0, 3, 4).equal(alone));
  }
}
