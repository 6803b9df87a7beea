// The least that is a detector to the room aux: a stem, a convolution a stage, a pyramid of 1x1 convolutions, towers.
// For .cc files.
#pragma once

#include "aux/detector_method.h"
#include "base/torch_prelude.h"
#include "models/network.h"

namespace auxbench::test {

class SmallDetector final : public Network, public torch::nn::Module {
 public:
  explicit SmallDetector(const DetectorFacts& facts = small_facts()) : facts_(facts) {
    stem_ = add("stem", 3, facts.stage_channels.front(), 4, 4, 0);
    auto before = facts.stage_channels.front();
    for (size_t i = 0; i < 4; ++i) {
      stages_.push_back(add("stage" + std::to_string(i), before, facts.stage_channels[i], 3, i == 0 ? 1 : 2, 1));
      before = facts.stage_channels[i];
    }
    for (size_t i = 0; i < facts.levels.size(); ++i) {
      const auto level = std::to_string(facts.levels[i]);
      laterals_.push_back(i < 3 ? add("lateral" + level, facts.stage_channels[i + 1], facts.channels, 1, 1, 0)
                                : add("lateral" + level, facts.channels, facts.channels, 3, 2, 1));
      for (auto* towers : {&class_towers_, &box_towers_}) {
        if (i > 0 && facts.shared_heads) continue;
        auto& tower = towers->emplace_back();
        for (int64_t n = 0; n < facts.tower; ++n)
          tower.push_back(add((towers == &class_towers_ ? "classes" : "boxes") + level + std::to_string(n),
                              facts.channels, facts.channels, 3, 1, 1));
      }
    }
    classes_ = add("classes", facts.channels, facts.anchors * facts.classes, 3, 1, 1);
    boxes_ = add("boxes", facts.channels, 4 * facts.anchors, 3, 1, 1);
    if (facts.centreness) centreness_ = add("centreness", facts.channels, 1, 3, 1, 1);
  }

  static DetectorFacts small_facts() {
    return {.levels = {3, 4, 5, 6, 7},
            .anchors = 2,
            .classes = 3,
            .channels = 5,
            .tower = 2,
            .stage_channels = {4, 6, 8, 10}};
  }

  NetworkOutput forward(const at::Tensor& images, const TapPlan* taps, NormBank* /*norms*/) override {
    NetworkOutput output;
    const auto stem = stem_->forward(images);
    auto x = stem.relu();
    std::vector<at::Tensor> maps, levels;
    for (auto& stage : stages_) {
      maps.push_back(stage->forward(x));
      x = maps.back().relu();
    }
    for (size_t i = 0; i < laterals_.size(); ++i)
      levels.push_back(laterals_[i]->forward(i < 3 ? maps[i + 1].relu() : levels.back()));
    for (size_t i = 0; i < levels.size(); ++i) {
      HeadTaps seen = {.level = facts_.levels[i], .input = levels[i]};
      const auto of_classes = along(class_towers_, i, levels[i], seen.classes);
      const auto of_boxes = along(box_towers_, i, levels[i], seen.boxes);
      output.levels.push_back({.level = facts_.levels[i],
                               .classes = classes_->forward(of_classes),
                               .boxes = boxes_->forward(of_boxes),
                               .centreness = centreness_ ? centreness_->forward(of_boxes) : at::Tensor()});
      if (taps != nullptr) output.heads.push_back(std::move(seen));
    }
    if (taps == nullptr) return output;
    output.stem = stem;
    output.taps = output.blocks = maps;
    return output;
  }

  torch::nn::Module& module() override { return *this; }
  [[nodiscard]] const DetectorFacts* detector() const override { return &facts_; }
  [[nodiscard]] std::vector<TapShape> tap_shapes(const TapPlan&) const override {
    std::vector<TapShape> shapes;
    for (size_t i = 0; i < 4; ++i) shapes.push_back({.channels = facts_.stage_channels[i], .stride = int64_t{1} << i});
    return shapes;
  }
  [[nodiscard]] int64_t stem_channels() const override { return facts_.stage_channels.front(); }
  [[nodiscard]] int64_t blocks() const override { return 4; }
  std::vector<QuantizedWeight*> quantized_layers() override { return {}; }
  [[nodiscard]] Graph graph() override { return {}; }
  void bypass(const std::vector<bool>&) override {}
  void watch_quantizers(QuantizerWatcher) override {}
  [[nodiscard]] std::shared_ptr<NormBank> make_norms() const override { return nullptr; }

 private:
  using Conv = std::shared_ptr<torch::nn::Conv2dImpl>;

  Conv add(const std::string& name, int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding) {
    return register_module(name, std::make_shared<torch::nn::Conv2dImpl>(
                                     torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(padding)));
  }

  at::Tensor along(std::vector<std::vector<Conv>>& towers, size_t level, at::Tensor x, std::vector<at::Tensor>& taps) {
    for (auto& conv : towers[facts_.shared_heads ? 0 : level]) {
      taps.push_back(conv->forward(x));
      x = taps.back().relu();
    }
    return x;
  }

  DetectorFacts facts_;
  Conv stem_, classes_, boxes_, centreness_;
  std::vector<Conv> stages_, laterals_;
  std::vector<std::vector<Conv>> class_towers_, box_towers_;  // of each level, or one for all
};

// On the ends of paths: one 3x3 convolution each.
class SmallHead final : public LevelHead {
 public:
  SmallHead(const char* name, int64_t channels, int64_t out)
      : name_(name),
        conv_(std::make_shared<torch::nn::Conv2dImpl>(torch::nn::Conv2dOptions(channels, out, 3).padding(1))) {}
  void predict(const at::Tensor& map, LevelOutput& level) override {
    (name_ == "end_classes" ? level.classes : level.boxes) = conv_->forward(map);
  }
  [[nodiscard]] std::string name() const override { return name_; }
  [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const override { return conv_; }

 private:
  std::string name_;
  std::shared_ptr<torch::nn::Conv2dImpl> conv_;
};

inline LevelHeadMaker small_heads(const DetectorFacts& facts = SmallDetector::small_facts()) {
  return [facts](int64_t channels) {
    return LevelHeads{.classes = std::make_unique<SmallHead>("end_classes", channels, facts.anchors * facts.classes),
                      .boxes = std::make_unique<SmallHead>("end_boxes", channels, 4 * facts.anchors)};
  };
}

}  // namespace auxbench::test
