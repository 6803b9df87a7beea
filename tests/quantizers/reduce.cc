// Statistics over several processes: two threads stand for two of them, each with half of a batch.
#include "quantizers/reduce.h"

#include <array>
#include <barrier>
#include <thread>

#include "base/torch_prelude.h"
#include "quantizers/quantized_layers.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

// What both threads bring is put together in the order of their ranks.
class TwoRanks final : public Reduce {
 public:
  [[nodiscard]] int64_t processes() const override { return 2; }
  void sum(at::Tensor& numbers) const override {
    combine(numbers, [](const at::Tensor& a, const at::Tensor& b) { return a + b; });
  }
  void max(at::Tensor& numbers) const override {
    combine(numbers, [](const at::Tensor& a, const at::Tensor& b) { return at::maximum(a, b); });
  }

  // Calls body(rank) on two threads.
  template <typename Body>
  static void run(const Body& body) {
    std::array<std::thread, 2> threads;
    for (size_t i = 0; i < 2; ++i)
      threads[i] = std::thread([&body, i] {
        rank = i;
        body(i);
      });
    for (auto& thread : threads) thread.join();
  }

 private:
  template <typename Together>
  void combine(at::Tensor& numbers, const Together& together) const {
    parts_[rank] = numbers.clone();
    barrier_.arrive_and_wait();
    const auto both = together(parts_[0], parts_[1]);
    barrier_.arrive_and_wait();
    numbers.copy_(both);
  }

  static thread_local size_t rank;
  mutable std::array<at::Tensor, 2> parts_;
  mutable std::barrier<> barrier_{2};
};

thread_local size_t TwoRanks::rank = 0;

using Learned = std::map<std::string, at::Tensor>;

Learned after(Quantizer& quantizer, const at::Tensor& x) {
  quantizer.observe(x);
  quantizer.encode(x, Phase::training);
  Learned all;
  for (auto* tensors : {&quantizer.parameters(), &quantizer.state()})
    for (const auto& [name, tensor] : *tensors) all[name] = tensor.detach().to(at::kDouble);
  return all;
}

}  // namespace

TEST_CASE("two halves of a batch teach activations what the whole does, wherever the statistic adds up",
          "[quantizers]") {
  at::manual_seed(5);
  const auto x = at::randn({8, 5, 6, 6}, at::kDouble).add(0.4).relu();
  const TwoRanks ranks;
  for (const auto& method : quantizer_methods()) {
    const int bits = method.activation_bits.has(2) ? 2 : 1;
    QuantizerSettings settings;
    if (method.name == "clip-lsq") settings["stable"] = 2;
    const auto whole = after(*make_quantizer(method.name, Role::activation, bits, settings), x);
    std::array<Learned, 2> halves;
    {
      const ReduceScope scope(ranks);
      TwoRanks::run([&](size_t rank) {
        const auto quantizer = make_quantizer(method.name, Role::activation, bits, settings);
        halves[rank] = after(*quantizer, x.chunk(2)[rank].contiguous());
      });
    }
    for (const auto& [name, found] : halves[0]) {
      INFO(method.name << " " << name);
      CHECK(found.equal(halves[1].at(name)));  // the processes agree
      // An order statistic, a sample.
      if (method.name == "percentile" || method.name == "fqn" || method.name == "lsq+") continue;
      CHECK((found - whole.at(name)).abs().max().item<double>() < 1e-5);
    }
  }
}

TEST_CASE("alone a statistic is what it was, bit for bit", "[quantizers]") {
  const auto x = at::randn({7, 3}, at::kFloat);
  CHECK(mean_of_parts(x, 5).is_same(x));
  CHECK(sum_of_parts(x).is_same(x));
  CHECK(largest_of_parts(x).is_same(x));
  CHECK(smallest_of_parts(x).is_same(x));
  CHECK(deviation_of_parts(x).equal(x.std()));
}

TEST_CASE("mean and deviation of two unequal parts are those of all numbers", "[quantizers]") {
  at::manual_seed(6);
  const auto all = at::randn({30}, at::kDouble) + 1000;
  const TwoRanks ranks;
  const ReduceScope scope(ranks);
  std::array<double, 2> means{}, deviations{};
  TwoRanks::run([&](size_t rank) {
    const auto own = rank == 0 ? all.slice(0, 0, 10) : all.slice(0, 10);
    means[rank] = mean_of_parts(own.mean(), own.numel()).item<double>();
    deviations[rank] = deviation_of_parts(own).item<double>();
  });
  CHECK(means[0] == Approx(all.mean().item<double>()).epsilon(1e-12));
  CHECK(deviations[0] == Approx(all.std().item<double>()).epsilon(1e-10));
  CHECK(means[0] == means[1]);
  CHECK(deviations[0] == deviations[1]);
}

TEST_CASE("EWGS' output scale is fitted to the outputs of all processes", "[quantizers]") {
  at::manual_seed(7);
  const auto x = at::rand({4, 3, 5, 5});
  const PrecisionPlan plan = {.quantizer = "ewgs", .weight_bits = 2, .activation_bits = 2};
  const auto scale_after = [&](const at::Tensor& images) {
    QuantConv conv({.in = 3, .out = 4, .kernel = 3}, plan, LayerPosition::inner, true);
    at::NoGradGuard no_gradient;
    conv.weight().values().detach().copy_(at::linspace(-1, 1, 108).view({4, 3, 3, 3}));
    conv.forward(images);
    return conv.weight().weight_quantizer()->parameters().at("scale").item<double>();
  };
  const double whole = scale_after(x);
  const TwoRanks ranks;
  const ReduceScope scope(ranks);
  std::array<double, 2> halves{};
  TwoRanks::run([&](size_t rank) { halves[rank] = scale_after(x.chunk(2)[rank].contiguous()); });
  CHECK(halves[0] == halves[1]);
  CHECK(halves[0] == Approx(whole).epsilon(1e-5));
}
