// Every method with an integer mapping, at every width: the frozen network equals fake-quant evaluation in every value.
#include "deploy/freeze.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "deploy/bit_exactness.h"
#include "deploy/executor.h"
#include "deploy/integer_file.h"
#include "quantizers/quantized_layers.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

constexpr int64_t kImage = 16, kBatch = 6;

NetworkOptions options_for(const std::string& method, int weight_bits, int activation_bits) {
  const auto* known = find_quantizer(method);
  REQUIRE(known != nullptr);
  return {.in_channels = 1,
          .classes = 10,
          .stem = "small",
          .width = 0.125,
          .block = known->block,
          .bases = 3,
          .activation = known->activation,
          .quantize_at = known->quantize_at,
          .precision = {.quantizer = method, .weight_bits = weight_bits, .activation_bits = activation_bits}};
}

// As training leaves it: quantizers fitted, norms with statistics and weights of both signs.
std::unique_ptr<Network> trained(const NetworkOptions& options) {
  torch::manual_seed(5);
  auto network = make_network(options);
  {
    const at::NoGradGuard no_gradient;
    for (const auto& item : network->module().named_parameters())
      if (item.key().find("bn") != std::string::npos || item.key().find("downsample.1") != std::string::npos)
        item.value().add_(at::randn_like(item.value()) * 0.5);
    network->module().train();
    const auto images = at::randn({kBatch, options.in_channels, kImage, kImage});
    for (auto* layer : network->quantized_layers())
      for (auto* quantizer : {layer->weight_quantizer(), layer->input_quantizer()})
        if (quantizer != nullptr && find_quantizer(options.precision.quantizer)->post_training())
          quantizer->observe(at::randn({64}).abs());
    for (int i = 0; i < 3; ++i) network->forward(images);
    network->module().eval();
  }
  return network;
}

void expect_bit_exact(const NetworkOptions& options) {
  const at::NoGradGuard no_gradient;
  auto network = trained(options);
  const auto frozen = freeze(*network, {.channels = options.in_channels, .height = kImage, .width = kImage});
  const auto images = at::randn({kBatch, options.in_channels, kImage, kImage});
  if (const auto found = first_divergence(*network, frozen, images))
    FAIL("first at " << found->layer << ": " << found->values << " values, by " << found->largest);
  // The graph is what forward() computes.
  const auto logits = network->forward(images).logits.contiguous();
  const auto file = parse_integer_network(dump_integer_network(frozen.network), "memory");
  for (const char* cap : {"generic", "avx2", "avx512", "amx"}) {
    INFO(cap);
    Executor engine(file, {.batch = kBatch, .threads = 2}, detect_isa(cap));
    const auto found = engine.run({images.const_data_ptr<float>(), static_cast<size_t>(images.numel())});
    REQUIRE(std::equal(found.begin(), found.end(), logits.const_data_ptr<float>()));
  }
}

}  // namespace

TEST_CASE("frozen networks equal fake-quant evaluation", "[deploy]") {
  for (const auto& method : quantizer_methods())
    for (const int bits : {1, 2, 3, 4, 8}) {
      if (!method.weight_bits.has(bits) || !method.activation_bits.has(bits)) continue;
      INFO(method.name << " at " << bits << " bits");
      const auto options = options_for(method.name, bits, bits);
      if (method.name == "dorefa-relu6-official" && bits == 8) {
        auto network = trained(options);
        REQUIRE_THROWS_WITH(freeze(*network, {1, kImage, kImage}), contains_text(std::string("do not fit in 8 bits")));
        continue;
      }
      expect_bit_exact(options);
    }
}

TEST_CASE("so do other shapes of network", "[deploy]") {
  auto base = options_for("dorefa", 2, 2);
  const auto with = [&](const auto& change) {
    auto options = base;
    change(options);
    expect_bit_exact(options);
  };
  with([](auto& o) {
    o.stem = "imagenet";
    o.in_channels = 3;
  });
  with([](auto& o) { o.model = "resnet50"; });
  with([](auto& o) { o.skip = false; });
  with([](auto& o) { o.block = "pre-act"; });
  with([](auto& o) { o.precision.first_last = "8-bit"; });
  with([](auto& o) { o.precision.first_last = "same"; });
  with([](auto& o) { o.precision.activation_bits = 4; });
  with([](auto& o) { o.precision.weight_bits = 1; });
  with([](auto& o) { o.precision.settings = {{"activation.range", 1}}; });
  base = options_for("lq-net", 2, 3);
  with([](auto& o) { o.block = "pre-act"; });
  base = options_for("lsq+", 8, 8);
  with([](auto& o) { o.precision.first_last = "8-bit"; });
  base = options_for("bireal", 1, 1);
  with([](auto& o) { o.skip = false; });
}

TEST_CASE("weights that are not finite cannot be frozen, and the message names their layer", "[deploy]") {
  const at::NoGradGuard no_gradient;
  auto network = trained(options_for("dorefa", 2, 2));
  for (const auto& item : network->module().named_parameters())
    if (item.key() == "layer1.0.conv1.weight") item.value().fill_(std::nan(""));
  REQUIRE_THROWS_WITH(freeze(*network, {1, kImage, kImage}),
                      Catch::Matchers::StartsWith("layer1.0.conv1: weights that are not finite"));
}
