#include "runner/spec/cell_spec.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/canonical_json.h"
#include "base/check.h"
#include "base/error.h"
#include "base/sha256.h"

namespace auxbench {
namespace {

using nlohmann::json;

json stage_to_json(const StageSpec& stage) {
  json out = {{"epochs", stage.epochs},
              {"batch", stage.batch},
              {"optimizer", stage.optimizer},
              {"lr", stage.lr},
              {"weight_decay", stage.weight_decay},
              {"decay_norms", stage.decay_norms},
              {"schedule", stage.schedule},
              {"augment", stage.augment},
              {"evaluate", stage.evaluate}};
  if (stage.optimizer == "sgd") {
    out["momentum"] = stage.momentum;
    out["nesterov"] = stage.nesterov;
  }
  if (stage.schedule == "step") {
    out["milestones"] = stage.milestones;
    out["gamma"] = stage.gamma;
  }
  return out;
}

// Reads keys that must be there and refuses those it was not asked for.
class Reader {
 public:
  Reader(const json& object, std::string place) : object_(object), place_(std::move(place)) {
    if (!object.is_object()) refuse("not an object");
    for (const auto& [key, value] : object.items()) unread_.push_back(key);
  }
  template <typename T>
  void get(const char* key, T& value) {
    if (!object_.contains(key)) refuse(std::string(key) + " is missing");
    read(key, value);
  }
  template <typename T>
  void maybe(const char* key, T& value) {
    if (object_.contains(key)) read(key, value);
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
  reader.get("epochs", stage.epochs);
  reader.get("batch", stage.batch);
  reader.get("optimizer", stage.optimizer);
  reader.get("lr", stage.lr);
  reader.maybe("momentum", stage.momentum);
  reader.maybe("nesterov", stage.nesterov);
  reader.get("weight_decay", stage.weight_decay);
  reader.get("decay_norms", stage.decay_norms);
  reader.get("schedule", stage.schedule);
  reader.maybe("milestones", stage.milestones);
  reader.maybe("gamma", stage.gamma);
  reader.get("augment", stage.augment);
  reader.get("evaluate", stage.evaluate);
  reader.finish();
  return stage;
}

json auxi_to_json(const AuxiSpec& auxi) {
  return {{"kernel", auxi.kernel}, {"tap", auxi.tap},     {"place", auxi.place},
          {"relu", auxi.relu},     {"norms", auxi.norms}, {"weight", auxi.weight}};
}

AuxiSpec auxi_from_json(const json& object) {
  AuxiSpec auxi;
  Reader reader(object, "cell: auxi");
  reader.get("kernel", auxi.kernel);
  reader.get("tap", auxi.tap);
  reader.get("place", auxi.place);
  reader.get("relu", auxi.relu);
  reader.get("norms", auxi.norms);
  reader.get("weight", auxi.weight);
  reader.finish();
  return auxi;
}

DetectorSpec detector_from_json(const json& object) {
  DetectorSpec detector;
  Reader reader(object, "cell: detector");
  reader.get("heads", detector.heads);
  reader.get("quantize", detector.quantize);
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
  json out = {{"task", cell.task},
              {"dataset", cell.dataset},
              {"train_images", cell.train_images},
              {"test_images", cell.test_images},
              {"model", cell.model},
              {"skip", cell.skip},
              {"stem", cell.stem},
              {"width", cell.width},
              {"activation", cell.activation},
              {"quantizer", cell.quantizer},
              {"aid", cell.aid},
              {"seed", cell.seed}};
  if (cell.stem == "small") out["stem_stride"] = cell.stem_stride;
  if (cell.has_auxi()) out["auxi"] = auxi_to_json(cell.auxi);
  if (cell.task == "detection")
    out["detector"] = {{"heads", cell.detector.heads}, {"quantize", cell.detector.quantize}};
  if (cell.pretrain) out["pretrain"] = stage_to_json(*cell.pretrain);
  if (cell.full_precision()) return out;
  out["weight_bits"] = cell.weight_bits;
  out["activation_bits"] = cell.activation_bits;
  out["first_last"] = cell.first_last;
  out["quantize_at"] = cell.quantize_at;
  if (cell.finetune) out["finetune"] = stage_to_json(*cell.finetune);
  return out;
}

CellSpec cell_from_json(const json& object) {
  CellSpec cell;
  Reader reader(object, "cell");
  reader.get("task", cell.task);
  reader.get("dataset", cell.dataset);
  reader.get("train_images", cell.train_images);
  reader.get("test_images", cell.test_images);
  reader.get("model", cell.model);
  reader.get("skip", cell.skip);
  reader.get("stem", cell.stem);
  reader.maybe("stem_stride", cell.stem_stride);
  reader.get("width", cell.width);
  reader.get("activation", cell.activation);
  reader.get("quantizer", cell.quantizer);
  reader.get("aid", cell.aid);
  reader.get("seed", cell.seed);
  reader.maybe("weight_bits", cell.weight_bits);
  reader.maybe("activation_bits", cell.activation_bits);
  reader.maybe("first_last", cell.first_last);
  reader.maybe("quantize_at", cell.quantize_at);
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
