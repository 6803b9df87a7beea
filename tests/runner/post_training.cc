// What is mended behind calibration, and the codes that layers use.
#include "base/torch_prelude.h"
#include "deploy/bit_exactness.h"
#include "deploy/freeze.h"
#include "quantizers/quantized_layers.h"
#include "runner/training/bias_correction.h"
#include "runner/training/calibration.h"
#include "runner/training/code_shares.h"
#include "runner/training/norm_statistics.h"
#include "tests/runner/small_cells.h"
#include "tests/support/catch.h"
#include "tests/support/temp_folder.h"

using namespace auxbench;
using namespace auxbench::test;

namespace {

const Trained& full_precision() {
  static const TempFolder folder;
  static const Trained trained = [] {
    auto cell = small_cell(false);
    cell.pretrain->epochs = 8;
    cell.pretrain->augment.clear();
    return train_cell(cell, {folder.path() / "fp"});
  }();
  return trained;
}

CellSpec calibrated_cell(const CalibrationSpec& calibrate, const char* first_last = "float") {
  auto cell = quantized(small_cell(false));
  cell.finetune.reset();
  cell.quantizer = "mse";
  cell.weight_bits = 2;
  cell.activation_bits = 4;
  cell.first_last = first_last;
  cell.calibrate = calibrate;
  return cell;
}

std::unique_ptr<Experiment> started(const CellSpec& cell) {
  auto experiment = experiment_of(cell);
  const at::NoGradGuard no_gradient;
  const auto source = full_precision().experiment->tensors();
  for (auto& [name, tensor] : experiment->tensors())
    if (source.contains(name)) tensor.copy_(source.at(name));
  return experiment;
}

Trained calibrated(const CalibrationSpec& calibrate, const char* first_last = "float") {
  Progress quiet;
  Trained result = {.experiment = started(calibrated_cell(calibrate, first_last)), .outcome = {}};
  result.outcome = auxbench::calibrate(*result.experiment, made_up_data(), "cell", quiet);
  return result;
}

at::Tensor mean_logits(Network& network) {
  const at::NoGradGuard no_gradient;
  at::Tensor sum;
  for (const auto& batch : some_images(made_up_data().train, 96, 32, 0, {})) {
    const auto logits = network.forward(batch).logits.to(at::kDouble).sum(0);
    sum = sum.defined() ? sum + logits : logits;
  }
  return sum / 96;
}

double loss_against_full_precision(Network& network) {
  const at::NoGradGuard no_gradient;
  double sum = 0;
  for (const auto& batch : some_images(made_up_data().train, 96, 32, 0, {}))
    sum += (network.forward(batch).logits - full_precision().experiment->network().forward(batch).logits)
               .square()
               .mean()
               .item<double>();
  return sum;
}

}  // namespace

TEST_CASE("bias correction brings every layer's mean back to the full-precision network's", "[runner]") {
  const auto wanted = mean_logits(full_precision().experiment->network());
  for (const char* first_last : {"float", "8-bit"}) {
    INFO(first_last);
    const auto before = calibrated({.images = 96, .batch = 32, .iterations = 0}, first_last);
    const auto after = calibrated({.images = 96, .batch = 32, .iterations = 0, .correct_bias = true}, first_last);
    const auto far = (mean_logits(before.experiment->network()) - wanted).abs().max().item<double>();
    const auto near = (mean_logits(after.experiment->network()) - wanted).abs().max().item<double>();
    CHECK(far > 0.05);
    CHECK(near < 1e-4);
    CHECK(loss_against_full_precision(after.experiment->network()) <
          0.9 * loss_against_full_precision(before.experiment->network()));
    // Biases alone have changed.
    const auto old = before.experiment->tensors();
    for (const auto& [name, tensor] : after.experiment->tensors())
      if (!name.ends_with(".bias")) CHECK(tensor.equal(old.at(name)));
  }
}

TEST_CASE("a correction of one layer is the difference of its means behind the norm", "[runner]") {
  const auto experiment = started(calibrated_cell({.images = 32, .batch = 32, .iterations = 0}));
  experiment->train_mode(false);
  auto& network = experiment->network();
  const auto batches = some_images(made_up_data().train, 64, 32, 0, {});
  const auto layers = network.quantized_layers();
  for (auto* layer : layers) layer->bypass(true);
  BiasCorrection correction(network, batches);
  CHECK(correction.layers() == 21);  // stem, 16 convolutions, 3 shortcuts, classifier
  // A network that gives what it gave has no error.
  const auto bias = experiment->tensors().at("model.layer1.0.bn1.bias");
  const auto start = bias.clone();
  correction.correct(1);
  CHECK(bias.allclose(start, 0, 1e-6));
  // Twice the weights give twice the mean of the convolution.
  const at::NoGradGuard no_gradient;
  const auto mean = [&] {
    at::Tensor sum = at::zeros({bias.size(0)}, at::kDouble);
    int64_t count = 0;
    layers.front()->watch([&](const LayerPass& pass) {
      sum += pass.output.to(at::kDouble).sum({0, 2, 3});
      count += pass.output.numel() / pass.output.size(1);
    });
    for (const auto& batch : batches) network.forward(batch);
    layers.front()->watch({});
    return sum / count;
  }();
  experiment->tensors().at("model.layer1.0.conv1.weight").mul_(2);
  correction.correct(1);
  const auto& tensors = experiment->tensors();
  const auto alpha =
      tensors.at("model.layer1.0.bn1.weight") / (tensors.at("model.layer1.0.bn1.running_var") + 1e-5).sqrt();
  CHECK((start - bias).to(at::kDouble).allclose(alpha.to(at::kDouble) * mean, 1e-4, 1e-6));
}

