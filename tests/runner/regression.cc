// A second task, which knows neither labels nor classes: a picture's mean brightness. It trains through the same trainer,
// checkpoint and record as classification does.
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "quantizers/quantized_layers.h"
#include "runner/sweep/cell_files.h"
#include "runner/sweep/cell_record.h"
#include "runner/tasks/cell_network.h"
#include "runner/tasks/classification/classification.h"
#include "runner/training/evaluator.h"
#include "tests/runner/small_cells.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

// Pictures of one grey and a little noise; what stands beside an image is its grey in 0..200.
ImageSet grey_images(int64_t count) {
  ImageSet images = {.count = count, .channels = 1, .height = 12, .width = 12, .classes = 201};
  RandomStream random(stream_seed(2, "grey images", static_cast<uint64_t>(count)));
  for (int64_t i = 0; i < count; ++i) {
    const auto grey = static_cast<uint8_t>(random.below(201));
    images.labels.push_back(grey);
    for (int p = 0; p < 144; ++p) images.pixels.push_back(static_cast<uint8_t>(grey + random.below(55)));
  }
  return images;
}

const Dataset& grey_data() {
  static const Dataset data = {.name = "grey",
                               .train = memory_images(grey_images(96), 0.5F, 0.5F),
                               .test = memory_images(grey_images(40), 0.5F, 0.5F),
                               .manifest = "m"};
  return data;
}

at::Tensor wanted_of(const Targets& targets) { return targets.labels.to(at::kFloat) / 100 - 1; }

class ErrorEvaluator final : public Evaluator {
 public:
  void add(const TensorBatch& batch, const NetworkOutput& output) override {
    errors_.push_back((output.logits.flatten() - wanted_of(batch.targets)).abs());
  }
  void merge(Evaluator& next) override {
    for (auto& errors : dynamic_cast<ErrorEvaluator&>(next).errors_) errors_.push_back(errors);
  }
  Evaluation finish() override {
    const auto errors = at::cat(errors_);
    return {.metrics = {{.name = "mean_error", .value = errors.mean().item<double>(), .higher_is_better = false}},
            .outcomes = {{"errors", errors}},
            .answers = "errors"};
  }

 private:
  std::vector<at::Tensor> errors_;
};

class ScalarHead final : public Head {
 public:
  explicit ScalarHead(int64_t channels) : fc_(channels, 1, PrecisionPlan{}) {}
  NetworkOutput forward(const at::Tensor& map) override { return {.logits = fc_.forward(map.mean({2, 3}))}; }
  [[nodiscard]] std::string name() const override { return "regressor"; }
  [[nodiscard]] std::shared_ptr<torch::nn::Module> module() const override { return fc_.module(); }

 private:
  QuantLinear fc_;
};

class Regression : public Task {
 public:
  [[nodiscard]] std::unique_ptr<Network> network(const CellSpec& cell, const DataShape& data,
                                                 Precision precision) const override {
    return make_cell_network(cell, {.channels = data.channels, .classes = 1}, precision);
  }
  [[nodiscard]] NamedLosses losses(const NetworkOutput& output, const Targets& targets) const override {
    const auto error = output.logits.flatten() - wanted_of(targets);
    return {{.name = "square", .value = error.square().mean(), .weight = 0.5},
            {.name = "absolute", .value = error.abs().mean()}};
  }
  [[nodiscard]] HeadMaker head(const DataShape&) const override {
    return [](int64_t channels) { return std::make_unique<ScalarHead>(channels); };
  }
  [[nodiscard]] std::unique_ptr<Evaluator> evaluator() const override { return std::make_unique<ErrorEvaluator>(); }
  // Somewhat below the mean distance of a grey, spread evenly, from the middle.
  [[nodiscard]] std::optional<ChanceLevel> chance_level(const DataShape&, int64_t) const override {
    return ChanceLevel{0.42};
  }
};

CellSpec grey_cell() {
  auto cell = small_cell(true);
  cell.pretrain->augment.clear();
  cell.pretrain->epochs = 12;  // with fewer, or a rate that does not fall, whether it learns is a matter of the seed
  cell.pretrain->schedule = "cosine";
  return cell;
}

