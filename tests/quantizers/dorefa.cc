// Oracle vectors: quantizers' values and gradients in float64, from independent evaluation of the papers' formulas.
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/weights.h"
#include "quantizers/fused.h"
#include "quantizers/quantizer.h"
#include "runner/probes.h"
#include "tests/support/catch.h"
#include "tests/support/near.h"

using namespace auxbench;
using test::difference;

namespace {

const std::vector<double> kX = {-1.7, -.9, -.35, -.05, 0, .12, .4, .75, 1.3, 2.6};
const std::vector<double> kG = {.3, -.2, .5, -.1, .4, -.6, .2, .7, -.3, .1};

struct Probed {
  std::vector<double> values, input_grad, codes;
  double scale, offset;
};

std::vector<double> numbers(const SafeTensors& file, const std::string& name) {
  const auto tensor = from_safetensor(file.tensors.at(name), name).to(at::kDouble).contiguous();
  return {tensor.const_data_ptr<double>(), tensor.const_data_ptr<double>() + tensor.numel()};
}

Probed probe(const std::string& method, Role role, int bits, const QuantizerSettings& settings = {}) {
  SafeTensors in;
  store_tensors({{"input", at::tensor(kX, at::kDouble)}, {"grad", at::tensor(kG, at::kDouble)}}, in);
  const auto out = probe_quantizer(method, role, bits, settings, in);
  return {numbers(out, "values"), numbers(out, "input_grad"), numbers(out, "codes"), numbers(out, "scale")[0],
          numbers(out, "offset")[0]};
}

// DoReFa weights as the paper writes them, one number at a time, gradient in closed form.
struct Slow {
  std::vector<double> values, gradient;
};

Slow slow_weights(int bits) {
  const double n = std::pow(2.0, bits) - 1;
  size_t m = 0;
  for (size_t i = 0; i < kX.size(); ++i)
    if (std::abs(std::tanh(kX[i])) > std::abs(std::tanh(kX[m]))) m = i;
  const double top = std::tanh(kX[m]);
  const double largest = std::abs(top);
  Slow slow;
  double through_max = 0;
  for (size_t j = 0; j < kX.size(); ++j) through_max += kG[j] * std::tanh(kX[j]);
  for (size_t i = 0; i < kX.size(); ++i) {
    const double t = std::tanh(kX[i]);
    slow.values.push_back(2 * std::nearbyint(n * (t / (2 * largest) + 0.5)) / n - 1);
    double gradient = (1 - t * t) / largest * kG[i];
    if (i == m) gradient -= std::copysign(1.0, top) * (1 - top * top) / (largest * largest) * through_max;
    slow.gradient.push_back(gradient);
  }
  return slow;
}

}  // namespace

TEST_CASE("DoReFa weights at 2 bits give the oracle's values and gradient", "[quantizers]") {
  const double third = 1.0 / 3;
  const auto found = probe("dorefa", Role::weight, 2);
  CHECK(difference(found.values, {-1, -1, -third, -third, third, third, third, third, 1, 1}, 1e-12) == "");
  // The printed vector has six digits; the closed form below has all of them.
  CHECK(difference(found.input_grad,
                   {.037919, -.0984639, .448345, -.100857, .404438, -.598004, .173026, .422243, -.0780868, .00245729},
                   1e-6) == "");
}

TEST_CASE("DoReFa weights equal the closed form at every bit-width", "[quantizers]") {
  for (int bits = 2; bits <= 8; ++bits) {
    const auto found = probe("dorefa", Role::weight, bits);
    const auto slow = slow_weights(bits);
    CHECK(difference(found.values, slow.values, 1e-12) == "");
    CHECK(difference(found.input_grad, slow.gradient, 1e-12) == "");
  }
}

TEST_CASE("DoReFa at 1 bit keeps the sign and the mean magnitude, gradient unchanged", "[quantizers]") {
  for (const char* method : {"dorefa", "dorefa-relu6-true"}) {
    const auto found = probe(method, Role::weight, 1);
    CHECK(difference(found.values, {-.817, -.817, -.817, -.817, .817, .817, .817, .817, .817, .817}, 1e-12) == "");
    CHECK(difference(found.input_grad, kG, 1e-12) == "");
  }
}

TEST_CASE("the author's relu6 variant quantizes 1-bit weights like any other width", "[quantizers]") {
  const auto found = probe("dorefa-relu6-official", Role::weight, 1);
  CHECK(difference(found.values, slow_weights(1).values, 1e-12) == "");
}

TEST_CASE("DoReFa activations at 2 bits give the oracle's values and gradient", "[quantizers]") {
  const auto found = probe("dorefa", Role::activation, 2);
  CHECK(difference(found.values, {0, 0, 0, 0, 0, 0, 1.0 / 3, 2.0 / 3, 1, 1}, 1e-12) == "");
  CHECK(difference(found.input_grad, {0, 0, 0, 0, .4, -.6, .2, .7, 0, 0}, 1e-12) == "");
}

