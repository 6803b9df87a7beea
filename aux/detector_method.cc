#include "aux/detector_method.h"

#include <algorithm>
#include <map>

#include "aux/adaptor.h"
#include "aux/falling_weight.h"
#include "base/check.h"
#include "base/error.h"
#include "base/torch_prelude.h"

namespace auxbench {
namespace {

using ModulePtr = std::shared_ptr<torch::nn::Module>;

LevelOutput predicted(const LevelHeads& heads, int64_t level, const at::Tensor& of_classes,
                      const at::Tensor& of_boxes) {
  LevelOutput output;
  output.level = level;
  heads.classes->predict(of_classes, output);
  heads.boxes->predict(of_boxes, output);
  return output;
}

LevelHeads registered(LevelHeads heads, torch::nn::Module& owner) {
  owner.register_module(heads.classes->name(), heads.classes->module());
  owner.register_module(heads.boxes->name(), heads.boxes->module());
  return heads;
}

std::shared_ptr<Adaptor> add_adaptor(torch::nn::Module& owner, int64_t level, int64_t in, int64_t out) {
  return owner.register_module("p" + std::to_string(level),
                               std::make_shared<Adaptor>(ConvOptions{.in = in, .out = out}));
}

// The index of the last tap behind stage C(2 + stage). A tap within a block may have the stride of one stage and the
// channels of the next.
size_t stage_end(const std::vector<TapShape>& taps, const DetectorFacts& facts, size_t stage) {
  for (size_t i = taps.size(); i-- > 0;)
    if (taps[i].stride == int64_t{1} << stage && taps[i].channels == facts.stage_channels.at(stage)) return i;
  throw UserError(ExitCode::invalid_suite, "auxi: the backbone hands out no map behind its stage " +
                                               std::to_string(stage + 1) +
                                               ", which the auxiliary module predicts from");
}

const HeadTaps& taps_of(const NetworkOutput& output, int64_t level) {
  const auto found = std::find_if(output.heads.begin(), output.heads.end(),
                                  [level](const HeadTaps& head) { return head.level == level; });
  AUXBENCH_CHECK(found != output.heads.end(), "the maps of level " + std::to_string(level));
  return *found;
}

class BackboneModule {
 public:
  BackboneModule(const Network& network, const DetectorMethodOptions& options, const LevelHeadMaker& make_heads)
      : BackboneModule(network, network.tap_shapes(options.taps), options, make_heads) {}

  // Of levels C3 to C5, or of C5's alone.
  [[nodiscard]] NetworkOutput forward(const NetworkOutput& seen) {
    const auto maps = path_.maps(seen.stem, seen.taps);
    NetworkOutput output;
    for (const auto& end : ends_) {
      AfterNorm after = {.relu = true};
      if (end.pyramid) after.added = end.pyramid->forward(taps_of(seen, end.level).input);
      const auto map = end.lateral->forward(maps.at(end.tap), after);
      output.levels.push_back(predicted(heads_, end.level, map, map));
    }
    return output;
  }

  [[nodiscard]] ModulePtr module() const { return path_.module(); }

 private:
  struct End {
    int64_t level;
    size_t tap;
    std::shared_ptr<Adaptor> lateral, pyramid;
  };

  BackboneModule(const Network& network, const std::vector<TapShape>& taps, const DetectorMethodOptions& options,
                 const LevelHeadMaker& make_heads)
      : path_({.stem_channels = network.stem_channels(), .taps = taps}, options.path) {
    const auto& facts = *network.detector();
    auto laterals = std::make_shared<torch::nn::Module>(), pyramid = std::make_shared<torch::nn::Module>();
    path_.module()->register_module("laterals", laterals);
    if (options.pyramid) path_.module()->register_module("pyramid", pyramid);
    for (size_t i = options.last_level ? 2 : 0; i < 3; ++i) {
      const auto level = facts.levels.at(i);
      const auto tap = stage_end(taps, facts, i + 1);
      ends_.push_back(
          {.level = level,
           .tap = tap,
           .lateral = add_adaptor(*laterals, level, taps[tap].channels, facts.channels),
           .pyramid = options.pyramid ? add_adaptor(*pyramid, level, facts.channels, facts.channels) : nullptr});
    }
    heads_ = registered(make_heads(facts.channels), *path_.module());
  }