TEST_CASE("pre-activation blocks have a bias to correct where a norm follows, and the classifier's", "[runner]") {
  auto cell = calibrated_cell({.images = 32, .batch = 32, .iterations = 0});
  cell.block = "pre-act";
  const auto experiment = experiment_of(cell);
  experiment->train_mode(false);
  const BiasCorrection correction(experiment->network(), some_images(made_up_data().train, 32, 32, 0, {}));
  CHECK(correction.layers() == 1 + 8 + 1);  // stem, the first convolution of each block, classifier
}

TEST_CASE("calibration that re-estimates norms saves a network whose weights shrank", "[runner]") {
  const auto before = calibrated({.images = 96, .batch = 32, .iterations = 0});
  const auto after = calibrated({.images = 96, .batch = 32, .iterations = 0, .reestimate_norms = 96});
  CHECK(loss_against_full_precision(after.experiment->network()) <
        0.5 * loss_against_full_precision(before.experiment->network()));
  // Re-estimated with the weights of integers: the statistics are those of what is deployed.
  for (const bool both : {false, true}) {
    const auto mended =
        calibrated({.images = 96, .batch = 32, .iterations = 0, .reestimate_norms = 96, .correct_bias = both});
    auto& network = mended.experiment->network();
    const auto frozen = freeze(network, {.channels = 1, .height = 12, .width = 12});
    const at::NoGradGuard no_gradient;
    for (int64_t i = 0; i < 4; ++i) {
      TensorLoader loader(made_up_data().test, {.batch = 1, .shuffle = false, .epochs = 1}, {});
      CHECK_FALSE(first_divergence(network, frozen, loader.take(0, i).images.contiguous()));
    }
  }
}

namespace {

const LayerCodes& entry_of(const std::vector<LayerCodes>& layers, const std::string& name) {
  for (const auto& layer : layers)
    if (layer.layer == name) return layer;
  FAIL("no layer " << name);
  return layers.front();
}

}  // namespace

TEST_CASE("the codes of a layer are counted over the test set, in the network's order", "[runner]") {
  auto cell = quantized(small_cell(false));
  const auto experiment = experiment_of(cell);
  experiment->train_mode(false);
  auto& network = experiment->network();
  const auto found = code_shares(network, made_up_data().test, {});
  REQUIRE(found.size() == 19);  // 16 convolutions, 3 shortcuts; first and last layers are float
  CHECK(found[0].layer == "layer1.0.conv1");
  CHECK(found[1].layer == "layer1.0.conv2");
  CHECK(entry_of(found, "layer2.0.downsample.0").activations);
  // Against a count by the formula: DoReFa at 2 bits clips to [0, 1] and rounds to thirds.
  at::Tensor x;
  auto* layer = network.quantized_layers().front();
  layer->watch([&](const LayerPass& pass) { x = pass.input.clone(); });
  TensorLoader loader(made_up_data().test, {.batch = 40, .shuffle = false, .epochs = 1}, {});
  {
    const at::NoGradGuard no_gradient;
    network.forward(loader.take(0, 0).images);
  }
  layer->watch({});
  const auto share = [&](const at::Tensor& mask) { return mask.to(at::kDouble).mean().item<double>(); };
  const auto code = x.clamp(0, 1).mul(3).round();
  const auto& shares = *found[0].activations;
  CHECK(shares.levels == 4);
  CHECK(shares.top == Approx(share(code.eq(3))));
  CHECK(shares.beyond == Approx(share(x > 1)));
  CHECK(shares.beyond > 0.01);
  CHECK(shares.beyond < shares.top);
  double most = 0;
  for (int level = 0; level < 4; ++level) most = std::max(most, share(code.eq(level)));
  CHECK(shares.most == Approx(most));
  const auto weights = layer->encoded(true).codes;
  CHECK(found[0].weights->levels == 4);
  CHECK(found[0].weights->ends == Approx(share(weights.abs().eq(weights.abs().max()))));
}

TEST_CASE("counting codes changes nothing of the network, whatever the quantizer", "[runner]") {
  for (const auto& method : quantizer_methods()) {
    INFO(method.name);
    const auto experiment = experiment_of(with_method(quantized(small_cell(false)), method));
    auto& network = experiment->network();
    experiment->train_mode(false);
    const at::NoGradGuard no_gradient;
    const auto images = some_images(made_up_data().test, 40, 40, 0, {}).front();
    const auto before = network.forward(images).logits;
    std::map<std::string, at::Tensor> kept;
    for (const auto& [name, tensor] : experiment->tensors()) kept[name] = tensor.clone();
    const auto found = code_shares(network, made_up_data().test, {});
    CHECK(network.forward(images).logits.equal(before));
    for (const auto& [name, tensor] : experiment->tensors()) CHECK(tensor.equal(kept.at(name)));
    REQUIRE(found.size() >= 16);
    for (const auto& layer : found) {
      INFO(layer.layer);
      REQUIRE(layer.activations);
      REQUIRE(layer.weights);
      for (const double share : {layer.activations->most, layer.activations->top, layer.activations->beyond,
                                 layer.weights->most, layer.weights->ends}) {
        CHECK(share >= 0);
        CHECK(share <= 1);
      }
      CHECK(layer.activations->most >= 1.0 / static_cast<double>(layer.activations->levels));
      CHECK(layer.activations->top <= layer.activations->most);
    }
  }
}
