#include <nlohmann/json.hpp>

#include "base/error.h"
#include "quantizers/methods/setting_words.h"
#include "runner/plan/axes.h"
#include "runner/plan/cell_keys.h"
#include "runner/plan/check_cell.h"
#include "runner/plan/language.h"

namespace auxbench {
namespace {

using nlohmann::json;

// A walk that puts every member it meets into `out`.
auto writer(json& out) {
  return [&out](const char* key, const auto& value) { out[key] = value; };
}

void leave_out(json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) object.erase(key);
}

json raw(const StageSpec& stage) {
  json out;
  visit_stage_keys(stage, writer(out));
  return out;
}

json raw(const CalibrationSpec& calibration) {
  json out;
  visit_calibration_keys(calibration, writer(out));
  return out;
}

json raw(const AuxiSpec& auxi) {
  json out;
  visit_auxi_keys(auxi, writer(out));
  return out;
}

json raw(const DetectorSpec& detector) {
  json out;
  visit_detector_keys(detector, writer(out));
  return out;
}

json raw(const CellSpec& cell) {
  json out;
  visit_cell_keys(cell, writer(out));
  for (const auto& [name, value] : cell.quantizer_settings)
    if (const auto* words = find_word_setting(cell.quantizer, name))
      out["quantizer_settings"][name] = words->word_of(value);
  return out;
}

// Without keys that say nothing beside the others.
template <typename Part>
json all_of(const Part& part) {
  return raw(part);
}

json all_of(const StageSpec& stage) {
  auto out = raw(stage);
  if (stage.optimizer != "sgd") leave_out(out, {"momentum", "nesterov"});
  if (stage.schedule != "step") leave_out(out, {"milestones", "gamma"});
  return out;
}

json all_of(const CellSpec& cell) {
  auto out = raw(cell);
  if (cell.block != "group") leave_out(out, {"bases"});
  if (cell.quantizer_settings.empty()) leave_out(out, {"quantizer_settings"});
  if (cell.aid_settings.empty()) leave_out(out, {"aid_settings"});
  if (cell.weights.empty()) leave_out(out, {"weights"});
  return out;
}

// What differs from the struct's defaults.
template <typename Part>
json different(const Part& part) {
  static const json kUsual = raw(Part());
  auto out = all_of(part);
  for (const auto& [key, usual] : kUsual.items())
    if (out.contains(key) && out.at(key) == usual) out.erase(key);
  return out;
}

// Puts the parts of a cell that are objects of their own into `out`, each as `form` writes it.
template <typename Form>
void add_parts(const CellSpec& cell, const Form& form, json& out) {
  if (cell.has_auxi()) out["auxi"] = form(cell.auxi);
  if (cell.task == "detection") out["detector"] = form(cell.detector);
  if (cell.pretrain) out["pretrain"] = form(*cell.pretrain);
  if (!cell.full_precision() && cell.finetune) out["finetune"] = form(*cell.finetune);
  if (cell.calibrate) out["calibrate"] = form(*cell.calibrate);
}

// The language's checks, in the name of `place`.
void check_words(const json& object, const std::string& place) {
  const auto refuse = [&](const std::string& what) { throw UserError(ExitCode::invalid_suite, place + what); };
  if (!object.is_object()) refuse(": expected an object");
  LocatedJson located = {.value = object, .places = {}};
  if (object.contains("seed")) {
    const auto& seed = object.at("seed");
    if (!seed.is_number_integer() || seed < json(0) || seed > json(kLargestWhole))
      refuse("/seed: expected a whole number from 0 to " + std::to_string(kLargestWhole));
    located.value.erase("seed");
  }
  try {
    check_object(located, "", "cell");
  } catch (const UserError& error) {
    refuse(error.what());
  }
}

}  // namespace

json cell_to_json(const CellSpec& cell) {
  auto out = different(cell);
  add_parts(
      cell, [](const auto& part) { return different(part); }, out);
  for (const char* part : {"auxi", "detector"})
    if (out.contains(part) && out.at(part).empty()) out.erase(part);
  return out;
}

json axes_of(const CellSpec& cell) {
  auto out = all_of(cell);
  add_parts(
      cell, [](const auto& part) { return all_of(part); }, out);
  // A match may name a word that is the default.
  for (const auto& setting : word_settings())
    if (setting.method == cell.quantizer && !cell.quantizer_settings.contains(setting.name))
      out["quantizer_settings"][setting.name] = setting.words.front();
  return out;
}

CellSpec cell_from_json(const json& object, const std::string& place) {
  check_words(object, place);
  auto cell = read_cell(object, place);
  check_cell(cell, place);
  return cell;
}

}  // namespace auxbench