TEST_CASE("relu6 activations of the author's code keep a third as step up to six", "[quantizers]") {
  const auto found = probe("dorefa-relu6-official", Role::activation, 2);
  CHECK(difference(found.values, {0, 0, 0, 0, 0, 0, 1.0 / 3, 2.0 / 3, 4.0 / 3, 8.0 / 3}, 1e-12) == "");
  CHECK(difference(found.input_grad, {0, 0, 0, 0, 0, -.6, .2, .7, -.3, .1}, 1e-12) == "");
}

TEST_CASE("levels and real bits are those of the published table", "[quantizers]") {
  const std::map<std::string, std::vector<int64_t>> levels = {
      {"dorefa", {2, 4, 8, 16}}, {"dorefa-relu6-official", {7, 19, 43, 91}}, {"dorefa-relu6-true", {2, 4, 8, 16}}};
  for (const auto& [method, wanted] : levels)
    for (int bits = 1; bits <= 4; ++bits)
      CHECK(find_quantizer(method)->make(Role::activation, bits, {})->levels() ==
            wanted[static_cast<size_t>(bits - 1)]);
  CHECK(real_bits(2) == 1);
  CHECK(real_bits(7) == 3);
  CHECK(real_bits(19) == 5);
  CHECK(real_bits(43) == 6);
  CHECK(real_bits(91) == 7);
}

TEST_CASE("every quantizer, role and bit-width: codes are whole, few, and give the values back", "[quantizers]") {
  const auto x = at::linspace(-9, 9, 40001, at::kDouble);
  for (const auto& method : quantizer_table()) {
    for (const auto role : {Role::weight, Role::activation}) {
      for (int bits = 1; bits <= method.max_bits; ++bits) {
        INFO(method.name << " " << bits << " bits, role " << static_cast<int>(role));
        const auto quantizer = method.make(role, bits, {});
        const auto values = quantizer->quantize(x);
        const auto codes = quantizer->integer_codes(x);
        CHECK(codes.codes.equal(codes.codes.round()));
        CHECK((codes.codes * codes.scale + codes.offset - values).abs().max().item<double>() < 1e-12);
        std::set<double> seen;
        for (int64_t i = 0; i < values.numel(); ++i) seen.insert(values[i].item<double>());
        CHECK(static_cast<int64_t>(seen.size()) == quantizer->levels());
      }
    }
  }
}

TEST_CASE("a sample is quantized alike alone and in a batch", "[quantizers]") {
  const auto x = at::linspace(-1, 7, 600, at::kFloat).reshape({6, 100});
  for (const auto& method : quantizer_table()) {
    const auto quantizer = method.make(Role::activation, 2, {});
    CHECK(quantizer->quantize(x)[4].equal(quantizer->quantize(x[4].contiguous())));
  }
}

TEST_CASE("float32 equals the torch formula bit for bit where nothing is transcendental", "[quantizers]") {
  const auto x = at::linspace(-1, 2, 70001, at::kFloat);
  for (int bits = 1; bits <= 8; ++bits) {
    const double n = std::pow(2.0, bits) - 1;
    const auto wanted = at::round(x.clamp(0, 1) * n) / n;
    CHECK(find_quantizer("dorefa")->make(Role::activation, bits, {})->quantize(x).equal(wanted));
  }
}

TEST_CASE("empty and all-zero tensors are defined", "[quantizers]") {
  for (const auto& method : quantizer_table()) {
    for (const auto role : {Role::weight, Role::activation}) {
      for (const int bits : {1, 2}) {
        const auto quantizer = method.make(role, bits, {});
        CHECK(quantizer->quantize(at::empty({0, 3}, at::kFloat)).numel() == 0);
        auto zeros = at::zeros({4, 2}, at::kFloat).requires_grad_(true);
        const auto values = quantizer->quantize(zeros);
        values.sum().backward();
        CHECK(values.isfinite().all().item<bool>());
        CHECK(zeros.grad().isfinite().all().item<bool>());
      }
    }
  }
}

TEST_CASE("layout does not change what a quantizer returns", "[quantizers]") {
  auto x = at::linspace(-2, 2, 2 * 3 * 4 * 5, at::kFloat).reshape({2, 3, 4, 5});
  const auto other = x.contiguous(at::MemoryFormat::ChannelsLast);
  for (const auto& method : quantizer_table())
    for (const auto role : {Role::weight, Role::activation}) {
      const auto a = x.detach().clone().requires_grad_(true);
      const auto b = other.detach().clone(at::MemoryFormat::Preserve).requires_grad_(true);
      const auto g = at::linspace(-1, 1, x.numel(), at::kFloat).reshape(x.sizes());
      const auto quantizer = method.make(role, 3, {});
      const auto qa = quantizer->quantize(a), qb = quantizer->quantize(b);
      qa.backward(g);
      qb.backward(g);
      CHECK(qa.equal(qb));
      CHECK(a.grad().allclose(b.grad(), 1e-6, 1e-7));
    }
}

TEST_CASE("an unknown setting is refused by name", "[quantizers]") {
  CHECK_THROWS_AS(probe("dorefa", Role::weight, 2, {{"alpha", 1}}), UserError);
  const auto detached = probe("dorefa", Role::weight, 2, {{"detach_max", 1}});
  const double t = std::tanh(2.6);
  CHECK(detached.input_grad.back() == Approx((1 - t * t) / t * .1).epsilon(1e-12));
}
