#include "models/detector.h"

#include <cmath>
#include <fstream>
#include <map>

#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/weights.h"
#include "quantizers/quantized_layers.h"
#include "tests/models/small_detector.h"
#include "tests/support/catch.h"

using namespace auxbench;
using namespace auxbench::small_detector;

namespace {

using Shapes = std::map<std::string, std::string>;

std::string text_of(at::IntArrayRef shape) {
  std::string text;
  for (const auto extent : shape) text.append(" ").append(std::to_string(extent));
  return text;
}

Shapes shapes_of(Network& network) {
  Shapes shapes;
  for (const auto& [name, tensor] : named_tensors(network.module())) shapes[name] = text_of(tensor.sizes());
  return shapes;
}

// "NAME EXTENT ...", a line a tensor, as scripts/dump_detectors.py writes it.
Shapes torchvision_shapes(const std::string& model) {
  std::ifstream file(std::string(AUXBENCH_SOURCE_ROOT) + "/tests/models/torchvision/" + model + ".txt");
  REQUIRE(file);
  Shapes shapes;
  for (std::string line; std::getline(file, line);) {
    const auto end = line.find(' ');
    shapes[line.substr(0, end)] = end == std::string::npos ? "" : line.substr(end);
  }
  return shapes;
}

// What has `from` in its name becomes what has `to` there.
Shapes renamed(const Shapes& shapes, const std::string& from, const std::string& to) {
  Shapes result;
  for (const auto& [name, shape] : shapes) {
    const auto at = name.find(from);
    result[at == std::string::npos ? name : name.substr(0, at) + to + name.substr(at + from.size())] = shape;
  }
  return result;
}

}  // namespace

TEST_CASE("detectors have torchvision's names and shapes", "[models]") {
  DetectorOptions options;
  options.backbone.model = "resnet50";
  options.flavour = "torchvision";
  options.classes = 91;
  options.norm = "none";
  CHECK(shapes_of(*make_detector(options)) == torchvision_shapes("retinanet_resnet50_fpn"));
  options.kind = "fcos";
  options.norm = "group";
  CHECK(shapes_of(*make_detector(options)) == torchvision_shapes("fcos_resnet50_fpn"));
}

TEST_CASE("Detectron2's RetinaNet computes P6 from C5, torchvision's and FCOS from P5", "[models]") {
  const auto inputs_of_p6 = [](const std::string& kind, const std::string& flavour) {
    auto options = narrow(kind);
    options.flavour = flavour;
    return named_tensors(make_detector(options)->module()).at("backbone.fpn.extra_blocks.p6.weight").size(1);
  };
  CHECK(inputs_of_p6("retinanet", "detectron2") == 64);
  CHECK(inputs_of_p6("retinanet", "torchvision") == 32);
  CHECK(inputs_of_p6("fcos", "detectron2") == 32);
  CHECK(inputs_of_p6("fcos", "torchvision") == 32);
}

TEST_CASE("a detector says what it is", "[models]") {
  auto options = narrow("fcos");
  options.heads = "unshared";
  const auto fcos = make_detector(options);
  REQUIRE(fcos->detector() != nullptr);
  const auto& facts = *fcos->detector();
  CHECK(facts.levels == std::vector<int64_t>{3, 4, 5, 6, 7});
  CHECK((facts.anchors == 1 && facts.classes == kClasses && facts.channels == 32 && facts.tower == 2));
  CHECK((facts.centreness && !facts.shared_heads));
  CHECK(facts.stage_channels == std::vector<int64_t>{8, 16, 32, 64});
  options = narrow();
  options.backbone.model = "retinanet-resnet50";
  const auto deep = make_detector(options);
  CHECK(deep->detector()->anchors == 9);
  CHECK((!deep->detector()->centreness && deep->detector()->shared_heads));
  CHECK(deep->detector()->stage_channels == std::vector<int64_t>{32, 64, 128, 256});
  CHECK(deep->blocks() == 16);
  CHECK(deep->stem_channels() == 8);
  CHECK(make_network({.width = 0.125})->detector() == nullptr);
}

TEST_CASE("a detector answers at levels 3 to 7, whatever the image's size", "[models]") {
  const at::NoGradGuard no_gradient;
  for (const char* kind : {"retinanet", "fcos"}) {
    const auto network = make_detector(narrow(kind));
    network->module().eval();
    const auto& facts = *network->detector();
    for (const auto& [height, width] : {std::pair<int64_t, int64_t>(128, 160), {97, 133}, {1, 1}, {33, 260}}) {
      INFO(kind << ", " << height << " x " << width);
      const auto output = network->forward(pictures(2, height, width));
      CHECK_FALSE(output.logits.defined());
      CHECK((output.taps.empty() && output.heads.empty() && !output.stem.defined()));
      REQUIRE(output.levels.size() == 5);
      for (int64_t level = kFirst; level <= kLast; ++level) {
        const auto places = [&](int64_t pixels) {
          for (int64_t i = 0; i < level; ++i) pixels = (pixels + 1) / 2;
          return pixels;
        };
        const auto& own = output.levels[static_cast<size_t>(level - kFirst)];
        CHECK(own.level == level);
        const auto h = places(height), w = places(width);
        CHECK(own.classes.sizes() == at::IntArrayRef({2, facts.anchors * kClasses, h, w}));
        CHECK(own.boxes.sizes() == at::IntArrayRef({2, 4 * facts.anchors, h, w}));
        REQUIRE(own.centreness.defined() == facts.centreness);
        if (facts.centreness) CHECK(own.centreness.sizes() == at::IntArrayRef({2, 1, h, w}));
      }
    }
  }
}

