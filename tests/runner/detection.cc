// A tiny detector through the program's own trainer, checkpoint, evaluation and record.
#include "runner/tasks/detection/detection.h"

#include <limits>

#include "base/error.h"
#include "datasets/dataset.h"
#include "metrics/detection/coder.h"
#include "metrics/detection/matcher.h"
#include "runner/plan/check_detection.h"
#include "runner/sweep/cell_record.h"
#include "runner/tasks/detection/detection_evaluator.h"
#include "runner/tasks/detection/detection_targets.h"
#include "runner/training/evaluator.h"
#include "tests/runner/boxed_scenes.h"
#include "tests/runner/small_cells.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

// Strided convolutions down to P7 and one prediction layer for all levels; nothing that methods or integers ask for.
class TinyDetector final : public Network {
 public:
  TinyDetector(const DetectorRules& rules, int64_t classes, double first_logit) : points_(rules.match.points) {
    const auto anchors = static_cast<int64_t>(rules.anchors_a_place());
    for (int64_t i = 0; i < 7; ++i)
      down_.push_back(layer("down" + std::to_string(i), i == 0 ? 1 : kChannels, kChannels, 2));
    head_ = layer("head", kChannels, kChannels, 1);
    classes_ = layer("classes", kChannels, anchors * classes, 1);
    boxes_ = layer("boxes", kChannels, 4 * anchors, 1);
    centreness_ = layer("centreness", kChannels, 1, 1);
    const at::NoGradGuard no_gradient;
    classes_->bias.fill_(first_logit);
  }

  NetworkOutput forward(const at::Tensor& images, const TapPlan*, NormBank*) override {
    NetworkOutput output;
    auto x = images;
    for (int64_t i = 0; i < 7; ++i) {
      x = at::relu(down_[static_cast<size_t>(i)]->forward(x));
      if (i < 2) continue;
      const auto map = at::relu(head_->forward(x));
      output.levels.push_back({.level = i + 1, .classes = classes_->forward(map), .boxes = boxes_->forward(map)});
      if (points_) output.levels.back().centreness = centreness_->forward(map);
    }
    return output;
  }

  torch::nn::Module& module() override { return *module_; }
  [[nodiscard]] std::vector<TapShape> tap_shapes(const TapPlan&) const override { return {}; }
  [[nodiscard]] int64_t stem_channels() const override { return 0; }
  [[nodiscard]] int64_t blocks() const override { return 0; }
  std::vector<QuantizedWeight*> quantized_layers() override { return {}; }
  [[nodiscard]] Graph graph() override { return {}; }
  void bypass(const std::vector<bool>&) override {}
  void watch_quantizers(QuantizerWatcher) override {}
  [[nodiscard]] std::shared_ptr<NormBank> make_norms() const override { return nullptr; }

 private:
  static constexpr int64_t kChannels = 12;

  torch::nn::Conv2d layer(const std::string& name, int64_t in, int64_t out, int64_t stride) {
    return module_->register_module(name,
                                    torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1)));
  }

  bool points_;
  std::shared_ptr<torch::nn::Module> module_ = std::make_shared<torch::nn::Module>("tiny");
  std::vector<torch::nn::Conv2d> down_;
  torch::nn::Conv2d head_{nullptr}, classes_{nullptr}, boxes_{nullptr}, centreness_{nullptr};
};

const DetectorRules& rules_of_cell(const CellSpec& cell) {
  return detector_rules(cell.model.substr(0, cell.model.find('-')), cell.detector.flavour);
}

