// Detectors, whole: the frozen network equals fake-quant evaluation in every value and in the outputs of every level.
#include <algorithm>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "deploy/bit_exactness.h"
#include "deploy/executor.h"
#include "deploy/freeze.h"
#include "deploy/integer_file.h"
#include "models/detector.h"
#include "quantizers/quantized_layers.h"
#include "tests/support/catch.h"

using namespace auxbench;

namespace {

constexpr int64_t kHeight = 64, kWidth = 96;

DetectorOptions detector_options(const std::string& method, int bits) {
  return {.backbone = {.model = "resnet18",
                       .in_channels = 3,
                       .width = 0.125,
                       .precision = {.quantizer = method, .weight_bits = bits, .activation_bits = bits}},
          .classes = 3,
          .channels = 16,
          .tower = 2};
}

// As training leaves it: quantizers fitted, norms with statistics and weights of both signs.
std::unique_ptr<Network> trained_detector(const DetectorOptions& options) {
  torch::manual_seed(5);
  auto network = make_detector(options);
  const at::NoGradGuard no_gradient;
  for (const auto& item : network->module().named_parameters())
    if (item.value().dim() == 1 && item.key().find("quantizer") == std::string::npos)
      item.value().add_(at::randn_like(item.value()) * 0.3);
  network->module().train();
  for (auto* layer : network->quantized_layers())
    for (auto* quantizer : {layer->weight_quantizer(), layer->input_quantizer()})
      if (quantizer != nullptr && find_quantizer(options.backbone.precision.quantizer)->post_training())
        quantizer->observe(at::randn({64}).abs());
  for (int i = 0; i < 2; ++i) network->forward(at::randn({2, 3, kHeight, kWidth}));
  network->module().eval();
  return network;
}

FrozenNetwork frozen_detector(Network& network) {
  return freeze(network, {.channels = 3, .height = kHeight, .width = kWidth});
}

std::vector<std::pair<std::string, at::Tensor>> named_outputs(const NetworkOutput& output) {
  std::vector<std::pair<std::string, at::Tensor>> named;
  for (const auto& level : output.levels) {
    const auto number = "." + std::to_string(level.level);
    named.emplace_back("classes" + number, level.classes);
    named.emplace_back("boxes" + number, level.boxes);
    if (level.centreness.defined()) named.emplace_back("centreness" + number, level.centreness);
  }
  return named;
}

void expect_equal_outputs(Network& network, const IntegerNetwork& integer, const at::Tensor& images, const Isa& isa) {
  const auto wanted = named_outputs(network.forward(images));
  REQUIRE(wanted.size() == integer.outputs.size());
  Executor engine(integer, {.batch = images.size(0), .threads = 2}, isa);
  engine.run({images.const_data_ptr<float>(), static_cast<size_t>(images.numel())}, {images.size(2), images.size(3)});
  for (const auto& [name, tensor] : wanted) {
    INFO(name);
    const auto found = engine.output(name);
    const auto expected = tensor.permute({0, 2, 3, 1}).contiguous();
    REQUIRE(found.numbers.size() == static_cast<size_t>(expected.numel()));
    REQUIRE(std::equal(found.numbers.begin(), found.numbers.end(), expected.const_data_ptr<float>()));
  }
}

void expect_exact_detector(const DetectorOptions& options) {
  const at::NoGradGuard no_gradient;
  auto network = trained_detector(options);
  const auto frozen = frozen_detector(*network);
  const auto file = parse_integer_network(dump_integer_network(frozen.network), "memory");
  // Its own size, and one that 32 does not divide.
  for (const auto& [h, w] : {std::pair(kHeight, kWidth), std::pair<int64_t, int64_t>(81, 67)}) {
    INFO(h << " x " << w);
    const auto images = at::randn({2, 3, h, w});
    if (const auto found = first_divergence(*network, frozen, images))
      FAIL("first at " << found->layer << ": " << found->values << " values, by " << found->largest);
    for (const char* cap : {"generic", "avx2", "avx512", "amx"}) {
      INFO(cap);
      expect_equal_outputs(*network, file, images, detect_isa(cap));
    }
  }
}

int64_t sharing_steps(const IntegerNetwork& network) {
  return std::count_if(network.steps.begin(), network.steps.end(),
                       [](const IntegerStep& step) { return step.shares != kNoValue; });
}

}  // namespace