TEST_CASE("weights start as both flavours': normal heads, a prior for classes, a pyramid by fan-in", "[models]") {
  at::manual_seed(1);
  auto options = narrow("fcos");
  options.norm = "none";
  options.channels = 128;
  const auto network = make_detector(options);
  for (const auto& [name, tensor] : named_tensors(network->module())) {
    if (name.starts_with("backbone.body.")) continue;
    INFO(name);
    const auto values = tensor.detach();
    if (name == "head.classification_head.cls_logits.bias") {
      CHECK(values.add(std::log(99.0)).abs().max().item<double>() < 1e-6);
    } else if (name.ends_with("bias")) {
      CHECK(values.eq(0).all().item<bool>());
    } else if (name.starts_with("head.")) {
      CHECK(values.std().item<double>() == Approx(0.01).epsilon(0.1));
    } else {
      const double bound = std::sqrt(3.0 / static_cast<double>(values[0].numel()));
      CHECK(values.abs().max().item<double>() <= bound);
      CHECK(values.std().item<double>() == Approx(bound / std::sqrt(3.0)).epsilon(0.1));
    }
  }
}

TEST_CASE("unshared heads have a tower a level, and share their last layers", "[models]") {
  for (const char* kind : {"retinanet", "fcos"}) {
    INFO(kind);
    auto options = narrow(kind);
    options.norm = "batch";
    const auto shared = shapes_of(*make_detector(options));
    options.heads = "unshared";
    const auto network = make_detector(options);
    auto found = shapes_of(*network);
    for (int level = kFirst; level <= kLast; ++level) {
      auto own = found;
      std::erase_if(own, [&](const auto& item) {
        return item.first.find("conv.p") != std::string::npos &&
               item.first.find("conv.p" + std::to_string(level)) == std::string::npos;
      });
      CHECK(renamed(own, "conv.p" + std::to_string(level) + ".", "conv.") == shared);
    }
    network->module().eval();
    const at::NoGradGuard no_gradient;
    const auto x = pictures(1, 64, 64);
    const auto before = network->forward(x);
    for (auto& [name, tensor] : named_tensors(network->module()))
      if (name.find("classification_head.conv.p4") != std::string::npos && name.ends_with(".bias")) tensor.fill_(1);
    const auto after = network->forward(x);
    for (size_t i = 0; i < before.levels.size(); ++i) {
      CHECK(before.levels[i].classes.equal(after.levels[i].classes) == (before.levels[i].level != 4));
      CHECK(before.levels[i].boxes.equal(after.levels[i].boxes));
    }
  }
}

TEST_CASE("the precision plan reaches pyramid and heads, whose predictions are last layers", "[models]") {
  constexpr size_t kBody = 19, kPyramid = 8, kTowers = 2 * 2, kLevels = 5;
  const auto layers = [](const DetectorOptions& options) { return make_detector(options)->quantized_layers().size(); };
  auto options = quantized();
  CHECK(layers(options) == kBody + kPyramid + kTowers);
  options.heads = "unshared";
  CHECK(layers(options) == kBody + kPyramid + kTowers * kLevels);
  options = quantized("fcos");
  options.backbone.precision.first_last = "8-bit";
  CHECK(layers(options) == 1 + kBody + kPyramid + kTowers + 3);
  const auto network = make_detector(options);
  const auto found = network->quantized_layers();
  for (size_t i = 0; i < found.size(); ++i) {
    const bool wide = i == 0 || i + 2 >= found.size() || i == 1 + kBody + kPyramid + kTowers / 2;
    CHECK((found[i]->weight_quantizer()->levels() > 15) == wide);
    CHECK((found[i]->input_quantizer() == nullptr) == (i == 0));
  }
  options.quantize = "backbone";
  CHECK(layers(options) == 1 + kBody);
  CHECK(layers(narrow()) == 0);
}

TEST_CASE("a backbone that a detector cannot have is refused", "[models]") {
  auto options = narrow();
  options.backbone.stem = "small";
  CHECK_THROWS_AS(make_detector(options), UserError);
  options = narrow();
  options.backbone.block = "pre-act";
  CHECK_THROWS_WITH(make_detector(options), "block pre-act: a detector's backbone has blocks post-act");
  options = quantized();
  options.backbone.quantize_at = "block-output";
  CHECK_THROWS_WITH(make_detector(options), "quantize_at block-output: a detector quantizes at conv-input");
}