// Detection with that network; killed before step `steps`. Its classes start at this logit: higher than detectors' do, so
// that little training suffices.
class TinyDetection final : public Task {
 public:
  explicit TinyDetection(int steps = -1, double first_logit = -2) : steps_(steps), first_logit_(first_logit) {}
  [[nodiscard]] std::unique_ptr<Network> network(const CellSpec& cell, const DataShape& data,
                                                 Precision) const override {
    return std::make_unique<TinyDetector>(rules_of_cell(cell), data.classes, first_logit_);
  }
  [[nodiscard]] std::unique_ptr<TaskLosses> make_losses(const CellSpec& cell, const DataShape& data) const override {
    return std::make_unique<Killed>(steps_, detection().make_losses(cell, data));
  }
  [[nodiscard]] HeadMaker head(const DataShape&) const override { return {}; }
  [[nodiscard]] std::unique_ptr<Evaluator> evaluator(const CellSpec& cell, const ImageSource& images) const override {
    return detection().evaluator(cell, images);
  }
  [[nodiscard]] std::optional<ChanceLevel> chance_level(const DataShape& data, int64_t images) const override {
    return detection().chance_level(data, images);
  }

 private:
  class Killed final : public TaskLosses {
   public:
    Killed(int steps, std::unique_ptr<TaskLosses> whole) : left_(steps), whole_(std::move(whole)) {}
    void begin_step(const TensorBatch& batch) override {
      if (--left_ == 0) throw std::runtime_error("killed");
      whole_->begin_step(batch);
    }
    NamedLosses losses(const NetworkOutput& output, const Targets& targets) override {
      return whole_->losses(output, targets);
    }
    torch::nn::Module* module() override { return whole_->module(); }

   private:
    int left_;
    std::unique_ptr<TaskLosses> whole_;
  };

  int steps_;
  double first_logit_;
};

CellSpec scene_cell(const char* model, const char* flavour, int iterations) {
  CellSpec cell;
  cell.task = "detection";
  cell.dataset = "painted";
  cell.model = model;
  cell.detector.flavour = flavour;
  cell.pretrain = StageSpec{.iterations = iterations, .batch = 4, .optimizer = "adam", .lr = 5e-3};
  cell.pretrain->warmup = 10;
  cell.pretrain->evaluate = "ends";
  return cell;
}

TrainOutcome train_scenes(const Task& task, const CellSpec& cell, const std::filesystem::path& checkpoint) {
  Progress quiet;
  Experiment experiment(task, cell, {.channels = 1, .classes = 2}, {});
  return train(experiment, scene_data(), {.file = checkpoint}, "scenes", quiet);
}

}  // namespace

TEST_CASE("a tiny detector learns painted scenes: its loss falls and it finds things, in every flavour", "[runner]") {
  for (const char* model : {"retinanet-resnet18", "fcos-resnet18"}) {
    for (const char* flavour : {"detectron2", "torchvision"}) {
      INFO(model << " " << flavour);
      const TempFolder folder;
      const auto cell = scene_cell(model, flavour, 150);
      const auto outcome = train_scenes(TinyDetection(), cell, folder.path() / "checkpoint");
      REQUIRE(outcome.status == Status::completed);
      const auto& losses = outcome.state.curves.at("train_loss");
      CHECK(losses.size() == 2);
      // A divisor that is an average is still on its way down from where it starts: losses are not comparable then.
      if (rules_of_cell(cell).loss.normaliser != Normaliser::moving_average)
        CHECK(losses.back() < 0.5 * losses.front());
      REQUIRE(outcome.final.has_value());
      CHECK(outcome.final->metrics.front().name == "ap");
      CHECK(outcome.final->metrics[1].name == "ap50");
      CHECK(outcome.final->metrics[1].value > 20);
      const int64_t kept = std::string(flavour) == "torchvision" && cell.model.starts_with("retinanet") ? 300 : 100;
      CHECK(outcome.final->outcomes.at("detections").sizes() == at::IntArrayRef({9, kept, 6}));
      Record record;
      fill_record(outcome, TinyDetection(), scene_data(), record);
      CHECK(record.status == Status::completed);
      CHECK(record.curves.at("ap50").size() == 2);
      CHECK(record.facts.at("detection").at("categories") == nlohmann::json{"square", "frame"});
    }
  }
}

