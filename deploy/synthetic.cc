#include "deploy/synthetic.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "deploy/synthetic_builder.h"
#include "models/list/models.h"

namespace auxbench {
namespace {

using Layer = SyntheticBuilder::Layer;

constexpr int kEndBits = SyntheticBuilder::kEndBits;
constexpr int64_t kFirstLevel = 3, kLevels = 5;

const ModelFacts& depth_of(const std::string& model) {
  const auto* depth = find_model(model);
  if (depth != nullptr && depth->exists && depth->task == "classification") return *depth;
  std::string known;
  for (const auto& one : kModels)
    if (one.exists && one.task == "classification") known += (known.empty() ? "" : ", ") + std::string(one.name);
  throw UserError(ExitCode::usage, "no network " + model + ", only " + known);
}

void check_bits(int weight_bits, int activation_bits) {
  const bool known = weight_bits == 1 || weight_bits == 2 || weight_bits == 3 || weight_bits == 4 || weight_bits == 8;
  if (!known || activation_bits < 1 || activation_bits > 8)
    throw UserError(ExitCode::usage, "synthetic networks have weights of 1, 2, 3, 4 or 8 bits, activations of 1 to 8");
}

// Stem and stages; what each stage ends in, C2 .. C5. `floats`: C5 as floats.
std::vector<size_t> body(SyntheticBuilder& build, const ModelFacts& depth, bool floats) {
  size_t x =
      build.convolution({.name = "conv1", .in = build.pixels(), .out = 64, .kernel = 7, .stride = 2, .bits = kEndBits});
  x = build.max_pool(x);
  std::vector<size_t> ends;
  int64_t width = 64;
  for (size_t stage = 0; stage < depth.blocks.size(); ++stage, width *= 2) {
    for (int i = 0; i < depth.blocks[stage]; ++i) {
      const bool last = stage + 1 == depth.blocks.size() && i + 1 == depth.blocks[stage];
      const auto name = "layer" + std::to_string(stage + 1) + "." + std::to_string(i) + ".";
      x = build.block(name, x, width, i == 0 && stage > 0 ? 2 : 1, depth.bottleneck, floats && last);
    }
    ends.push_back(x);
  }
  return ends;
}

// A level's map, which has floats and codes of them for one of the towers.
struct Level {
  size_t floats = kNoValue, codes = kNoValue;
};

class DetectorBuilder {
 public:
  explicit DetectorBuilder(const SyntheticDetector& options)
      : options_(options),
        build_({.channels = 3, .height = options.height, .width = options.width}, options.weight_bits,
               options.activation_bits, options.seed) {
    build_.network().detector = {
        .kind = "retinanet", .flavour = "detectron2", .image_size = std::min(options.height, options.width)};
  }

  IntegerNetwork build() {
    const auto ends = body(build_, depth_of(options_.backbone), /*floats=*/false);
    const auto levels = pyramid({ends.begin() + 1, ends.end()});
    for (int64_t i = 0; i < kLevels; ++i) {
      const auto& level = levels[static_cast<size_t>(i)];
      const auto name = std::to_string(kFirstLevel + i);
      const auto boxes = build_.encoded("head.regression_head.conv.0." + name + ".input", level.floats,
                                        options_.activation_bits, /*relu=*/false);
      head("classification_head", "cls_logits", level.codes, i, options_.anchors * options_.classes, "classes." + name);
      head("regression_head", "bbox_reg", boxes, i, 4 * options_.anchors, "boxes." + name);
    }
    return std::move(build_.network());
  }

 private:
  // 3 x 3 or 1 x 1, to floats and codes.
  Level both(const std::string& name, size_t in, int64_t kernel, int64_t stride, size_t residual = kNoValue) {
    const auto codes = build_.convolution({.name = name,
                                           .in = in,
                                           .out = options_.channels,
                                           .kernel = kernel,
                                           .stride = stride,
                                           .bits = options_.weight_bits,
                                           .residual = residual,
                                           .both = true});
    return {build_.last_step().out_floats, codes};
  }

