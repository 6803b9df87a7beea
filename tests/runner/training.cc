// Training, its interruption and its resumption, on a tiny dataset made here.
#include <csignal>
#include <fstream>

#include "base/error.h"
#include "base/files/file.h"
#include "base/torch_prelude.h"
#include "quantizers/methods/methods.h"
#include "quantizers/quantized_layers.h"
#include "runner/plan/aids.h"
#include "runner/plan/cost.h"
#include "runner/training/calibration.h"
#include "runner/training/schedule.h"
#include "runner/training/step_engine.h"
#include "tests/runner/small_cells.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using namespace auxbench::test;

TEST_CASE("the same cell trained twice gives the same weights, curves and predictions", "[runner]") {
  for (const auto& cell : {small_cell(false), quantized(small_cell(true))}) {
    const test::TempFolder folder;
    const auto a = train_cell(cell, {folder.path() / "a"}), b = train_cell(cell, {folder.path() / "b"});
    CHECK(same_weights(*a.experiment, *b.experiment));
    CHECK(a.outcome.state.curves == b.outcome.state.curves);
    CHECK(same_outcomes(a.outcome, b.outcome));
  }
}

namespace {

// What a killed run leaves: the state after `cut` steps, written by the trainer's own code.
void leave_checkpoint(const CellSpec& cell, int64_t cut, const std::filesystem::path& file) {
  const auto& stage = cell.stage();
  auto experiment = experiment_of(cell);
  const auto engine = make_eager_step(*experiment);
  TrainingState state;
  TensorLoader loader(made_up_data().train, {.batch = stage.batch, .seed = cell.seed, .augment = stage.augment}, {});
  experiment->train_mode(true);
  const int64_t total = stage.by_iterations() ? stage.iterations : stage.epochs * loader.batches();
  for (; state.iteration < cut; ++state.iteration) {
    const auto epoch = state.iteration / loader.batches(), batch = state.iteration % loader.batches();
    if (batch == 0) state.epoch_losses.clear();
    const auto losses = engine->step(loader.take(epoch, batch), learning_rate(stage, state.iteration, loader.batches()),
                                     {state.iteration, total});
    state.epoch_losses["train_loss"] += losses.task.item<double>();
    for (const auto& loss : losses.methods) state.epoch_losses[loss.name] += loss.value.item<double>();
  }
  if (state.iteration % loader.batches() == 0) state.epoch_losses.clear();
  save_checkpoint(file, "cell", *experiment, state);
}

void check_resumes(const CellSpec& cell, const std::vector<int64_t>& cuts) {
  const test::TempFolder folder;
  const auto whole = train_cell(cell, {folder.path() / "whole"});
  CHECK(whole.outcome.status == Status::completed);
  for (const auto cut : cuts) {
    const auto file = folder.path() / ("cut" + std::to_string(cut));
    leave_checkpoint(cell, cut, file);
    const auto resumed = train_cell(cell, {file});
    INFO("cut after step " << cut);
    CHECK(same_weights(*whole.experiment, *resumed.experiment));
    CHECK(same_outcomes(whole.outcome, resumed.outcome));
    CHECK(whole.outcome.state.curves.at("train_loss").back() == resumed.outcome.state.curves.at("train_loss").back());
  }
}

}  // namespace

TEST_CASE("a run cut off anywhere and resumed ends bit for bit as one that was not", "[runner]") {
  for (const auto& cell : {small_cell(true), quantized(small_cell(true))}) check_resumes(cell, {1, 3, 4, 8});
}

TEST_CASE("a stage of so many iterations ends within an epoch, is resumed anywhere, and is as good as its epochs",
          "[runner]") {
  auto cell = quantized(small_cell(true));
  cell.finetune->schedule = "cosine";
  const test::TempFolder folder;
  const auto by_epochs = train_cell(cell, {folder.path() / "epochs"});
  cell.finetune->epochs = 0;
  cell.finetune->iterations = 9;  // three epochs of three batches
  const auto by_iterations = train_cell(cell, {folder.path() / "iterations"});
  CHECK(same_weights(*by_epochs.experiment, *by_iterations.experiment));
  CHECK(by_epochs.outcome.state.curves == by_iterations.outcome.state.curves);
  cell.finetune->iterations = 7;
  cell.finetune->schedule = "step";
  cell.finetune->milestones = {4};
  cell.finetune->warmup = 2;
  const auto cut_short = train_cell(cell, {folder.path() / "short"});
  CHECK(cut_short.outcome.state.iteration == 7);
  CHECK(cut_short.outcome.state.curves.at("epoch") == std::vector<double>{1, 2, 7.0 / 3});
  CHECK(cut_short.outcome.state.curves.at("train_loss").size() == 3);
  CHECK(cut_short.outcome.final.has_value());
  cell.finetune->evaluate = "ends";
  const auto ends = train_cell(cell, {folder.path() / "ends"});
  CHECK(ends.outcome.state.curves.at("epoch") == std::vector<double>{1, 7.0 / 3});
  check_resumes(cell, {1, 3, 6});
}