// Trains the grey cell with a task and gives its record.
Record record_of(const Task& task, const CellSpec& cell, const std::filesystem::path& folder,
                 std::optional<TrainOutcome>* kept = nullptr) {
  Progress quiet;
  Experiment experiment(task, cell, {.channels = 1, .classes = 0}, {});
  auto outcome = train(experiment, grey_data(), {.file = folder / "checkpoint"}, "grey", quiet);
  Record record = {.id = "grey", .slug = "grey"};
  fill_record(outcome, task, grey_data(), record);
  if (outcome.status == Status::completed) {
    save_weights(experiment, folder);
    save_outcomes(*outcome.final, folder);
  }
  if (kept != nullptr) *kept = std::move(outcome);
  return record;
}

}  // namespace

TEST_CASE("a task without labels trains through the same trainer, files and record, beside the module", "[runner]") {
  const TempFolder folder;
  std::optional<TrainOutcome> outcome;
  const auto record = record_of(Regression(), grey_cell(), folder.path(), &outcome);
  CHECK(record.status == Status::completed);
  REQUIRE(record.metrics.size() == 1);
  CHECK(record.metrics.front().name == "mean_error");
  CHECK(record.metrics.front().value < 0.2);
  for (const char* curve : {"epoch", "train_loss", "aux_loss", "mean_error"}) {
    INFO(curve);
    CHECK(record.curves.at(curve).size() == 12);
  }
  CHECK(record.curves.size() == 4);
  CHECK(record.curves.at("mean_error").back() == record.metrics.front().value);
  CHECK(record.curves.at("train_loss").back() < record.curves.at("train_loss").front());
  CHECK(read_safetensors(folder.path() / kOutcomesFile).tensors.at("errors").shape == std::vector<int64_t>{40});
  CHECK(read_safetensors(folder.path() / kAuxiliaryFile).tensors.contains("regressor.weight"));
  const auto again = record_from_json(record_to_json(record), "memory");
  CHECK(again.metrics.front().value == record.metrics.front().value);
  CHECK_FALSE(again.metrics.front().higher_is_better);
}

TEST_CASE("a task without labels resumes from its checkpoint and ends bit for bit", "[runner]") {
  const TempFolder whole, cut;
  std::optional<TrainOutcome> undisturbed, resumed;
  record_of(Regression(), grey_cell(), whole.path(), &undisturbed);
  class Killed final : public Regression {
   public:
    [[nodiscard]] NamedLosses losses(const NetworkOutput& output, const Targets& targets) const override {
      if (++calls_ > 14)
        throw std::runtime_error("killed");  // called twice a step: the eighth step, in the third epoch
      return Regression::losses(output, targets);
    }

   private:
    mutable int calls_ = 0;
  };
  CHECK_THROWS_WITH(record_of(Killed(), grey_cell(), cut.path()), "killed");
  CHECK(std::filesystem::exists(cut.path() / "checkpoint"));
  record_of(Regression(), grey_cell(), cut.path(), &resumed);
  CHECK(same_outcomes(*undisturbed, *resumed));
  CHECK(undisturbed->state.curves == resumed->state.curves);
}

TEST_CASE("evaluators of two shards, merged, say what one over all images says", "[runner]") {
  const auto cell = small_cell(false);
  const auto experiment = experiment_of(cell);
  experiment->train_mode(false);
  const auto whole = evaluate(experiment->task(), experiment->network(), made_up_data().test, {});
  const at::NoGradGuard no_gradient;
  TensorLoader loader(made_up_data().test, {.batch = 20, .shuffle = false, .epochs = 1}, {});
  const auto first = experiment->task().evaluator(), second = experiment->task().evaluator();
  for (const auto& [evaluator, index] : {std::pair{first.get(), 0}, std::pair{second.get(), 1}}) {
    const auto batch = loader.take(0, index);
    evaluator->add(batch, experiment->network().forward(batch.images));
  }
  first->merge(*second);
  const auto merged = first->finish();
  for (const auto& [name, tensor] : whole.outcomes) CHECK(tensor.equal(merged.outcomes.at(name)));
  for (size_t i = 0; i < whole.metrics.size(); ++i) CHECK(whole.metrics[i].value == merged.metrics[i].value);
}

