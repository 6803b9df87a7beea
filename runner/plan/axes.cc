#include "runner/plan/axes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "quantizers/methods/methods.h"
#include "quantizers/methods/setting_words.h"
#include "runner/plan/cell_keys.h"
#include "runner/plan/check_cell.h"

namespace auxbench {
namespace {

using nlohmann::json;

// A walk that takes what the object has and leaves the rest as it is.
auto taker(const json& object) {
  return [&object](const char* key, auto& value) {
    if (object.contains(key)) object.at(key).get_to(value);
  };
}

// Words of settings become the numbers that the cell's method reads. The language has checked that some method knows the
// word; a full-precision cell has no settings.
json with_numbers_for_words(json object, const std::string& place) {
  const auto quantizer = object.value("quantizer", CellSpec().quantizer);
  if (quantizer == CellSpec().quantizer) object.erase("quantizer_settings");
  if (!object.contains("quantizer_settings")) return object;
  for (auto& [name, value] : object.at("quantizer_settings").items()) {
    if (!value.is_string()) continue;
    const auto word = value.get<std::string>();
    const auto* known = find_word_setting(quantizer, name);
    const auto number = known == nullptr ? std::nullopt : known->number_of(word);
    if (!number)
      throw UserError(ExitCode::invalid_suite,
                      place + ": quantizer_settings " + name + " " + word + ": " + quantizer + " knows no such word");
    value = *number;
  }
  return object;
}

StageSpec read_stage(const json& object, const std::string& name, const std::string& place) {
  const auto refuse = [&](const std::string& what) {
    throw UserError(ExitCode::invalid_suite, place + ": " + name + what);
  };
  if (object.contains("epochs") && object.contains("iterations")) refuse(" has both epochs and iterations");
  if (!object.contains("epochs") && !object.contains("iterations")) refuse(" has no epochs and no iterations");
  if (!object.contains("lr")) refuse(" has no lr");
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
  if (cell.auxi.where == "heads") {  // there is no module that they speak of
    cell.auxi.predict = AuxiSpec().predict;
    cell.auxi.pyramid = AuxiSpec().pyramid;
  }
  if (cell.stem == "imagenet") cell.stem_stride = 1;
  normalise_fitting(method, cell);
  // The norms of a level's own tower are the level's.
  if (cell.detector.heads == "unshared" && cell.detector.norm == "batch") cell.detector.norm = "per-level";
  if (cell.full_precision()) {
    cell.weight_bits = cell.activation_bits = 32;
    cell.first_last = "float";
    cell.quantize_at.clear();
    cell.quantizer_settings.clear();
    cell.finetune.reset();
    cell.detector.quantize = DetectorSpec().quantize;
    // Nothing is there to freeze, but a backbone's statistics in a file.
    if (cell.detector.norm == "frozen") cell.detector.norm = DetectorSpec().norm;
    if (cell.weights.empty()) cell.detector.backbone_norm = DetectorSpec().backbone_norm;
    return;
  }
  // A word that is the default says nothing.
  std::erase_if(cell.quantizer_settings, [&](const auto& setting) {
    const auto* known = find_word_setting(cell.quantizer, setting.first);
    return known != nullptr && setting.second == 0;
  });
  if (cell.quantize_at.empty()) cell.quantize_at = method == nullptr ? "conv-input" : method->quantize_at;
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

// What is counted along a stage, in the unit of its length.
constexpr std::array kCountedAlong = {"milestones", "warmup"};

void change_unit(json& stage, const json& patch) {
  for (const auto& [now, before] : {std::pair("iterations", "epochs"), std::pair("epochs", "iterations")}) {
    if (!patch.contains(now) || patch.at(now).is_null() || !stage.contains(before)) continue;
    stage.erase(before);
    for (const char* key : kCountedAlong) stage.erase(key);
  }
}

json sorted(json list) {
  std::sort(list.begin(), list.end());
  return list;
}

}  // namespace

void merge_axes(json& target, const json& patch) {
  for (const char* stage : {"pretrain", "finetune"})
    if (target.is_object() && target.contains(stage) && target.at(stage).is_object() && patch.contains(stage) &&
        patch.at(stage).is_object())
      change_unit(target.at(stage), patch.at(stage));
  target.merge_patch(patch);
}

CellSpec read_cell(const json& object, const std::string& place) {
  CellSpec cell;
  visit_cell_keys(cell, taker(with_numbers_for_words(object, place)));
  if (object.contains("auxi")) visit_auxi_keys(cell.auxi, taker(object.at("auxi")));
  if (object.contains("detector")) visit_detector_keys(cell.detector, taker(object.at("detector")));
  if (object.contains("calibrate")) visit_calibration_keys(cell.calibrate.emplace(), taker(object.at("calibrate")));
  read_stages(object, place, cell);
  return cell;
}

CellSpec resolve_cell(const json& flat, const std::string& place) {
  auto cell = read_cell(flat, place);
  if (!flat.contains("activation")) cell.activation.clear();
  if (!flat.contains("block")) cell.block.clear();
  normalise(cell);
  if (!cell.full_precision() && !flat.contains("weight_bits") && !flat.contains("activation_bits"))
    throw UserError(ExitCode::invalid_suite,
                    place + ": quantizer " + cell.quantizer + " without weight_bits and activation_bits");
  check_cell(cell, place);
  return cell;
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