TEST_CASE("every quantizer trains beside the module, and its state survives a resume", "[runner]") {
  for (const auto& method : quantizer_methods()) {
    INFO(method.name);
    if (method.post_training()) continue;
    check_resumes(with_method(quantized(small_cell(true)), method), {2});
  }
}

TEST_CASE("every training method trains, alone and beside the module, and survives a resume", "[runner]") {
  for (const auto& aid : aids()) {
    for (const bool auxi : {false, true}) {
      auto cell = quantized(small_cell(auxi));
      if (aid.name != "auxi") cell.aid.push_back(aid.name);
      INFO(aid.name << (auxi ? " with the module" : ""));
      check_resumes(cell, {2});
    }
  }
}

TEST_CASE("hints through quantizers that are fitted to the first batch survive a resume", "[runner]") {
  for (const char* quantizer : {"lsq", "lq-net"}) {
    INFO(quantizer);
    auto cell = quantized(small_cell(false));
    cell.quantizer = quantizer;
    cell.aid = {"hint"};
    check_resumes(cell, {2, 4});
  }
}

TEST_CASE("every kind of block trains, plain and with first and last layers at eight bits", "[runner]") {
  for (const char* block : {"post-act", "pre-act", "bireal", "group"}) {
    for (const bool skip : {true, false}) {
      auto cell = quantized(small_cell(true));
      cell.block = block;
      cell.bases = 2;
      cell.skip = skip;
      cell.first_last = "8-bit";
      INFO(block << (skip ? "" : ", plain"));
      check_resumes(cell, {2});
    }
  }
}

TEST_CASE("a post-training method is calibrated, the same every time, and has learnt weights on its grid", "[runner]") {
  for (const auto& method : quantizer_methods()) {
    if (!method.post_training()) continue;
    INFO(method.name);
    auto cell = with_method(quantized(small_cell(false)), method);
    cell.finetune.reset();
    cell.weight_bits = cell.activation_bits = 4;
    cell.first_last = "8-bit";
    cell.calibrate =
        CalibrationSpec{.images = 40, .batch = 16, .iterations = method.fitting == Fitting::reconstruction ? 20 : 0};
    Progress quiet;
    const auto a = experiment_of(cell), b = experiment_of(cell);
    const auto first = calibrate(*a, made_up_data(), "cell", quiet),
               second = calibrate(*b, made_up_data(), "cell", quiet);
    CHECK(first.status == Status::completed);
    CHECK(same_weights(*a, *b));
    CHECK(same_outcomes(first, second));
    CHECK(first.final->outcomes.at("predictions").size(0) == 40);
    const auto layers = a->network().quantized_layers();
    CHECK(layers.size() == 21);  // stem, 16 convolutions, 3 shortcuts, classifier
    if (method.fitting != Fitting::reconstruction) continue;
    for (auto* layer : layers) {
      const auto on_grid = layer->weight_quantizer()->quantize(layer->values());
      CHECK((on_grid - layer->values()).abs().max().item<double>() < 1e-6);
    }
  }
}

TEST_CASE("learned rounding loses less of a layer's output than rounding to nearest", "[runner]") {
  const test::TempFolder folder;
  auto start = small_cell(false);
  start.pretrain->epochs = 8;
  start.pretrain->augment.clear();
  const auto trained = train_cell(start, {folder.path() / "fp"});
  auto cell = quantized(start);
  cell.finetune.reset();
  cell.weight_bits = 2;
  cell.activation_bits = 32;
  const auto images = at::rand({32, 1, 12, 12});
  const auto exact = trained.experiment->network().forward(images).logits.detach();
  std::map<std::string, double> lost;
  for (const char* method : {"mse", "adaround"}) {
    cell.quantizer = method;
    cell.calibrate = CalibrationSpec{.images = 96, .batch = 32, .iterations = method == std::string("mse") ? 0 : 1000};
    const auto experiment = experiment_of(cell);
    auto source = trained.experiment->tensors();
    const at::NoGradGuard no_gradient;
    for (auto& [name, tensor] : experiment->tensors())
      if (source.contains(name)) tensor.copy_(source.at(name));
    Progress quiet;
    {
      const at::AutoGradMode gradients(true);
      calibrate(*experiment, made_up_data(), "cell", quiet);
    }
    lost[method] = (experiment->network().forward(images).logits - exact).square().mean().item<double>();
  }
  CHECK(lost["adaround"] < 0.5 * lost["mse"]);
}