TEST_CASE("an outcome that the task calls chance is not trusted, in either direction", "[runner]") {
  const auto trusted = [](double value, bool higher_is_better, const std::optional<ChanceLevel>& chance) {
    return !sign_of_chance({.metrics = {{.name = "m", .value = value, .higher_is_better = higher_is_better}}}, {},
                           chance);
  };
  CHECK_FALSE(trusted(12, true, ChanceLevel{12}));
  CHECK(trusted(12.01, true, ChanceLevel{12}));
  CHECK_FALSE(trusted(0.45, false, ChanceLevel{0.45}));
  CHECK(trusted(0.4, false, ChanceLevel{0.45}));
  CHECK(trusted(0, true, std::nullopt));
  const TempFolder folder;
  auto cell = grey_cell();
  cell.pretrain->lr = 1e-9;
  const auto record = record_of(Regression(), cell, folder.path());
  CHECK(record.status == Status::mistrusted);
  CHECK_THAT(record.reason, contains_text("mean_error is at chance level"));
}

TEST_CASE("a classifier has learned nothing where it hits no more than luck, or its loss is that of guessing",
          "[runner]") {
  const auto sign = [](double top1, int64_t images, const Curves& curves) {
    return sign_of_chance({.metrics = {{.name = "top1", .value = top1}}}, curves,
                          classification().chance_level({.channels = 1, .classes = 10}, images))
        .value_or("learned");
  };
  // One in a thousand networks that guess has more than 1094 hits of 10,000, and more than 41 of 256.
  CHECK(sign(10.94, 10000, {}) == "top1 is at chance level");
  CHECK(sign(10.95, 10000, {}) == "learned");
  CHECK(sign(100.0 * 41 / 256, 256, {}) == "top1 is at chance level");
  CHECK(sign(100.0 * 42 / 256, 256, {}) == "learned");
  // A deep network whose outputs hardly differ: 0.95 ln 10 is 2.187.
  CHECK(sign(13.45, 10000, {{"epoch", {1, 3}}, {"train_loss", {2.3, 2.285}}}) ==
        "the training loss, 2.29, is at chance level");
  CHECK(sign(13.45, 10000, {{"epoch", {1, 3}}, {"train_loss", {2.3, 2.18}}}) == "learned");
  CHECK(sign(60, 10000, {{"epoch", {1}}, {"train_loss", {2.25}}}) == "learned");
}

namespace {

class WithLosses final : public Regression {
 public:
  explicit WithLosses(std::function<NamedLosses(const NetworkOutput&)> losses) : losses_(std::move(losses)) {}
  [[nodiscard]] NamedLosses losses(const NetworkOutput& output, const Targets&) const override {
    return losses_(output);
  }

 private:
  std::function<NamedLosses(const NetworkOutput&)> losses_;
};

}  // namespace

TEST_CASE("a task that returns no loss, or one that is no scalar, stops its cell with a line that says so",
          "[runner]") {
  const TempFolder folder;
  const auto train_with = [&](std::function<NamedLosses(const NetworkOutput&)> losses) {
    return record_of(WithLosses(std::move(losses)), grey_cell(), folder.path());
  };
  CHECK_THROWS_WITH(train_with([](const auto&) { return NamedLosses(); }), contains_text("the task to have a loss"));
  CHECK_THROWS_WITH(train_with([](const auto& output) -> NamedLosses {
                      return {{.name = "rows", .value = output.logits.flatten()}};
                    }),
                    contains_text("the task's loss rows to be a scalar") && contains_text("[32]"));
}

TEST_CASE("a task whose loss is NaN ends as diverged, and the reason names the step", "[runner]") {
  const TempFolder folder;
  const WithLosses nan([](const NetworkOutput& output) -> NamedLosses {
    return {{.name = "nan", .value = output.logits.sum() * std::numeric_limits<double>::quiet_NaN()}};
  });
  const auto record = record_of(nan, grey_cell(), folder.path());
  CHECK(record.status == Status::diverged);
  CHECK(record.reason == "loss nan at step 1");
  CHECK(record.metrics.empty());
}
