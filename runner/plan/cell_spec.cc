#include "runner/plan/cell_spec.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/error.h"
#include "base/files/canonical_json.h"
#include "base/files/sha256.h"
#include "quantizers/methods/methods.h"
#include "runner/plan/aids.h"
#include "runner/plan/cell_keys.h"

namespace auxbench {
namespace {

using nlohmann::json;

// A walk that puts every member it meets into `out`.
auto writer(json& out) {
  return [&out](const char* key, const auto& value, Presence) { out[key] = value; };
}

void leave_out(json& object, std::initializer_list<const char*> keys) {
  for (const char* key : keys) object.erase(key);
}

json stage_to_json(const StageSpec& stage) {
  json out;
  visit_stage_keys(stage, writer(out));
  if (stage.optimizer != "sgd") leave_out(out, {"momentum", "nesterov"});
  if (stage.schedule != "step") leave_out(out, {"milestones", "gamma"});
  return out;
}

json calibration_to_json(const CalibrationSpec& calibration) {
  json out;
  visit_calibration_keys(calibration, writer(out));
  return out;
}

json auxi_to_json(const AuxiSpec& auxi) {
  json out;
  visit_auxi_keys(auxi, writer(out));
  return out;
}

json detector_to_json(const DetectorSpec& detector) {
  json out;
  visit_detector_keys(detector, writer(out));
  return out;
}

// A walk that reads the keys of an object: those that are always there must be, and finish() refuses any other.
class Reader {
 public:
  Reader(const json& object, std::string place) : object_(object), place_(std::move(place)) {
    if (!object.is_object()) refuse("not an object");
    for (const auto& [key, value] : object.items()) unread_.push_back(key);
  }
  template <typename T>
  void operator()(const char* key, T& value, Presence presence) {
    if (object_.contains(key))
      read(key, value);
    else if (presence == Presence::always)
      refuse(std::string(key) + " is missing");
  }
  bool has(const char* key) const { return object_.contains(key); }
  const json& raw(const char* key) {
    std::erase(unread_, key);
    return object_.at(key);
  }
  void finish() const {
    if (!unread_.empty()) refuse("unknown key " + unread_.front());
  }

 private:
  template <typename T>
  void read(const char* key, T& value) {
    std::erase(unread_, key);
    try {
      object_.at(key).get_to(value);
    } catch (const json::exception& error) {
      refuse(std::string(key) + ": " + error.what());
    }
  }
  [[noreturn]] void refuse(const std::string& what) const {
    throw UserError(ExitCode::invalid_suite, place_ + ": " + what);
  }