TEST_CASE("a detector's training that is cut off anywhere and resumed ends bit for bit, its divisor included",
          "[runner]") {
  const auto cell = scene_cell("retinanet-resnet18", "detectron2", 20);
  const TempFolder folder;
  const auto whole = train_scenes(TinyDetection(), cell, folder.path() / "whole");
  for (const int cut : {8, 15, 20}) {
    INFO("killed in step " << cut);
    const auto file = folder.path() / ("cut" + std::to_string(cut));
    CHECK_THROWS_WITH(train_scenes(TinyDetection(cut), cell, file), "killed");
    CHECK(read_safetensors(file).tensors.contains("task.normaliser"));
    const auto resumed = train_scenes(TinyDetection(), cell, file);
    CHECK(same_outcomes(whole, resumed));
    CHECK(whole.state.curves == resumed.state.curves);
  }
}

TEST_CASE("a detector that learned nothing is not trusted, and one whose outputs are no numbers is counted",
          "[runner]") {
  auto cell = scene_cell("retinanet-resnet18", "detectron2", 2);
  cell.pretrain->lr = 1e-9;
  const TempFolder folder;
  const TinyDetection task(-1, -4.6);
  const auto outcome = train_scenes(task, cell, folder.path() / "checkpoint");
  Record record;
  fill_record(outcome, task, scene_data(), record);
  CHECK(record.status == Status::mistrusted);
  CHECK(record.reason == "ap50 is at chance level: the network has learned nothing");
  Experiment experiment(task, cell, {.channels = 1, .classes = 2}, {});
  experiment.train_mode(false);
  {
    const at::NoGradGuard no_gradient;
    experiment.tensors().at("model.classes.bias").fill_(2);
    experiment.tensors().at("model.boxes.bias").fill_(std::numeric_limits<float>::quiet_NaN());
  }
  const auto evaluation = evaluate(task, cell, experiment.network(), scene_data().test, {});
  CHECK(evaluation.without_numbers == 9);
  CHECK(evaluation.outcomes.at("detections").eq(-1).all().item<bool>());
}

namespace {

// Outputs from which exactly the truth of these images comes back: every anchor that has a box says which.
NetworkOutput perfect_output(const DetectorRules& rules, const std::vector<BoxedImage>& infos, const Extent& padded) {
  Targets targets;
  for (const auto& info : infos) {
    auto boxes = at::empty({std::ssize(info.boxes), 4}), classes = at::empty({std::ssize(info.boxes)}, at::kLong);
    for (int64_t i = 0; i < std::ssize(info.boxes); ++i) {
      const auto& box = info.boxes[static_cast<size_t>(i)];
      boxes[i] = at::tensor({box.x0, box.y0, box.x1, box.y1});
      classes[i] = box.label;
    }
    targets.boxes.push_back(boxes);
    targets.classes.push_back(classes);
  }
  NetworkOutput output;
  for (const auto& level : assign_targets(rules, 2, padded, targets).levels) {
    const auto images = level.labels.size(0), anchors = level.labels.size(1), places = level.labels.size(2);
    auto logits = at::full({images, anchors, 2, places}, -9.0F), boxes = at::zeros({images, anchors, 4, places});
    for (int64_t p = 0; p < level.image.numel(); ++p) {
      const auto n = level.image[p].item<int64_t>(), a = level.anchor[p].item<int64_t>(),
                 at = level.place[p].item<int64_t>();
      logits[n][a][level.labels[n][a][at].item<int64_t>()][at] = 6;
      for (int64_t i = 0; i < 4; ++i) boxes[n][a][i][at] = level.codes[p][i].to(at::kFloat);
    }
    const auto height = level.grid.height, width = level.grid.width;
    output.levels.push_back({.level = level.grid.level,
                             .classes = logits.view({images, 2 * anchors, height, width}),
                             .boxes = boxes.view({images, 4 * anchors, height, width})});
    if (rules.match.points) output.levels.back().centreness = at::full({images, 1, height, width}, 6.0F);
  }
  return output;
}

TensorBatch infos_of(const ImageSource& images, const std::vector<size_t>& chosen) {
  TensorBatch batch;
  RandomStream none(0);
  for (const auto index : chosen) batch.infos.push_back(images.look(index, {}, none));
  return batch;
}

}  // namespace

