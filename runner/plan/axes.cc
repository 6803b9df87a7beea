#include "runner/plan/axes.h"

#include <algorithm>

#include "base/error.h"
#include "quantizers/methods/methods.h"
#include "runner/plan/aids.h"
#include "runner/plan/cell_keys.h"

namespace auxbench {
namespace {

using nlohmann::json;

// A walk that takes what the object has and leaves the rest as it is.
auto taker(const json& object) {
  return [&object](const char* key, auto& value, Presence) {
    if (object.contains(key)) object.at(key).get_to(value);
  };
}

StageSpec read_stage(const json& object, const std::string& name, const std::string& place) {
  for (const char* key : {"epochs", "lr"})
    if (!object.contains(key)) throw UserError(ExitCode::invalid_suite, place + ": " + name + " has no " + key);
  StageSpec stage;
  visit_stage_keys(stage, taker(object));
  // What the chosen optimiser and schedule do not use is no part of the cell.
  const StageSpec defaults;
  if (stage.optimizer != "sgd") {
    stage.momentum = defaults.momentum;
    stage.nesterov = defaults.nesterov;
  }
  if (stage.schedule != "step") {
    stage.milestones.clear();
    stage.gamma = defaults.gamma;
  }
  return stage;
}

void read_stages(const json& flat, const std::string& place, CellSpec& cell) {
  for (const auto& [name, stage] : {std::pair{"pretrain", &cell.pretrain}, std::pair{"finetune", &cell.finetune}})
    if (flat.contains(name) && flat.at(name).is_object()) *stage = read_stage(flat.at(name), name, place);
}

// Only a method that fits itself after training is calibrated; it has no training of its own.
void normalise_fitting(const QuantizerMethod* method, CellSpec& cell) {
  if (method == nullptr || !method->post_training()) return cell.calibrate.reset();
  cell.finetune.reset();
  if (!cell.calibrate) cell.calibrate.emplace();
  if (method->fitting != Fitting::reconstruction) cell.calibrate->iterations = 0;
}

// A full-precision cell has no axes of quantization: two suites that differ only there mean the same cell.
void normalise(CellSpec& cell) {
  const auto* method = find_quantizer(cell.quantizer);
  if (cell.activation.empty()) cell.activation = method == nullptr ? "relu" : method->activation;
  if (cell.block.empty()) cell.block = method == nullptr ? "post-act" : method->block;
  if (cell.block != "group") cell.bases = CellSpec().bases;
  std::sort(cell.aid.begin(), cell.aid.end());
  if (!cell.has_auxi()) cell.auxi = {};
  if (cell.task != "detection") cell.detector = {};
  if (cell.stem == "imagenet") cell.stem_stride = 1;
  normalise_fitting(method, cell);
  if (cell.full_precision()) {
    cell.weight_bits = cell.activation_bits = 32;
    cell.first_last = "float";
    cell.quantize_at.clear();
    cell.quantizer_settings.clear();
    cell.finetune.reset();
    return;
  }
  if (cell.quantize_at.empty()) cell.quantize_at = method == nullptr ? "conv-input" : method->quantize_at;
}

// Widths that the method defines; eight bits in the first and last layer are everybody's.
template <typename Refuse>
void check_widths(const CellSpec& cell, const Refuse& refuse) {
  const auto* method = find_quantizer(cell.quantizer);
  if (method == nullptr) return;
  for (const auto& [what, bits, range] : {std::tuple("weight_bits", cell.weight_bits, method->weight_bits),
                                          std::tuple("activation_bits", cell.activation_bits, method->activation_bits)})
    if (bits != 32 && !range.has(bits))
      refuse(std::string(what) + " " + std::to_string(bits) + ": " + cell.quantizer + " defines " +
             std::to_string(range.first) + " to " + std::to_string(range.last));
}

template <typename Refuse>
void check_block(const CellSpec& cell, const Refuse& refuse) {
  const bool everywhere = cell.block == "bireal" || cell.block == "group";
  if (everywhere && (cell.model == "resnet50" || cell.model == "resnet101"))
    refuse("block " + cell.block + ": a shortcut around every convolution needs basic blocks, not " + cell.model);
  if (cell.block != "post-act" && cell.quantize_at == "block-output")
    refuse("block " + cell.block + " quantizes at the convolutions' inputs, not at the block's output");
}

template <typename Refuse>
void check_post_training(const CellSpec& cell, const Refuse& refuse) {
  const auto who = "quantizer " + cell.quantizer + " comes after training: ";
  if (!cell.has_start()) refuse(who + "it needs pretrain or weights");
  if (!cell.aid.empty()) refuse(who + "there is none that aid " + cell.aid.front() + " could help");
  if (cell.quantize_at != "conv-input" || (cell.block != "post-act" && cell.block != "pre-act"))
    refuse(who + "it quantizes the inputs of convolutions, in blocks post-act and pre-act");
}

template <typename Refuse>
void check_aids(const CellSpec& cell, const Refuse& refuse) {
  int teachers = 0;
  for (const auto& name : cell.aid) {
    const auto* aid = find_aid(name);
    teachers += aid->teacher == TeacherKind::none ? 0 : 1;
    if (cell.full_precision() && name != "auxi") refuse("aid " + name + " is for quantized cells");
    if (aid->teacher != TeacherKind::none && name != "apprentice-a" && !cell.has_start())
      refuse("aid " + name + " needs pretrain or weights: its teacher is the full-precision network");
  }
  if (teachers > 1 && !cell.has_aid("hint")) refuse("more than one aid with a teacher");
  if (teachers > 2) refuse("more than one aid with a teacher beside hint");
  for (const auto& [name, value] : cell.aid_settings)
    if (!cell.has_aid(name.substr(0, name.find('.')))) refuse("aid_settings." + name + " of an aid that is not there");
}

void check_sense(const json& flat, const CellSpec& cell, const std::string& place) {
  const auto refuse = [&](const std::string& what) { throw UserError(ExitCode::invalid_suite, place + ": " + what); };
  for (const char* key : {"dataset", "model"})
    if (!flat.contains(key)) refuse(std::string("a cell has no ") + key);
  if (cell.auxi.kernel != 1 && cell.auxi.kernel != 3)
    refuse("auxi.kernel " + std::to_string(cell.auxi.kernel) + ": expected 1 or 3");
  if (!cell.full_precision() && !flat.contains("weight_bits") && !flat.contains("activation_bits"))
    refuse("quantizer " + cell.quantizer + " without weight_bits and activation_bits");
  if (!cell.full_precision() && cell.weight_bits == 32 && cell.activation_bits == 32)
    refuse("quantizer " + cell.quantizer + " at 32/32 bits quantizes nothing: say quantizer none");
  if (cell.full_precision() && !cell.has_start()) refuse("a full-precision cell needs pretrain or weights");
  if (cell.has_auxi() && !cell.pretrain && (cell.full_precision() || (cell.auxi.pretrain && !cell.weights.empty())))
    refuse("weights without pretrain have no auxiliary module: give pretrain, or auxi.pretrain false");
  if (!cell.full_precision() && !cell.finetune && !cell.post_training()) refuse("a quantized cell needs finetune");
  if (cell.post_training()) check_post_training(cell, refuse);
  check_widths(cell, refuse);
  check_block(cell, refuse);
  check_aids(cell, refuse);
  for (size_t i = 1; i < cell.aid.size(); ++i)
    if (cell.aid[i] == cell.aid[i - 1]) refuse("aid " + cell.aid[i] + " twice");
}

bool agrees(const json& value, const json& wanted) {
  if (wanted.is_object()) {
    if (!value.is_object()) return false;
    for (const auto& [key, inner] : wanted.items())
      if (!value.contains(key) || !agrees(value.at(key), inner)) return false;
    return true;
  }
  if (wanted.is_array() && !value.is_array())
    return std::any_of(wanted.begin(), wanted.end(), [&](const json& one) { return value == one; });
  return value == wanted;
}

json sorted(json list) {
  std::sort(list.begin(), list.end());
  return list;
}

}  // namespace

CellSpec resolve_cell(const json& flat, const std::string& place) {
  CellSpec cell;
  cell.activation.clear();
  cell.block.clear();
  visit_cell_keys(cell, taker(flat));
  if (flat.contains("auxi")) visit_auxi_keys(cell.auxi, taker(flat.at("auxi")));
  if (flat.contains("detector")) visit_detector_keys(cell.detector, taker(flat.at("detector")));
  if (flat.contains("calibrate")) visit_calibration_keys(cell.calibrate.emplace(), taker(flat.at("calibrate")));
  read_stages(flat, place, cell);
  normalise(cell);
  check_sense(flat, cell, place);
  return cell;
}

json axes_of(const CellSpec& cell) {
  auto axes = cell_to_json(cell);
  axes["weight_bits"] = cell.weight_bits;
  axes["activation_bits"] = cell.activation_bits;
  axes["first_last"] = cell.first_last;
  axes["quantize_at"] = cell.quantize_at;
  axes["stem_stride"] = cell.stem_stride;
  return axes;
}

bool matches(const json& axes, const std::vector<std::string>& groups, const json& where) {
  for (const auto& [key, wanted] : where.items()) {
    if (key == "group") {
      const auto listed = [&](const json& group) {
        return std::find(groups.begin(), groups.end(), group.get<std::string>()) != groups.end();
      };
      if (wanted.is_array() ? std::none_of(wanted.begin(), wanted.end(), listed) : !listed(wanted)) return false;
    } else if (key == "aid") {
      if (axes.at("aid") != sorted(wanted)) return false;
    } else if (!axes.contains(key) || !agrees(axes.at(key), wanted)) {
      return false;
    }
  }
  return true;
}

}  // namespace auxbench
