#include "runner/training/experiment.h"

#include "aux/additional_loss.h"
#include "aux/distillation.h"
#include "aux/stochastic_precision.h"
#include "base/check.h"
#include "base/random.h"
#include "base/torch_prelude.h"
#include "quantizers/quantized_layers.h"
#include "runner/plan/aids.h"

namespace auxbench {
namespace {

PrecisionPlan precision_of(const CellSpec& cell) {
  return {.quantizer = cell.quantizer,
          .weight_bits = cell.weight_bits,
          .activation_bits = cell.activation_bits,
          .first_last = cell.first_last,
          .settings = cell.quantizer_settings};
}

NetworkOptions network_options(const CellSpec& cell, const DataShape& data, const PrecisionPlan& precision) {
  return {.model = cell.model,
          .in_channels = data.channels,
          .classes = data.classes,
          .skip = cell.skip,
          .stem = cell.stem,
          .stem_stride = cell.stem_stride,
          .width = cell.width,
          .block = cell.block,
          .bases = cell.bases,
          .activation = cell.activation,
          .quantize_at = precision.quantizes() ? cell.quantize_at : "conv-input",
          .precision = precision};
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
  const auto quantizer = layer_quantizer(precision_of(cell), role, bits);
  return quantizer ? quantizer->levels() : 0;
}

DistillationOptions distillation_options(const CellSpec& cell, const std::string& name) {
  DistillationOptions options = {.kind = name};
  if (name == "kd" || name == "kd-journal" || name == "fixed-teacher") options.beta = cell.aid_setting(name + ".beta");
  if (name == "kd-journal") {
    options.attention = cell.aid_setting(name + ".attention");
    options.own_weight = cell.aid_setting(name + ".own_weight");
  }
  if (name.starts_with("apprentice")) options.own_weight = 0.5;
  if (name == "hint") {
    options.hint_weight = cell.aid_setting("hint.weight");
    options.hint_blocks = static_cast<int64_t>(cell.aid_setting("hint.blocks"));
  }
  return options;
}

// Null for the module, and for aids that are only a chain of cells (two-stage, progressive).
std::unique_ptr<TrainingAid> make_aid(const std::string& name, const CellSpec& cell, const DataShape& data,
                                      const Network& network) {
  if (name == "additional-loss")
    return make_additional_loss(network, data.classes, cell.aid_setting("additional-loss.weight"));
  if (name == "stochastic-precision")
    return make_stochastic_precision(cell.seed, cell.aid_setting("stochastic-precision.probability"),
                                     cell.aid_setting("stochastic-precision.until"));
  if (find_aid(name)->teacher != TeacherKind::none)
    return make_distillation(make_network(network_options(cell, data, PrecisionPlan())),
                             distillation_options(cell, name), precision_of(cell));
  return nullptr;
}

// How learned parameters of quantizers, and a teacher's weights, are trained.
ParameterRules rules_of(const CellSpec& cell, const std::set<std::string>& of_quantizers) {
  const auto* method = find_quantizer(cell.quantizer);
  return [method, cell, of_quantizers](const std::string& name) -> ParameterRule {
    if (of_quantizers.contains(name) && method != nullptr)
      return {.lr = method->parameter_lr, .decays = method->decays_parameters};
    for (const std::string aid : {"kd", "kd-journal"})
      if (name.starts_with("aid." + aid + ".")) return {.lr = cell.aid_setting(aid + ".teacher_lr")};
    return {};
  };
}

}  // namespace

std::unique_ptr<Network> make_cell_network(const CellSpec& cell, const DataShape& data, Precision precision) {
  return make_network(network_options(cell, data, precision == Precision::full ? PrecisionPlan() : precision_of(cell)));
}

Experiment::Experiment(const CellSpec& cell, const DataShape& data, const ExperimentOptions& options)
    : cell_(cell), options_(options) {
  seed_torch(cell.seed, "network");
  network_ = make_cell_network(cell, data, Precision::of_cell);
  if (cell.has_auxi()) {
    seed_torch(cell.seed, "auxiliary");
    auxiliary_ = std::make_unique<AuxiliaryModule>(*network_, auxiliary_options(cell.auxi, data));
    move_module(auxiliary_->module(), options.device, options.type);
  }
  move_module(network_->module(), options.device, options.type);
  for (const auto& name : cell.aid) {
    seed_torch(cell.seed, ("aid " + name).c_str());
    auto aid = make_aid(name, cell, data, *network_);
    if (!aid) continue;
    if (aid->module() != nullptr) move_module(*aid->module(), options.device, options.type);
    parts_.aids.push_back(aid.get());
    aids_[name] = std::move(aid);
  }
  parts_.auxiliary = auxiliary_.get();
  parts_.auxiliary_weight = cell.auxi.weight;
  if (cell.trains())
    optimizer_ = std::make_unique<Optimizer>(cell.stage(), parameters(), rules_of(cell, quantizer_tensors()));
}

Experiment::~Experiment() = default;

Optimizer& Experiment::optimizer() const {
  AUXBENCH_CHECK(optimizer_ != nullptr, "a cell that trains");
  return *optimizer_;
}

std::vector<Network*> Experiment::teachers() const {
  std::vector<Network*> found;
  for (const auto& [name, aid] : aids_)
    if (aid->teacher() != nullptr) found.push_back(aid->teacher());
  return found;
}

NamedTensors Experiment::tensors() const {
  auto all = named_tensors(network_->module(), "model.");
  if (auxiliary_) all.merge(named_tensors(auxiliary_->module(), "aux."));
  for (const auto& [name, aid] : aids_)
    if (aid->module() != nullptr) all.merge(named_tensors(*aid->module(), "aid." + name + "."));
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
  for (const auto& [name, aid] : aids_) aid->train(on);
  if (!on) network_->bypass({});
}

JointLoss Experiment::differentiate(const at::Tensor& images, const at::Tensor& labels, const StepPosition& position) {
  optimizer().clear_gradients();
  auto result = joint_loss(*network_, parts_, images, labels, position);
  result.total.backward();
  return result;
}

JointLoss Experiment::step(const at::Tensor& images, const at::Tensor& labels, double lr,
                           const StepPosition& position) {
  auto result = differentiate(images, labels, position);
  optimizer().step(lr);
  return result;
}

std::set<std::string> Experiment::quantizer_tensors() const {
  std::set<std::string> all;
  const auto add = [&](const torch::nn::Module& module, const std::string& prefix) {
    for (const auto& name : auxbench::quantizer_tensors(module)) all.insert(prefix + name);
  };
  add(network_->module(), "model.");
  if (auxiliary_) add(auxiliary_->module(), "aux.");
  for (const auto& [name, aid] : aids_)
    if (aid->module() != nullptr) add(*aid->module(), "aid." + name + ".");
  return all;
}

int64_t Experiment::weight_levels() const { return levels_of(cell_, Role::weight, cell_.weight_bits); }
int64_t Experiment::activation_levels() const { return levels_of(cell_, Role::activation, cell_.activation_bits); }

}  // namespace auxbench
