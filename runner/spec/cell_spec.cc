#include "runner/spec/cell_spec.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/canonical_json.h"
#include "base/check.h"
#include "base/error.h"
#include "base/sha256.h"
#include "runner/spec/cell_keys.h"

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

AuxiSpec auxi_from_json(const json& object) {
  AuxiSpec auxi;
  Reader reader(object, "cell: auxi");
  visit_auxi_keys(auxi, reader);
  reader.finish();
  return auxi;
}

DetectorSpec detector_from_json(const json& object) {
  DetectorSpec detector;
  Reader reader(object, "cell: detector");
  visit_detector_keys(detector, reader);
  reader.finish();
  return detector;
}

}  // namespace

bool CellSpec::has_auxi() const { return std::find(aid.begin(), aid.end(), "auxi") != aid.end(); }

const StageSpec& CellSpec::stage() const {
  const auto& own = full_precision() ? pretrain : finetune;
  AUXBENCH_CHECK(own.has_value(), "a cell with a stage of its own");
  return *own;
}

std::optional<CellSpec> CellSpec::parent() const {
  if (full_precision() || !pretrain) return std::nullopt;
  CellSpec start = *this;
  start.quantizer = "none";
  start.weight_bits = start.activation_bits = 32;
  start.first_last = "float";
  start.quantize_at.clear();
  start.finetune.reset();
  start.aid = has_auxi() ? std::vector<std::string>{"auxi"} : std::vector<std::string>{};
  if (!has_auxi()) start.auxi = {};
  return start;
}

json cell_to_json(const CellSpec& cell) {
  json out;
  visit_cell_keys(cell, writer(out));
  if (cell.stem != "small") leave_out(out, {"stem_stride"});
  if (cell.full_precision()) leave_out(out, {"weight_bits", "activation_bits", "first_last", "quantize_at"});
  if (cell.has_auxi()) out["auxi"] = auxi_to_json(cell.auxi);
  if (cell.task == "detection") out["detector"] = detector_to_json(cell.detector);
  if (cell.pretrain) out["pretrain"] = stage_to_json(*cell.pretrain);
  if (!cell.full_precision() && cell.finetune) out["finetune"] = stage_to_json(*cell.finetune);
  return out;
}

CellSpec cell_from_json(const json& object) {
  CellSpec cell;
  Reader reader(object, "cell");
  visit_cell_keys(cell, reader);
  if (reader.has("auxi")) cell.auxi = auxi_from_json(reader.raw("auxi"));
  if (reader.has("detector")) cell.detector = detector_from_json(reader.raw("detector"));
  if (reader.has("pretrain")) cell.pretrain = stage_from_json(reader.raw("pretrain"), "cell: pretrain");
  if (reader.has("finetune")) cell.finetune = stage_from_json(reader.raw("finetune"), "cell: finetune");
  reader.finish();
  return cell;
}

std::string cell_slug(const CellSpec& cell) {
  std::string slug = cell.model;
  if (!cell.skip) slug += "-plain";
  if (cell.full_precision()) {
    slug += cell.activation == "relu6" ? "-fp-relu6" : "-fp";
  } else {
    slug += "-" + cell.quantizer + "-w" + std::to_string(cell.weight_bits) + "a" + std::to_string(cell.activation_bits);
    if (cell.first_last != "float") slug += "-fl-" + cell.first_last;
  }
  if (cell.task == "detection") {
    if (cell.detector.heads == "unshared") slug += "-unshared";
    if (cell.detector.quantize == "backbone") slug += "-backbone";
  }
  for (const auto& aid : cell.aid) slug += "-" + aid;
  if (cell.has_auxi() && cell.auxi.kernel != 1)
    slug += std::to_string(cell.auxi.kernel) + "x" + std::to_string(cell.auxi.kernel);
  return slug + "-s" + std::to_string(cell.seed);
}

std::string cell_id(const CellSpec& cell, const IdentityContext& context) {
  const json whole = {{"cell", cell_to_json(cell)},
                      {"data_manifest", context.data_manifest},
                      {"weights", context.weights},
                      {"device_class", context.device_class},
                      {"code_epoch", context.code_epoch}};
  return cell_slug(cell) + "-" + sha256_hex(canonical_json(whole)).substr(0, 12);
}

}  // namespace auxbench
