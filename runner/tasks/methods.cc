#include "runner/tasks/methods.h"

#include "aux/additional_loss.h"
#include "aux/auxiliary_method.h"
#include "aux/distillation.h"
#include "aux/stochastic_precision.h"
#include "base/random.h"
#include "base/torch_prelude.h"
#include "runner/plan/aids.h"
#include "runner/tasks/cell_network.h"
#include "runner/tasks/detection/auxiliary.h"

namespace auxbench {
namespace {

AuxiliaryMethodOptions auxiliary_options(const CellSpec& cell) {
  const auto& auxi = cell.auxi;
  return {.path = {.kernel = auxi.kernel, .relu = auxi.relu},
          .taps = {.per_layer = auxi.tap == "layer", .after_add = auxi.place == "after-add"},
          .separate_norms = auxi.norms == "separate",
          .weight = auxi.weight,
          .until = auxiliary_until(cell)};
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

std::unique_ptr<TrainingMethod> make_method(const std::string& name, const Task& task, const CellSpec& cell,
                                            const DataShape& data, const Network& network) {
  if (name == "auxi" && network.detector() != nullptr) return make_detection_auxiliary(cell, network);
  if (name == "auxi") return make_auxiliary_method(network, auxiliary_options(cell), task.head(data));
  if (name == "additional-loss")
    return make_additional_loss(network, task.head(data), cell.aid_setting("additional-loss.weight"));
  if (name == "stochastic-precision")
    return make_stochastic_precision(cell.seed, cell.aid_setting("stochastic-precision.probability"),
                                     cell.aid_setting("stochastic-precision.until"));
  if (find_aid(name)->teacher != TeacherKind::none)
    return make_distillation(task.network(cell, data, Precision::full), distillation_options(cell, name),
                             precision_of(cell));
  return nullptr;
}

}  // namespace

std::optional<double> auxiliary_until(const CellSpec& cell) {
  if (cell.auxi.until <= 0) return std::nullopt;
  return cell.auxi.until / cell.stage().length();
}

std::vector<CellMethod> make_methods(const Task& task, const CellSpec& cell, const DataShape& data,
                                     const Network& network) {
  std::vector<CellMethod> methods;
  if (cell.has_auxi()) {
    seed_torch(cell, "auxiliary");
    methods.push_back({kAuxiliaryPrefix, make_method("auxi", task, cell, data, network)});
  }
  for (const auto& name : cell.aid) {
    if (name == "auxi") continue;
    seed_torch(cell, "aid " + name);
    if (auto method = make_method(name, task, cell, data, network))
      methods.push_back({"aid." + name + ".", std::move(method)});
  }
  return methods;
}

void seed_torch(const CellSpec& cell, const std::string& purpose) { at::manual_seed(stream_seed(cell.seed, purpose)); }

}  // namespace auxbench
