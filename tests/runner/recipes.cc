// Axes of a recipe: warm-up, clipping, zero-initialised norms, an auxiliary weight that ends, norms re-estimated.
#include "base/torch_prelude.h"
#include "runner/training/clip_gradients.h"
#include "runner/training/norm_statistics.h"
#include "runner/training/schedule.h"
#include "runner/training/step_engine.h"
#include "tests/runner/small_cells.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

at::Tensor parameter_with_gradient(const at::Tensor& gradient) {
  auto parameter = at::zeros_like(gradient);
  parameter.set_requires_grad(true);
  parameter.mutable_grad() = gradient.clone();
  return parameter;
}

CellSpec without_augmentation(CellSpec cell) {
  cell.pretrain->augment.clear();
  return cell;
}

}  // namespace

TEST_CASE("a warm-up rises linearly to the schedule, whichever it is", "[runner]") {
  const StageSpec constant = {.epochs = 4, .lr = 2, .warmup = 0.5};
  for (int64_t i = 0; i < 5; ++i) CHECK(learning_rate(constant, i, 10) == Approx(2 * static_cast<double>(i + 1) / 5));
  CHECK(learning_rate(constant, 5, 10) == 2);
  const StageSpec step = {
      .epochs = 4, .lr = 1, .schedule = "step", .milestones = {0.2, 3}, .gamma = 0.1, .warmup = 0.5};
  CHECK(learning_rate(step, 1, 10) == Approx(0.4));
  CHECK(learning_rate(step, 3, 10) == Approx(0.08));
  CHECK(learning_rate(step, 29, 10) == Approx(0.1));
  CHECK(learning_rate(step, 30, 10) == Approx(0.01));
  const StageSpec cosine = {.epochs = 3, .lr = 2, .schedule = "cosine", .warmup = 1};
  CHECK(learning_rate(cosine, 0, 10) == Approx(0.2));
  CHECK(learning_rate(cosine, 9, 10) == 2);
  CHECK(learning_rate(cosine, 10, 10) == 2);
  CHECK(learning_rate(cosine, 20, 10) == Approx(1));
  CHECK(learning_rate(cosine, 30, 10) == Approx(0).margin(1e-12));
  // A fraction of an iteration is none.
  CHECK(learning_rate({.epochs = 1, .lr = 3, .warmup = 0.01}, 0, 10) == 3);
}

TEST_CASE("a stage that is counted in iterations counts its warm-up and milestones in them, whatever an epoch has",
          "[runner]") {
  for (const int64_t an_epoch : {1, 7, 100000}) {
    const StageSpec step = {
        .iterations = 90, .lr = 1, .schedule = "step", .milestones = {60, 80}, .gamma = 0.1, .warmup = 10};
    CHECK(learning_rate(step, 0, an_epoch) == Approx(0.1));
    CHECK(learning_rate(step, 9, an_epoch) == 1);
    CHECK(learning_rate(step, 59, an_epoch) == 1);
    CHECK(learning_rate(step, 60, an_epoch) == Approx(0.1));
    CHECK(learning_rate(step, 80, an_epoch) == Approx(0.01));
    const StageSpec cosine = {.iterations = 30, .lr = 2, .schedule = "cosine", .warmup = 10};
    CHECK(learning_rate(cosine, 20, an_epoch) == Approx(1));
    CHECK(learning_rate(cosine, 30, an_epoch) == Approx(0).margin(1e-12));
  }
}

TEST_CASE("a cosine ends near zero, however short the training", "[runner]") {
  for (const double warmup : {0.0, 0.5}) {
    for (const int64_t iterations : {25, 188}) {
      const StageSpec stage = {.epochs = 1, .lr = 1, .schedule = "cosine", .warmup = warmup};
      INFO(iterations << " iterations, warm-up " << warmup);
      double before = learning_rate(stage, iterations / 2, iterations);
      for (auto i = iterations / 2 + 1; i < iterations; ++i) {
        const double now = learning_rate(stage, i, iterations);
        CHECK(now < before);
        before = now;
      }
      CHECK(before < 0.02);
      CHECK(before > 0);
    }
  }
}