TEST_CASE("frozen detectors equal fake-quant evaluation with every quantizer", "[deploy]") {
  for (const auto& method : quantizer_methods()) {
    if (method.block != "post-act" || method.quantize_at != "conv-input") continue;
    for (const int bits : {2, 4}) {
      if (!method.weight_bits.has(bits) || !method.activation_bits.has(bits)) continue;
      INFO(method.name << " at " << bits << " bits");
      expect_exact_detector(detector_options(std::string(method.name), bits));
    }
  }
}

TEST_CASE("so do detectors of every shape", "[deploy]") {
  const auto with = [](const auto& change) {
    auto options = detector_options("qil", 4);
    change(options);
    INFO(options.kind << ' ' << options.flavour << ' ' << options.heads << ' ' << options.quantize << ' '
                      << options.norm << ' ' << options.backbone.precision.first_last);
    expect_exact_detector(options);
  };
  for (const char* kind : {"retinanet", "fcos"})
    for (const char* norm : {"none", "batch", "per-level", "frozen"})
      for (const char* heads : {"shared", "unshared"})
        with([&](auto& o) {
          o.kind = kind;
          o.norm = norm;
          o.heads = heads;
        });
  with([](auto& o) { o.flavour = "torchvision"; });
  with([](auto& o) {
    o.flavour = "torchvision";
    o.kind = "fcos";
    o.norm = "none";
  });
  with([](auto& o) { o.quantize = "backbone"; });
  with([](auto& o) { o.backbone_norm = "frozen"; });
  with([](auto& o) { o.pyramid_relu = false; });
  with([](auto& o) { o.backbone.model = "resnet50"; });
  for (const char* ends : {"8-bit", "same"}) with([&](auto& o) { o.backbone.precision.first_last = ends; });
}

TEST_CASE("a frozen detector keeps each shared layer's weights once", "[deploy]") {
  const at::NoGradGuard no_gradient;
  auto options = detector_options("qil", 4);
  const auto shared = frozen_detector(*trained_detector(options)).network;
  options.heads = "unshared";
  const auto unshared = frozen_detector(*trained_detector(options)).network;
  // Of four more levels: two towers of two layers and two last layers, or the last layers alone.
  CHECK(sharing_steps(shared) == 4 * (2 * 2 + 2));
  CHECK(sharing_steps(unshared) == 4 * 2);
  constexpr int64_t kTowerBytes = 2 * 2 * 16 * 16 * 9 / 2;
  CHECK(unshared.bytes() - shared.bytes() == 4 * kTowerBytes);
  CHECK(unshared.macs() == shared.macs());
}

TEST_CASE("lateral convolutions of a frozen detector add the upsampled map in one pass", "[deploy]") {
  const at::NoGradGuard no_gradient;
  const auto network = frozen_detector(*trained_detector(detector_options("qil", 4))).network;
  const auto named = [&](const std::string& name) -> const IntegerStep& {
    const auto found = std::find_if(network.steps.begin(), network.steps.end(), [&](const auto& step) {
      return step.name == name && step.kind == IntegerStep::Kind::convolution;
    });
    REQUIRE(found != network.steps.end());
    return *found;
  };
  CHECK(named("backbone.fpn.inner_blocks.2.0").residual == kNoValue);
  for (const char* lateral : {"backbone.fpn.inner_blocks.0.0", "backbone.fpn.inner_blocks.1.0"})
    CHECK(named(lateral).residual != kNoValue);
}

TEST_CASE("an output that is not the network's is found, and the layer named", "[deploy]") {
  const at::NoGradGuard no_gradient;
  auto network = trained_detector(detector_options("qil", 4));
  auto frozen = frozen_detector(*network);
  const auto images = at::randn({1, 3, kHeight, kWidth});
  REQUIRE_FALSE(first_divergence(*network, frozen, images));
  const auto last = std::find_if(frozen.network.outputs.begin(), frozen.network.outputs.end(),
                                 [](const auto& output) { return output.name == "boxes.7"; });
  REQUIRE(last != frozen.network.outputs.end());
  for (auto& step : frozen.network.steps)
    if (step.out_floats == last->value) step.beta.at(0) += 1;
  const auto found = first_divergence(*network, frozen, images);
  REQUIRE(found);
  CHECK(found->layer.find("bbox_reg") != std::string::npos);
}