  // P3 .. P7 of C3 .. C5.
  std::vector<Level> pyramid(const std::vector<size_t>& ends) {
    std::vector<Level> levels(ends.size());
    Level above;
    for (size_t i = ends.size(); i-- > 0;) {
      const auto number = std::to_string(i) + ".0";
      const auto residual = above.floats == kNoValue ? kNoValue : build_.upsample(above.floats, ends[i]);
      above = both("backbone.fpn.inner_blocks." + number, ends[i], 1, 1, residual);
      levels[i] = both("backbone.fpn.layer_blocks." + number, above.codes, 3, 1);
    }
    levels.push_back(both("backbone.fpn.extra_blocks.p6", ends.back(), 3, 2));
    const auto rectified = build_.encoded("backbone.fpn.extra_blocks.p7.input", levels.back().floats,
                                          options_.activation_bits, /*relu=*/true);
    levels.push_back(both("backbone.fpn.extra_blocks.p7", rectified, 3, 2));
    return levels;
  }

  // The step of the first level that the same layer on level `level` shares weights with.
  size_t sharer(const std::string& layer, bool shared) {
    if (!shared) return kNoValue;
    const auto& steps = build_.network().steps;
    for (size_t i = 0; i < steps.size(); ++i)
      if (steps[i].name == layer) return i;
    return kNoValue;
  }

  void head(const std::string& head, const std::string& last, size_t x, int64_t level, int64_t out,
            const std::string& output) {
    const auto at_level = level == 0 ? "" : "@" + std::to_string(kFirstLevel + level);
    for (int64_t i = 0; i < options_.tower; ++i) {
      const auto layer = "head." + head + ".conv." + std::to_string(i) + ".0";
      x = build_.convolution({.name = layer + at_level,
                              .in = x,
                              .out = options_.channels,
                              .kernel = 3,
                              .bits = options_.weight_bits,
                              .code_bits = i + 1 == options_.tower ? kEndBits : 0,
                              .shares = sharer(layer, options_.shared_heads && level > 0)});
    }
    const auto layer = "head." + head + "." + last;
    const auto made = build_.convolution({.name = layer + at_level,
                                          .in = x,
                                          .out = out,
                                          .kernel = 3,
                                          .bits = kEndBits,
                                          .activation = false,
                                          .shares = sharer(layer, level > 0)});
    build_.network().outputs.push_back({output, made});
  }

  const SyntheticDetector& options_;
  SyntheticBuilder build_;
};

}  // namespace

IntegerNetwork synthetic_resnet(const std::string& model, int weight_bits, int activation_bits, int64_t image,
                                int64_t seed) {
  const auto& depth = depth_of(model);
  check_bits(weight_bits, activation_bits);
  if (image < 32) throw UserError(ExitCode::usage, "synthetic networks have images of at least 32 pixels");
  SyntheticBuilder build({.channels = 3, .height = image, .width = image, .classes = 1000}, weight_bits,
                         activation_bits, seed);
  const auto features = build.mean(body(build, depth, /*floats=*/true).back());
  const auto codes = build.encoded("fc.input_quantizer", features, kEndBits);
  const auto logits = build.convolution(
      {.name = "fc", .in = codes, .out = build.network().classes, .bits = kEndBits, .activation = false});
  build.network().outputs = {{kLogits, logits}};
  value_sizes(build.network());
  return std::move(build.network());
}

IntegerNetwork synthetic_retinanet(const SyntheticDetector& options) {
  check_bits(options.weight_bits, options.activation_bits);
  if (std::min(options.height, options.width) < 64 || options.tower < 1)
    throw UserError(ExitCode::usage,
                    "synthetic detectors have images of at least 64 pixels and towers of at least one layer");
  auto network = DetectorBuilder(options).build();
  value_sizes(network);
  return network;
}

}  // namespace auxbench