TEST_CASE("gradients are clipped to the bound of their common norm, and smaller ones left alone", "[runner]") {
  const auto a = parameter_with_gradient(at::full({2, 2}, 3.0)), b = parameter_with_gradient(at::full({1}, 8.0));
  const auto none = at::zeros({3}).set_requires_grad(true);
  clip_gradients({a, none, b}, 20);  // the norm is 10
  CHECK(a.grad().equal(at::full({2, 2}, 3.0)));
  clip_gradients({a, none, b}, 5);
  CHECK(a.grad().allclose(at::full({2, 2}, 1.5)));
  CHECK(b.grad().allclose(at::full({1}, 4.0)));
  CHECK_FALSE(none.grad().defined());
  const auto zero = parameter_with_gradient(at::zeros({2}));
  clip_gradients({zero}, 1);
  CHECK(zero.grad().equal(at::zeros({2})));
  clip_gradients({none}, 1);
  CHECK_FALSE(none.grad().defined());
}

namespace {

// Stands for peers whose gradients are a thousand times this process's.
class Thousandfold final : public GradientSync {
 public:
  void average(const std::vector<at::Tensor>& parameters) override {
    for (const auto& parameter : parameters)
      if (parameter.grad().defined()) parameter.mutable_grad().mul_(1000);
  }
};

double gradient_norm(const Experiment& experiment) {
  double sum = 0;
  for (const auto& [name, parameter] : experiment.parameters())
    if (parameter.grad().defined()) sum += parameter.grad().square().sum().item<double>();
  return std::sqrt(sum);
}

}  // namespace

TEST_CASE("a step clips what all processes brought together, the module's gradients included", "[runner]") {
  auto cell = small_cell(true);
  const auto free = experiment_of(cell);
  cell.pretrain->clip_norm = 0.5;
  const auto bound = experiment_of(cell), peers = experiment_of(cell);
  for (auto* experiment : {free.get(), bound.get(), peers.get()}) experiment->train_mode(true);
  make_eager_step(*free)->step(first_batch(), 0.02);
  CHECK(gradient_norm(*free) > 0.6);
  make_eager_step(*bound)->step(first_batch(), 0.02);
  CHECK(gradient_norm(*bound) == Approx(0.5).epsilon(1e-4));
  Thousandfold sync;
  make_eager_step(*peers, sync)->step(first_batch(), 0.02);
  CHECK(gradient_norm(*peers) == Approx(0.5).epsilon(1e-4));
}

TEST_CASE("with zero_init each block begins as its shortcut", "[runner]") {
  auto cell = small_cell(false);
  const auto usual = experiment_of(cell);
  cell.zero_init = true;
  const auto zero = experiment_of(cell);
  int silent = 0;
  for (const auto& [name, tensor] : zero->tensors()) {
    INFO(name);
    const bool last = name.starts_with("model.layer") && name.ends_with("bn2.weight");
    if (last) CHECK(tensor.equal(at::zeros_like(tensor)));
    if (!last) CHECK(tensor.equal(usual->tensors().at(name)));
    silent += last ? 1 : 0;
  }
  CHECK(silent == 8);
  // The convolutions of a block are not seen at first.
  const at::NoGradGuard no_gradient;
  const auto images = first_batch().images;
  const auto before = zero->network().forward(images).logits;
  zero->tensors().at("model.layer2.1.conv1.weight").normal_();
  CHECK(zero->network().forward(images).logits.equal(before));
}

TEST_CASE("the module's weight falls to nothing at its end, and from then on nothing of it is computed", "[runner]") {
  auto cell = without_augmentation(small_cell(true));
  cell.pretrain->epochs = 3;  // of three steps each
  cell.auxi.until = 2;
  for (const char* norms : {"shared", "separate"}) {
    INFO(norms);
    cell.auxi.norms = norms;
    const auto experiment = experiment_of(cell);
    experiment->train_mode(true);
    const auto first = experiment->backward(first_batch(), {0, 9});
    const auto third = experiment->backward(first_batch(), {3, 9});
    const auto gone = experiment->backward(first_batch(), {6, 9});
    REQUIRE(first.methods.size() == 1);
    REQUIRE(third.methods.size() == 1);
    CHECK(first.methods[0].weight == 1);
    CHECK(third.methods[0].weight == Approx(0.5));
    CHECK(third.total.item<double>() ==
          Approx(third.task.item<double>() + 0.5 * third.methods[0].value.item<double>()).epsilon(1e-5));
    CHECK(gone.methods.empty());
    CHECK(gone.total.equal(gone.task));
    for (const auto& [name, parameter] : experiment->parameters())
      if (name.starts_with("aux.")) CHECK_FALSE(parameter.grad().defined());
  }
}

