#include "runner/experiment.h"

#include "base/check.h"
#include "base/random.h"
#include "base/torch_prelude.h"
#include "quantizers/quantized_layers.h"

namespace auxbench {
namespace {

NetworkOptions network_options(const CellSpec& cell, const DataShape& data) {
  return {.model = cell.model,
          .in_channels = data.channels,
          .classes = data.classes,
          .skip = cell.skip,
          .stem = cell.stem,
          .stem_stride = cell.stem_stride,
          .width = cell.width,
          .activation = cell.activation,
          .quantize_at = cell.full_precision() ? "conv-input" : cell.quantize_at,
          .precision = {.quantizer = cell.quantizer,
                        .weight_bits = cell.weight_bits,
                        .activation_bits = cell.activation_bits,
                        .first_last = cell.first_last}};
}

AuxiliaryOptions auxiliary_options(const AuxiSpec& auxi, const DataShape& data) {
  return {.kernel = auxi.kernel,
          .taps = {.per_layer = auxi.tap == "layer", .after_add = auxi.place == "after-add"},
          .relu = auxi.relu,
          .separate_norms = auxi.norms == "separate",
          .classes = data.classes};
}

// torch's generator takes the seed of one named stream at a time.
void seed_torch(int64_t seed, const char* purpose) { at::manual_seed(stream_seed(seed, purpose)); }

int64_t levels_of(const CellSpec& cell, Role role, int bits) {
  const auto quantizer = cell.full_precision() ? nullptr : make_quantizer(cell.quantizer, role, bits);
  return quantizer ? quantizer->levels() : 0;
}

}  // namespace

std::string why_not_implemented(const CellSpec& cell) {
  const std::string prefix = "not implemented yet: ";
  if (cell.task != "classification") return prefix + "task " + cell.task;
  if (!network_exists(cell.model)) return prefix + "model " + cell.model;
  if (!cell.full_precision() && find_quantizer(cell.quantizer) == nullptr)
    return prefix + "quantizer " + cell.quantizer;
  for (const auto& aid : cell.aid)
    if (aid != "auxi") return prefix + "training aid " + aid;
  if (cell.dataset != "fashion-mnist") return prefix + "dataset " + cell.dataset;
  return {};
}

Experiment::Experiment(const CellSpec& cell, const DataShape& data, const ExperimentOptions& options)
    : cell_(cell), options_(options) {
  seed_torch(cell.seed, "network");
  network_ = make_network(network_options(cell, data));
  if (cell.has_auxi()) {
    seed_torch(cell.seed, "auxiliary");
    auxiliary_ = std::make_unique<AuxiliaryModule>(*network_, auxiliary_options(cell.auxi, data));
    move_module(auxiliary_->module(), options.device, options.type);
  }
  move_module(network_->module(), options.device, options.type);
  optimizer_ = std::make_unique<Optimizer>(cell.stage(), parameters());
}

Experiment::~Experiment() = default;

NamedTensors Experiment::tensors() const {
  auto all = named_tensors(network_->module(), "model.");
  if (auxiliary_) all.merge(named_tensors(auxiliary_->module(), "aux."));
  return all;
}

NamedTensors Experiment::parameters() const {
  auto all = tensors();
  std::erase_if(all, [](const auto& item) { return !item.second.requires_grad(); });
  return all;
}

void Experiment::train_mode(bool on) {
  network_->module().train(on);
  if (auxiliary_) auxiliary_->module().train(on);
}

JointLoss Experiment::differentiate(const at::Tensor& images, const at::Tensor& labels) {
  optimizer_->clear_gradients();
  auto result = joint_loss(*network_, auxiliary_.get(), cell_.auxi.weight, images, labels);
  result.total.backward();
  return result;
}

JointLoss Experiment::step(const at::Tensor& images, const at::Tensor& labels, double lr) {
  auto result = differentiate(images, labels);
  optimizer_->step(lr);
  return result;
}

int64_t Experiment::weight_levels() const { return levels_of(cell_, Role::weight, cell_.weight_bits); }
int64_t Experiment::activation_levels() const { return levels_of(cell_, Role::activation, cell_.activation_bits); }

}  // namespace auxbench
