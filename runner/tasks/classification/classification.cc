#include "runner/tasks/classification/classification.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/torch_prelude.h"
#include "metrics/binomial.h"
#include "metrics/topk.h"
#include "quantizers/quantized_layers.h"
#include "runner/tasks/cell_network.h"

namespace auxbench {
namespace {

class ClassifierHead final : public Head {
 public:
  ClassifierHead(int64_t channels, int64_t classes) : fc_(channels, classes, PrecisionPlan{}) {}
  NetworkOutput forward(const at::Tensor& map) override { return {.logits = fc_.forward(map.mean({2, 3}))}; }
  [[nodiscard]] std::string name() const override { return "fc"; }
  [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const override { return fc_.module(); }

 private:
  QuantLinear fc_;
};

at::Tensor bits(const std::vector<bool>& values) {
  auto tensor = at::empty({std::ssize(values)}, at::kBool);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<bool>());
  return tensor;
}

template <typename T>
void append(std::vector<T>& all, const std::vector<T>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

class TopKEvaluator final : public Evaluator {
 public:
  void add(const TensorBatch& batch, const NetworkOutput& output) override {
    const auto logits = output.logits.to(at::kCPU, at::kFloat).contiguous();
    const auto labels = batch.targets.labels.to(at::kCPU);
    add_topk({logits.const_data_ptr<float>(), static_cast<size_t>(logits.numel())},
             {labels.const_data_ptr<int64_t>(), static_cast<size_t>(labels.numel())}, logits.size(1), ranks_);
  }

  void merge(Evaluator& next) override {
    auto* other = dynamic_cast<TopKEvaluator*>(&next);
    AUXBENCH_CHECK(other != nullptr, "an evaluator of the same task");
    append(ranks_.predictions, other->ranks_.predictions);
    append(ranks_.top1, other->ranks_.top1);
    append(ranks_.top5, other->ranks_.top5);
  }

  Evaluation finish() override {
    return {.metrics = {{.name = "top1", .value = percent(ranks_.top1), .unit = "%"},
                        {.name = "top5", .value = percent(ranks_.top5), .unit = "%"}},
            .outcomes = {{"predictions", at::tensor(ranks_.predictions, at::kLong).to(at::kShort)},
                         {"in_top1", bits(ranks_.top1)},
                         {"in_top5", bits(ranks_.top5)}},
            .answers = "predictions",
            .without_numbers = std::count(ranks_.predictions.begin(), ranks_.predictions.end(), int64_t{-1})};
  }

 private:
  TopK ranks_;
};

class CrossEntropy final : public TaskLosses {
 public:
  NamedLosses losses(const NetworkOutput& output, const Targets& targets) override {
    return {{.name = "cross_entropy", .value = at::cross_entropy_loss(output.logits, targets.labels)}};
  }
};

class Classification final : public Task {
 public:
  [[nodiscard]] std::unique_ptr<Network> network(const CellSpec& cell, const DataShape& data,
                                                 Precision precision) const override {
    return make_cell_network(cell, data, precision);
  }

  [[nodiscard]] std::unique_ptr<TaskLosses> make_losses(const CellSpec&, const DataShape&) const override {
    return std::make_unique<CrossEntropy>();
  }

  [[nodiscard]] HeadMaker head(const DataShape& data) const override {
    return [classes = data.classes](int64_t channels) { return std::make_unique<ClassifierHead>(channels, classes); };
  }

  [[nodiscard]] std::unique_ptr<Evaluator> evaluator(const CellSpec&, const ImageSource&) const override {
    return std::make_unique<TopKEvaluator>();
  }

  // Accuracy: what a network that guesses does not surpass but once in a thousand times. Loss: 95 % of ln(classes),
  // that of equal probabilities; a network may sit there and still tell a few images apart.
  [[nodiscard]] std::optional<ChanceLevel> chance_level(const DataShape& data, int64_t test_images) const override {
    const auto classes = static_cast<double>(data.classes);
    if (data.classes < 2 || test_images < 1) return std::nullopt;
    const auto hits = static_cast<double>(most_hits_by_luck(test_images, 1 / classes, 1e-3));
    return ChanceLevel{.metric = 100 * hits / static_cast<double>(test_images), .loss = 0.95 * std::log(classes)};
  }
};

}  // namespace

const Task& classification() {
  static const Classification kTask;
  return kTask;
}

}  // namespace auxbench