  const json& object_;
  std::string place_;
  std::vector<std::string> unread_;
};

StageSpec stage_from_json(const json& object, const std::string& place) {
  StageSpec stage;
  Reader reader(object, place);
  visit_stage_keys(stage, reader);
  reader.finish();
  return stage;
}

// An object inside a cell; walk(value, reader) visits its keys.
template <typename Part, typename Walk>
void read_part(Reader& cell, const char* key, Part& part, const Walk& walk) {
  Reader reader(cell.raw(key), std::string("cell: ") + key);
  walk(part, reader);
  reader.finish();
}

}  // namespace

bool CellSpec::has_aid(const std::string& name) const { return std::find(aid.begin(), aid.end(), name) != aid.end(); }

bool CellSpec::has_teacher() const {
  return std::any_of(aid.begin(), aid.end(),
                     [](const auto& name) { return find_aid(name)->teacher != TeacherKind::none; });
}

double CellSpec::aid_setting(const std::string& name) const {
  const auto found = aid_settings.find(name);
  return found != aid_settings.end() ? found->second : aid_setting_defaults().at(name);
}

const StageSpec& CellSpec::stage() const {
  const auto& own = full_precision() ? pretrain : finetune;
  AUXBENCH_CHECK(own.has_value(), "a cell with a stage of its own");
  return *own;
}

namespace {

CellSpec pretraining_of(const CellSpec& cell, bool with_auxi) {
  CellSpec start = cell;
  start.quantizer = "none";
  start.weight_bits = start.activation_bits = 32;
  start.first_last = "float";
  start.quantize_at.clear();
  start.quantizer_settings.clear();
  start.finetune.reset();
  start.calibrate.reset();
  start.aid = with_auxi ? std::vector<std::string>{"auxi"} : std::vector<std::string>{};
  start.aid_settings.clear();
  if (!with_auxi) start.auxi = {};
  return start;
}

// 2 <- 4 <- 8 <- 32: the width that progressive training comes from.
int next_wider(int bits) {
  for (const int wider : {2, 4, 8})
    if (bits < wider) return wider;
  return 32;
}

}  // namespace

std::optional<CellSpec> CellSpec::parent() const {
  if (full_precision() || !has_start() || has_aid("apprentice-a") || has_aid("apprentice-b")) return std::nullopt;
  if (has_aid("two-stage") && activation_bits < 32) {
    CellSpec weights_first = *this;
    weights_first.activation_bits = 32;
    std::erase(weights_first.aid, "two-stage");
    return weights_first;
  }
  if (has_aid("progressive") && (weight_bits < 8 || activation_bits < 8)) {
    CellSpec wider = *this;
    wider.weight_bits = next_wider(weight_bits);
    if (activation_bits < 32) wider.activation_bits = next_wider(activation_bits);
    return wider;
  }
  return pretraining_of(*this, has_auxi() && auxi.pretrain);
}

std::optional<CellSpec> CellSpec::teacher() const {
  if (!has_teacher() || !has_start() || has_aid("apprentice-a")) return std::nullopt;
  return pretraining_of(*this, false);
}

json cell_to_json(const CellSpec& cell) {
  json out;
  visit_cell_keys(cell, writer(out));
  if (cell.stem != "small") leave_out(out, {"stem_stride"});
  if (cell.block != "group") leave_out(out, {"bases"});
  if (cell.full_precision()) leave_out(out, {"weight_bits", "activation_bits", "first_last", "quantize_at"});
  if (cell.quantizer_settings.empty()) leave_out(out, {"quantizer_settings"});
  if (cell.aid_settings.empty()) leave_out(out, {"aid_settings"});
  if (cell.weights.empty()) leave_out(out, {"weights"});
  if (cell.has_auxi()) out["auxi"] = auxi_to_json(cell.auxi);
  if (cell.task == "detection") out["detector"] = detector_to_json(cell.detector);
  if (cell.pretrain) out["pretrain"] = stage_to_json(*cell.pretrain);
  if (!cell.full_precision() && cell.finetune) out["finetune"] = stage_to_json(*cell.finetune);
  if (cell.calibrate) out["calibrate"] = calibration_to_json(*cell.calibrate);
  return out;
}

CellSpec cell_from_json(const json& object) {
  CellSpec cell;
  Reader reader(object, "cell");
  visit_cell_keys(cell, reader);
  if (reader.has("auxi"))
    read_part(reader, "auxi", cell.auxi, [](auto& part, auto& keys) { visit_auxi_keys(part, keys); });
  if (reader.has("detector"))
    read_part(reader, "detector", cell.detector, [](auto& part, auto& keys) { visit_detector_keys(part, keys); });
  if (reader.has("pretrain")) cell.pretrain = stage_from_json(reader.raw("pretrain"), "cell: pretrain");
  if (reader.has("finetune")) cell.finetune = stage_from_json(reader.raw("finetune"), "cell: finetune");
  if (reader.has("calibrate"))
    read_part(reader, "calibrate", cell.calibrate.emplace(),
              [](auto& part, auto& keys) { visit_calibration_keys(part, keys); });
  reader.finish();
  return cell;
}

namespace {

std::string short_number(double value) { return json(value).dump(); }

// What differs from the module's defaults.
std::string auxi_text(const AuxiSpec& auxi) {
  const AuxiSpec usual;
  std::string text;
  if (auxi.kernel != usual.kernel) text += std::to_string(auxi.kernel) + "x" + std::to_string(auxi.kernel);
  if (auxi.tap != usual.tap) text += "-per-" + auxi.tap;
  if (auxi.place != usual.place) text += "-" + auxi.place;
  if (!auxi.relu) text += "-linear";
  if (auxi.norms != usual.norms) text += "-" + auxi.norms + "-norms";
  if (auxi.weight != usual.weight) text += "-weight=" + short_number(auxi.weight);
  if (!auxi.pretrain) text += "-cold";
  return text;
}

std::string usual_block(const CellSpec& cell) {
  const auto* method = find_quantizer(cell.quantizer);
  return method == nullptr ? "post-act" : method->block;
}

}  // namespace

std::string cell_slug(const CellSpec& cell) {
  std::string slug = cell.model;
  if (!cell.skip) slug += "-plain";
  if (cell.full_precision()) {
    slug += cell.activation == "relu" ? "-fp" : "-fp-" + cell.activation;
  } else {
    slug += "-" + cell.quantizer + "-w" + std::to_string(cell.weight_bits) + "a" + std::to_string(cell.activation_bits);
    if (cell.first_last != "float") slug += "-fl-" + cell.first_last;
  }
  if (usual_block(cell) != cell.block) slug += "-" + cell.block;
  for (const auto& [name, value] : cell.quantizer_settings) slug += "-" + name + "=" + short_number(value);
  if (cell.task == "detection") {
    if (cell.detector.heads == "unshared") slug += "-unshared";
    if (cell.detector.quantize == "backbone") slug += "-backbone";
  }
  for (const auto& aid : cell.aid) slug += "-" + aid + (aid == "auxi" ? auxi_text(cell.auxi) : "");
  for (const auto& [name, value] : cell.aid_settings) slug += "-" + name + "=" + short_number(value);
  return slug + "-s" + std::to_string(cell.seed);
}

std::string cell_id(const CellSpec& cell, const IdentityContext& context) {
  auto spec = cell_to_json(cell);
  spec.erase("weights");  // what the file holds decides, not where it lies
  const json whole = {{"cell", spec},
                      {"data_manifest", context.data_manifest},
                      {"weights", context.weights},
                      {"device_class", context.device_class},
                      {"code_epoch", context.code_epoch}};
  return cell_slug(cell) + "-" + sha256_hex(canonical_json(whole)).substr(0, 12);
}

}  // namespace auxbench