  AuxiliaryPath path_;
  std::vector<End> ends_;
  LevelHeads heads_;
};

// The paths beside one kind of tower.
class TowerPaths {
 public:
  TowerPaths(const DetectorFacts& facts, const AuxiliaryOptions& options) {
    const AuxiliaryShapes shapes = {
        .stem_channels = facts.channels,
        .taps = std::vector<TapShape>(static_cast<size_t>(facts.tower), TapShape{.channels = facts.channels})};
    if (facts.shared_heads) {
      shared_ = std::make_unique<AuxiliaryPath>(shapes, options);
      module_ = shared_->module();
      return;
    }
    module_ = std::make_shared<torch::nn::Module>();
    for (const auto level : facts.levels)
      module_->register_module("p" + std::to_string(level),
                               paths_.try_emplace(level, shapes, options).first->second.module());
  }

  at::Tensor forward(int64_t level, const at::Tensor& input, const std::vector<at::Tensor>& taps) {
    return (shared_ ? *shared_ : paths_.at(level)).forward(input, taps);
  }

  [[nodiscard]] ModulePtr module() const { return module_; }

 private:
  std::unique_ptr<AuxiliaryPath> shared_;  // or one for each level:
  std::map<int64_t, AuxiliaryPath> paths_;
  ModulePtr module_;
};

class HeadModules {
 public:
  HeadModules(const DetectorFacts& facts, const AuxiliaryOptions& options, const LevelHeadMaker& make_heads)
      : module_(std::make_shared<torch::nn::Module>()), classes_(facts, options), boxes_(facts, options) {
    module_->register_module("classes", classes_.module());
    module_->register_module("boxes", boxes_.module());
    heads_ = registered(make_heads(facts.channels), *module_);
  }

  // Of all levels.
  [[nodiscard]] NetworkOutput forward(const NetworkOutput& seen) {
    NetworkOutput output;
    for (const auto& head : seen.heads)
      output.levels.push_back(predicted(heads_, head.level, classes_.forward(head.level, head.input, head.classes),
                                        boxes_.forward(head.level, head.input, head.boxes)));
    return output;
  }

  [[nodiscard]] ModulePtr module() const { return module_; }

 private:
  ModulePtr module_;
  TowerPaths classes_, boxes_;
  LevelHeads heads_;
};

class DetectorMethod final : public TrainingMethod {
 public:
  DetectorMethod(const Network& network, const DetectorMethodOptions& options, const LevelHeadMaker& make_heads)
      : options_(options), weight_(options.weight, options.until), module_(std::make_shared<torch::nn::Module>()) {
    AUXBENCH_CHECK(options.backbone || options.heads, "a module beside a part of the detector");
    if (options.backbone) {
      backbone_.emplace(network, options, make_heads);
      module_->register_module("backbone", backbone_->module());
    }
    if (options.heads) {
      heads_.emplace(*network.detector(), options.path, make_heads);
      module_->register_module("heads", heads_->module());
    }
  }

  void prepare(Network& /*network*/, const StepPosition& position) override { weight_.move_to(position); }

  [[nodiscard]] TapRequest taps() const override {
    if (weight_.ended()) return {};
    return {.taps = options_.taps, .heads = options_.heads || options_.pyramid};
  }

  NamedLosses losses(const StepView& step) override {
    if (weight_.ended()) return {};
    NamedLosses terms;
    const auto judge = [&](const char* name, const NetworkOutput& output) {
      terms.push_back({.name = name, .value = sum_of(step.task_loss(output), "the task"), .weight = weight_.now()});
    };
    if (heads_) judge("aux_loss_heads", heads_->forward(step.output));
    if (backbone_) judge("aux_loss_backbone", backbone_->forward(step.output));
    return terms;
  }

  torch::nn::Module* module() override { return module_.get(); }

 private:
  DetectorMethodOptions options_;
  FallingWeight weight_;
  ModulePtr module_;
  std::optional<BackboneModule> backbone_;
  std::optional<HeadModules> heads_;
};

}  // namespace

std::unique_ptr<TrainingMethod> make_detector_method(const Network& network, const DetectorMethodOptions& options,
                                                     const LevelHeadMaker& make_heads) {
  if (network.detector() == nullptr)
    throw UserError(ExitCode::invalid_suite, "auxi: modules beside prediction heads need a detector");
  return std::make_unique<DetectorMethod>(network, options, make_heads);
}

}  // namespace auxbench
