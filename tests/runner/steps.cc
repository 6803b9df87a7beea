// Steps and what stands around them: gradients of several processes, the learning rate, checkpoints between epochs.
#include <cmath>
#include <stdexcept>

#include "runner/tasks/classification/classification.h"
#include "runner/training/step_engine.h"
#include "tests/runner/small_cells.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

// Stands for a process whose peers have no gradient at all.
class Halving final : public GradientSync {
 public:
  void average(const std::vector<at::Tensor>& parameters) override {
    for (const auto& parameter : parameters)
      if (parameter.grad().defined()) parameter.mutable_grad().mul_(0.5);
    ++calls;
    count = parameters.size();
  }
  int calls = 0;
  size_t count = 0;
};

// Classification that is killed in its `steps`-th step.
class KilledAt final : public Task {
 public:
  explicit KilledAt(int steps) : left_(steps) {}
  [[nodiscard]] std::unique_ptr<Network> network(const CellSpec& cell, const DataShape& data,
                                                 Precision precision) const override {
    return classification().network(cell, data, precision);
  }
  [[nodiscard]] std::unique_ptr<TaskLosses> make_losses(const CellSpec& cell, const DataShape& data) const override {
    return std::make_unique<Losses>(left_, classification().make_losses(cell, data));
  }
  [[nodiscard]] HeadMaker head(const DataShape& data) const override { return classification().head(data); }
  [[nodiscard]] std::unique_ptr<Evaluator> evaluator(const CellSpec& cell, const ImageSource& images) const override {
    return classification().evaluator(cell, images);
  }
  [[nodiscard]] std::optional<ChanceLevel> chance_level(const DataShape& data, int64_t images) const override {
    return classification().chance_level(data, images);
  }

 private:
  class Losses final : public TaskLosses {
   public:
    Losses(int steps, std::unique_ptr<TaskLosses> whole) : left_(steps), whole_(std::move(whole)) {}
    NamedLosses losses(const NetworkOutput& output, const Targets& targets) override {
      if (--left_ <= 0) throw std::runtime_error("killed");
      return whole_->losses(output, targets);
    }

   private:
    int left_;
    std::unique_ptr<TaskLosses> whole_;
  };

  int left_;
};

}  // namespace

TEST_CASE("gradients are brought together between backward and the optimiser", "[runner]") {
  auto cell = small_cell(true);
  cell.pretrain->momentum = 0;
  cell.pretrain->nesterov = false;
  const auto whole = experiment_of(cell), halved = experiment_of(cell), start = experiment_of(cell);
  for (const auto& experiment : {whole.get(), halved.get()}) experiment->train_mode(true);
  Halving halving;
  make_eager_step(*whole)->step(first_batch(), 0.02);
  make_eager_step(*halved, halving)->step(first_batch(), 0.02);
  CHECK(halving.calls == 1);
  CHECK(halving.count == whole->parameters().size());
  const auto before = start->parameters(), after = whole->parameters(), half = halved->parameters();
  for (const auto& [name, parameter] : before) {
    INFO(name);
    CHECK((half.at(name) - parameter).allclose((after.at(name) - parameter) * 0.5, 1e-3, 1e-6));
  }
}

TEST_CASE("the optimiser reads its learning rate at each step, and moves nothing before one is set", "[runner]") {
  for (const char* kind : {"sgd", "adam"}) {
    INFO(kind);
    auto weight = at::ones({3});
    weight.set_requires_grad(true);
    weight.mutable_grad() = at::ones({3});
    const StageSpec stage = {.epochs = 1, .optimizer = kind, .momentum = 0, .nesterov = false};
    Optimizer optimizer(stage, {{"w", weight}}, [](const std::string&) { return ParameterRule{.lr = 0.5}; });
    optimizer.step();
    CHECK(weight.detach().equal(at::ones({3})));
    optimizer.set_learning_rate(0.2);
    optimizer.step();
    CHECK(weight[0].item<float>() == Approx(0.9F));
    optimizer.set_learning_rate(0.4);
    optimizer.step();
    CHECK(weight[0].item<float>() == Approx(0.7F));
  }
}

TEST_CASE("a clip that nothing reaches is lowered by its method's own weight decay", "[runner]") {
  for (const char* method : {"pact", "sawb"}) {
    INFO(method);
    auto cell = quantized(small_cell(false));
    cell.quantizer = method;
    cell.quantizer_settings = {{"activation.alpha", 1000}};
    const auto experiment = experiment_of(cell);
    experiment->train_mode(true);
    make_eager_step(*experiment)->step(first_batch(), 0.25);
    int clips = 0;
    for (const auto& [name, parameter] : experiment->parameters()) {
      if (!name.ends_with("input_quantizer.alpha")) continue;
      ++clips;
      CHECK(parameter.item<double>() == Approx(999.75).epsilon(1e-9));  // Adam's first step is the learning rate
    }
    CHECK(clips > 10);
  }
}

TEST_CASE("QIL's interval learns at the weights' rate under Adam, at a hundredth of it under SGD", "[runner]") {
  for (const std::string kind : {"adam", "sgd"}) {
    INFO(kind);
    auto cell = quantized(small_cell(false));
    cell.quantizer = "qil";
    cell.quantizer_settings = {{"activation.centre", 0.5}, {"activation.width", 0.5}};
    cell.finetune->optimizer = kind;
    cell.finetune->momentum = 0;
    cell.finetune->nesterov = false;
    const auto experiment = experiment_of(cell);
    experiment->train_mode(true);
    make_eager_step(*experiment)->step(first_batch(), 0.01);
    int moved = 0;
    for (const auto& [name, parameter] : experiment->parameters()) {
      if (!name.ends_with("input_quantizer.centre")) continue;
      const double gradient = parameter.grad().item<double>(), found = parameter.item<double>() - 0.5;
      if (std::abs(gradient) < 1e-4) continue;
      ++moved;
      // Adam's first step is the learning rate, whatever the gradient.
      CHECK(found ==
            Approx(kind == "adam" ? -std::copysign(0.01, gradient) : -1e-4 * gradient).epsilon(0.02).margin(1e-7));
    }
    CHECK(moved > 3);
  }
}

TEST_CASE("a run killed after a checkpoint of the minutes and resumed ends bit for bit as one that was not",
          "[runner]") {
  const TempFolder folder;
  const auto cell = small_cell(false);
  const auto whole = train_cell(cell, {folder.path() / "whole"});
  Progress quiet;
  // Epochs have three steps: the fifth is the second of the second epoch.
  const auto kill = [&](const char* file, double minutes) {
    const KilledAt task(5);
    Experiment experiment(task, cell, {.channels = 1, .classes = 4}, {});
    CHECK_THROWS_WITH(train(experiment, made_up_data(), {folder.path() / file, minutes}, "cell", quiet), "killed");
    TrainingState state;
    const auto fresh = experiment_of(cell);
    CHECK(load_checkpoint(folder.path() / file, "cell", *fresh, state));
    return state.iteration;
  };
  CHECK(kill("rare", 10) == 3);
  CHECK(kill("often", 0) == 4);
  for (const char* file : {"rare", "often"}) {
    const auto resumed = train_cell(cell, {folder.path() / file});
    CHECK(same_weights(*whole.experiment, *resumed.experiment));
    CHECK(same_outcomes(whole.outcome, resumed.outcome));
    CHECK(whole.outcome.state.curves == resumed.outcome.state.curves);
  }
}