TEST_CASE("a stage that a quantized cell starts from is the one its aids ask for", "[runner]") {
  auto cell = quantized(small_cell(true));
  cell.aid = {"auxi", "kd", "progressive", "two-stage"};
  const auto weights_first = cell.parent();
  CHECK(weights_first->activation_bits == 32);
  CHECK_FALSE(weights_first->has_aid("two-stage"));
  const auto wider = weights_first->parent();
  CHECK(wider->weight_bits == 4);
  const auto widest = wider->parent();
  CHECK(widest->weight_bits == 8);
  const auto start = widest->parent();
  CHECK(start->full_precision());
  CHECK(start->aid == std::vector<std::string>{"auxi"});
  CHECK(cell.teacher()->aid.empty());
  cell.aid = {"apprentice-b"};
  CHECK_FALSE(cell.parent());
  CHECK(cell.teacher());
  cell.aid = {"apprentice-a"};
  CHECK_FALSE(cell.teacher());
}

TEST_CASE("a small network learns a task that can be learnt", "[runner]") {
  const test::TempFolder folder;
  auto cell = small_cell(false);
  cell.pretrain->epochs = 8;
  cell.pretrain->augment.clear();
  CHECK(train_cell(cell, {folder.path() / "c"}).outcome.final->metrics.front().value > 60);
}

TEST_CASE("an exploding loss ends the cell as diverged and names the step", "[runner]") {
  const test::TempFolder folder;
  auto cell = small_cell(true);
  cell.pretrain->lr = 1e12;
  const auto outcome = train_cell(cell, {folder.path() / "c"}).outcome;
  CHECK(outcome.status == Status::diverged);
  CHECK(outcome.reason.find("at step ") != std::string::npos);
}

TEST_CASE("a checkpoint of another cell is refused, and a cut one counts as none", "[runner]") {
  const test::TempFolder folder;
  const auto cell = small_cell(false);
  auto experiment = experiment_of(cell);
  TrainingState state;
  save_checkpoint(folder.path() / "c", "another", *experiment, state);
  CHECK_THROWS_AS(load_checkpoint(folder.path() / "c", "cell", *experiment, state), UserError);
  const auto bytes = read_file({folder.path() / "c"});
  write_file_atomically(folder.path() / "c", bytes.substr(0, bytes.size() / 2));
  CHECK_FALSE(load_checkpoint(folder.path() / "c", "another", *experiment, state));
  CHECK_FALSE(load_checkpoint(folder.path() / "none", "cell", *experiment, state));
}

TEST_CASE("initial weights follow from the seed, and F's do not depend on H", "[runner]") {
  const auto a = experiment_of(small_cell(false)), b = experiment_of(small_cell(true));
  auto other = small_cell(false);
  other.seed = 1;
  const auto c = experiment_of(other);
  CHECK(a->tensors().at("model.conv1.weight").equal(b->tensors().at("model.conv1.weight")));
  CHECK(a->tensors().at("model.fc.weight").equal(b->tensors().at("model.fc.weight")));
  CHECK_FALSE(a->tensors().at("model.conv1.weight").equal(c->tensors().at("model.conv1.weight")));
}

TEST_CASE("schedules follow their formulas", "[runner]") {
  const StageSpec step = {.epochs = 4, .lr = 1, .schedule = "step", .milestones = {2.4, 3.4}, .gamma = 0.1};
  CHECK(learning_rate(step, 23, 10) == 1);
  CHECK(learning_rate(step, 24, 10) == Approx(0.1));
  CHECK(learning_rate(step, 39, 10) == Approx(0.01));
  const StageSpec cosine = {.epochs = 4, .lr = 2, .schedule = "cosine"};
  CHECK(learning_rate(cosine, 0, 10) == 2);
  CHECK(learning_rate(cosine, 20, 10) == Approx(1));
  CHECK(learning_rate(cosine, 40, 10) == Approx(0).margin(1e-12));
  CHECK(learning_rate({.epochs = 1, .lr = 3}, 5, 10) == 3);
}

TEST_CASE("weight decay spares norms and biases when told to", "[runner]") {
  for (const bool decay_norms : {true, false}) {
    const StageSpec stage = {.epochs = 1,
                             .optimizer = "sgd",
                             .lr = 0.1,
                             .momentum = 0,
                             .nesterov = false,
                             .weight_decay = 0.5,
                             .decay_norms = decay_norms};
    auto weight = at::ones({2, 2}), bias = at::ones({2});
    weight.set_requires_grad(true);
    bias.set_requires_grad(true);
    weight.mutable_grad() = at::zeros({2, 2});
    bias.mutable_grad() = at::zeros({2});
    Optimizer optimizer(stage, {{"w", weight}, {"b", bias}});
    optimizer.set_learning_rate(0.1);
    optimizer.step();
    CHECK(weight[0][0].item<float>() == Approx(0.95F));
    CHECK(bias[0].item<float>() == Approx(decay_norms ? 0.95F : 1.0F));
  }
}