TEST_CASE("the curve of a module that ends early stops there, with means over the steps it had", "[runner]") {
  const TempFolder folder;
  auto cell = without_augmentation(small_cell(true));
  cell.pretrain->lr = 1e-12;  // so that losses stay what they are
  cell.auxi.until = 1.2;      // four steps of three an epoch
  const auto ended = train_cell(cell, {folder.path() / "a"}).outcome;
  cell.auxi.until = 0;
  const auto whole = train_cell(cell, {folder.path() / "b"}).outcome;
  CHECK(ended.state.curves.at("train_loss").size() == 3);
  REQUIRE(ended.state.curves.at("aux_loss").size() == 2);
  CHECK(ended.state.curves.at("aux_loss")[0] == Approx(whole.state.curves.at("aux_loss")[0]).epsilon(1e-3));
  CHECK(ended.state.curves.at("aux_loss")[1] == Approx(whole.state.curves.at("aux_loss")[1]).epsilon(0.2));
}

TEST_CASE("norms are re-estimated from the seed's images, whatever their statistics were", "[runner]") {
  auto cell = small_cell(false);
  const auto experiment = experiment_of(cell);
  auto& network = experiment->network();
  experiment->train_mode(true);
  network.forward(first_batch().images);
  experiment->train_mode(false);
  const auto before = named_tensors(network.module());
  std::map<std::string, at::Tensor> kept;
  for (const auto& [name, tensor] : before) kept[name] = tensor.clone();
  const auto batches = some_images(made_up_data().train, 80, 32, 0, {});
  REQUIRE(batches.size() == 3);  // 32, 32 and 16 images: the last is left out
  CHECK(batches[2].size(0) == 16);
  reestimate_norms(network, batches);
  // The stem's norm by its definition: plain means over batches of mean and unbiased variance.
  at::Tensor mean, variance;
  {
    const at::NoGradGuard no_gradient;
    for (int i = 0; i < 2; ++i) {
      const auto y = at::conv2d(batches[static_cast<size_t>(i)], before.at("conv1.weight"), {}, 1, 1);
      const auto m = y.mean({0, 2, 3}) / 2, v = y.var(at::IntArrayRef{0, 2, 3}, /*unbiased=*/true) / 2;
      mean = i == 0 ? m : mean + m;
      variance = i == 0 ? v : variance + v;
    }
  }
  CHECK(before.at("bn1.running_mean").allclose(mean, 1e-4, 1e-6));
  CHECK(before.at("bn1.running_var").allclose(variance, 1e-4, 1e-6));
  for (const auto& [name, tensor] : before) {
    INFO(name);
    const bool statistic = name.find("running_") != std::string::npos || name.ends_with("num_batches_tracked");
    CHECK(tensor.equal(kept.at(name)) != statistic);
  }
  CHECK_FALSE(network.module().is_training());
  // Once more: the same, although the statistics were others.
  std::map<std::string, at::Tensor> once;
  for (const auto& [name, tensor] : before) once[name] = tensor.clone();
  reestimate_norms(network, batches);
  for (const auto& [name, tensor] : before) CHECK(tensor.equal(once.at(name)));
  // Training goes on as it was: a moving average again.
  experiment->train_mode(true);
  network.forward(batches[0]);
  const auto moved = (before.at("bn1.running_mean") - once.at("bn1.running_mean")).abs().max().item<double>();
  CHECK(moved > 0);
  CHECK(before.at("bn1.running_mean")
            .allclose(once.at("bn1.running_mean") * 0.9 +
                          at::conv2d(batches[0], before.at("conv1.weight"), {}, 1, 1).mean({0, 2, 3}).detach() * 0.1,
                      1e-4, 1e-6));
}

TEST_CASE("a training re-estimates its norms before the last evaluation, resumed or not", "[runner]") {
  const TempFolder folder;
  for (auto cell : {small_cell(false), quantized(small_cell(true))}) {
    const auto plain = train_cell(cell, {folder.path() / "plain"});
    (cell.full_precision() ? cell.pretrain : cell.finetune)->reestimate_norms = 64;
    const auto file = folder.path() / "mended";
    const auto mended = train_cell(cell, {file});
    for (const auto& [name, tensor] : mended.experiment->tensors()) {
      INFO(name);
      const bool of_network = name.starts_with("model.");
      const bool statistic = name.find("running_") != std::string::npos || name.ends_with("num_batches_tracked");
      CHECK(tensor.equal(plain.experiment->tensors().at(name)) != (of_network && statistic));
    }
    // Ended behind its last checkpoint.
    const auto again = train_cell(cell, {file});
    CHECK(same_weights(*mended.experiment, *again.experiment));
    CHECK(same_outcomes(mended.outcome, again.outcome));
    for (const char* name : {"plain", "mended"}) std::filesystem::remove(folder.path() / name);
  }
}
