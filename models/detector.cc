#include "models/detector.h"

#include <array>
#include <string_view>

#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"
#include "models/detection_heads.h"
#include "models/graph_ops.h"
#include "models/pyramid.h"
#include "models/resnet_body.h"
#include "models/tensor_ops.h"

namespace auxbench {
namespace {

// In what kinds and flavours differ.
struct DetectorKind {
  std::string_view kind, flavour;
  int64_t anchors;
  bool centreness;
  bool p6_from_c5;         // else from P5
  bool flat_names;         // of towers
  bool bias_beside_group;  // before group norms
};

constexpr std::array<DetectorKind, 4> kDetectorKinds = {{
    {"retinanet", "detectron2", 9, false, true, false, false},
    {"retinanet", "torchvision", 9, false, false, false, false},
    {"fcos", "detectron2", 1, true, false, true, true},
    {"fcos", "torchvision", 1, true, false, true, true},
}};

const DetectorKind& kind_of(const DetectorOptions& options) {
  for (const auto& known : kDetectorKinds)
    if (known.kind == options.kind && known.flavour == options.flavour) return known;
  AUXBENCH_CHECK(false, "a detector that exists, not " + options.kind + " of " + options.flavour);
}

bool one_of(const std::string& found, const std::string& one, const std::string& other, const char* what) {
  AUXBENCH_CHECK(found == one || found == other, std::string(what) + " " + one + " or " + other + ", not " + found);
  return found == one;
}

std::optional<NormOptions> norm_of_towers(const std::string& norm) {
  if (norm == "none") return {};
  if (norm == "per-level") return NormOptions{.kind = NormKind::per_level};
  if (norm == "frozen") return NormOptions{.kind = NormKind::frozen_per_level};
  if (norm == "group") return NormOptions{.kind = NormKind::group};
  AUXBENCH_CHECK(norm == "batch", "a norm that exists, not " + norm);
  return NormOptions{.kind = NormKind::batch};
}

// Each layer of the pyramid is of one level.
std::optional<NormOptions> norm_of_pyramid(const std::string& norm) {
  const auto of_towers = norm_of_towers(norm);
  if (!of_towers || of_towers->kind == NormKind::group) return {};
  return NormOptions{.kind = of_one_level(of_towers->kind)};
}

void check_backbone(const NetworkOptions& backbone) {
  const auto refuse = [](const std::string& what) { throw UserError(ExitCode::invalid_suite, what); };
  if (backbone.stem != "imagenet")
    refuse("stem " + backbone.stem + ": a detector's levels lie 8 to 128 pixels apart, which takes stem imagenet");
  if (backbone.block != "post-act") refuse("block " + backbone.block + ": a detector's backbone has blocks post-act");
  if (backbone.precision.quantizes() && backbone.quantize_at != "conv-input")
    refuse("quantize_at " + backbone.quantize_at + ": a detector quantizes at conv-input");
}

NetworkOptions backbone_of(const DetectorOptions& options) {
  auto backbone = options.backbone;
  check_backbone(backbone);
  backbone.frozen_norms = one_of(options.backbone_norm, "frozen", "batch", "a backbone_norm");
  return backbone;
}

class Detector final : public Network, public torch::nn::Module {
 public:
  explicit Detector(const DetectorOptions& options)
      : norms_({.kind = options.backbone_norm == "frozen" ? NormKind::frozen : NormKind::batch}),
        backbone_module_(add_module(*this, "backbone")),
        body_(*add_module(*backbone_module_, "body"), backbone_of(options), norms_),
        pyramid_(*add_module(*backbone_module_, "fpn"), "backbone.fpn.", body_.stage_channels(),
                 pyramid_options(options), norms_),
        heads_(*add_module(*this, "head"), "head.", head_options(options), norms_) {
    const auto& kind = kind_of(options);
    for (int64_t i = 0; i < Pyramid::kLevels; ++i) facts_.levels.push_back(Pyramid::kFirstLevel + i);
    facts_.anchors = kind.anchors;
    facts_.classes = options.classes;
    facts_.channels = options.channels;
    facts_.tower = options.tower;
    facts_.centreness = kind.centreness;
    facts_.shared_heads = options.heads == "shared";
    facts_.stage_channels.assign(body_.stage_channels().begin(), body_.stage_channels().end());
  }