TEST_CASE("a detector that is right about everything has all of COCO's numbers, whatever the padding", "[runner]") {
  const auto& images = *scene_data().test;
  for (const char* kind : {"retinanet", "fcos"}) {
    for (const char* flavour : {"detectron2", "torchvision"}) {
      INFO(kind << " " << flavour);
      const auto& rules = detector_rules(kind, flavour);
      const auto whole = make_detection_evaluator(rules, images), first = make_detection_evaluator(rules, images),
                 second = make_detection_evaluator(rules, images);
      const auto all = infos_of(images, {0, 1, 2, 3, 4, 5, 6, 7, 8});
      whole->add(all, perfect_output(rules, all.infos, {.height = 64, .width = 96}));
      const auto front = infos_of(images, {0, 1, 2}), back = infos_of(images, {3, 4, 5, 6, 7, 8});
      first->add(front, perfect_output(rules, front.infos, {.height = 64, .width = 96}));
      second->add(back, perfect_output(rules, back.infos, {.height = 128, .width = 160}));
      const auto evaluation = whole->finish();
      std::vector<std::string> names;
      for (const auto& metric : evaluation.metrics) {
        names.push_back(metric.name);
        CHECK(metric.unit == "%");
        if (metric.name.starts_with("ap")) CHECK(metric.value == Approx(100));
      }
      // Things are 36 to 56 pixels wide in their files: none is small or large.
      CHECK(names == std::vector<std::string>{"ap", "ap50", "ap75", "apm", "ar1", "ar10", "ar100"});
      CHECK(evaluation.without_numbers == 0);
      const auto& fact = evaluation.facts.at("detection");
      CHECK(fact.at("ap") == nlohmann::json{100.0, 100.0});
      CHECK(fact.at("precision50").size() == 101);
      CHECK(fact.at("precision75").back() == 100.0);
      first->merge(*second);
      const auto merged = first->finish();
      for (size_t i = 0; i < merged.metrics.size(); ++i)
        CHECK(merged.metrics[i].value == Approx(evaluation.metrics[i].value));
      // The first row is a box of the file, in its pixels.
      const auto row = evaluation.outcomes.at("detections")[0][0];
      CHECK(row[1].item<double>() > 0.9);
      bool found = false;
      for (const auto& box : all.infos[0].boxes)
        found = found || (std::abs(row[2].item<float>() - 2 * box.x0) < 1e-3F &&
                          std::abs(row[5].item<float>() - 2 * box.y1) < 1e-3F && row[0].item<int64_t>() == box.label);
      CHECK(found);
      CHECK(evaluation.outcomes.at("detections")[0][-1].eq(-1).all().item<bool>());
    }
  }
}

TEST_CASE("the plan and the data agree on which images have boxes", "[runner]") {
  for (const auto& name : dataset_names()) {
    INFO(name);
    CHECK(has_boxes(name) == dataset_boxed(name));
  }
}

TEST_CASE("images that show no box judge no detector", "[runner]") {
  class Empty final : public ImageSource {
   public:
    explicit Empty(bool crowd) {
      truth_.images.push_back({.id = 1, .width = 8, .height = 8});
      truth_.categories.push_back({1, "thing"});
      if (crowd) truth_.annotations.push_back({.id = 1, .image = 1, .category = 1, .area = 4, .crowd = true});
    }
    [[nodiscard]] int64_t count() const override { return 1; }
    [[nodiscard]] int64_t classes() const override { return 1; }
    [[nodiscard]] ImageShape shape() const override { return {1, 8, 8}; }
    [[nodiscard]] int64_t label(size_t) const override { return 0; }
    [[nodiscard]] bool boxed() const override { return true; }
    [[nodiscard]] const CocoTruth* truth() const override { return &truth_; }
    void check_augmentation(const Augmentation&) const override {}
    void write(size_t, const Augmentation&, RandomStream&, bool, std::span<float>) const override {}

   private:
    CocoTruth truth_;
  };
  for (const bool crowd : {false, true})
    CHECK_THROWS_AS(make_detection_evaluator(detector_rules("fcos", "detectron2"), Empty(crowd)), UserError);
}