  NetworkOutput forward(const at::Tensor& images, const TapPlan* taps, NormBank* norms) override {
    TensorOps ops(is_training(), taps, norms);
    if (watcher_) ops.watch(&watcher_);
    compute(ops, image_map(images));
    return std::move(ops.output());
  }

  Graph graph() override {
    GraphOps ops;
    compute(ops, ops.image());
    return std::move(ops.graph());
  }

  torch::nn::Module& module() override { return *this; }
  [[nodiscard]] const DetectorFacts* detector() const override { return &facts_; }

  [[nodiscard]] std::vector<TapShape> tap_shapes(const TapPlan& taps) const override { return body_.tap_shapes(taps); }
  [[nodiscard]] int64_t blocks() const override { return body_.blocks(); }
  [[nodiscard]] int64_t stem_channels() const override { return body_.stem_channels(); }

  std::vector<QuantizedWeight*> quantized_layers() override {
    std::vector<QuantizedWeight*> layers;
    body_.append_layers(layers);
    pyramid_.append_layers(layers);
    heads_.append_layers(layers);
    std::erase_if(layers, [](const auto* layer) { return layer->full_precision(); });
    return layers;
  }

  void bypass(const std::vector<bool>& blocks) override { body_.bypass(blocks); }
  void watch_quantizers(QuantizerWatcher watcher) override { watcher_ = std::move(watcher); }
  [[nodiscard]] std::shared_ptr<NormBank> make_norms() const override { return norms_.make_bank(); }

 private:
  static std::shared_ptr<torch::nn::Module> add_module(torch::nn::Module& owner, const std::string& name) {
    return owner.register_module(name, std::make_shared<torch::nn::Module>());
  }

  // Of pyramid and heads. In evaluation a quantized network sums in float64 what it does not quantize, these too.
  static PrecisionPlan precision_behind(const DetectorOptions& options) {
    auto plan = options.backbone.precision;
    if (one_of(options.quantize, "all", "backbone", "to quantize")) return plan;
    plan.weight_bits = plan.activation_bits = kFullPrecision;
    plan.first_last = "float";
    return plan;
  }

  static PyramidOptions pyramid_options(const DetectorOptions& options) {
    const auto norm = norm_of_pyramid(options.norm);
    return {.channels = options.channels,
            .norm = norm,
            .relu = norm && options.pyramid_relu,
            .p6_from_c5 = kind_of(options).p6_from_c5,
            .precision = precision_behind(options)};
  }

  static HeadOptions head_options(const DetectorOptions& options) {
    const auto& kind = kind_of(options);
    return {.channels = options.channels,
            .tower = options.tower,
            .levels = Pyramid::kLevels,
            .first_level = Pyramid::kFirstLevel,
            .anchors = kind.anchors,
            .classes = options.classes,
            .centreness = kind.centreness,
            .shared = one_of(options.heads, "shared", "unshared", "heads"),
            .norm = norm_of_towers(options.norm),
            .bias_beside_group = kind.bias_beside_group,
            .flat_names = kind.flat_names,
            .precision = precision_behind(options)};
  }

  // From images to the answers of all levels.
  void compute(Ops& ops, FeatureMap images) { heads_.compute(ops, pyramid_levels(ops, std::move(images))); }

  std::vector<FeatureMap> pyramid_levels(Ops& ops, FeatureMap images) {
    StageMaps stages;
    body_.compute(ops, "backbone.body.", std::move(images), &stages);
    return pyramid_.compute(ops, stages);
  }

  NormList norms_;  // those that say nothing else are the backbone's
  std::shared_ptr<torch::nn::Module> backbone_module_;
  ResNetBody body_;
  Pyramid pyramid_;
  DetectionHeads heads_;
  DetectorFacts facts_;
  QuantizerWatcher watcher_;  // empty: nobody watches
};

}  // namespace

std::unique_ptr<Network> make_detector(const DetectorOptions& options) { return std::make_unique<Detector>(options); }

}  // namespace auxbench
