#include "runner/plan/cell_spec.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/error.h"
#include "base/files/canonical_json.h"
#include "base/files/sha256.h"
#include "quantizers/methods/methods.h"
#include "quantizers/methods/setting_words.h"
#include "runner/plan/aids.h"

namespace auxbench {

using nlohmann::json;

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
  start.auxi.until = 0;  // of the stage that follows
  start.detector.quantize = DetectorSpec().quantize;
  if (start.detector.norm == "frozen") start.detector.norm = "per-level";
  start.detector.backbone_norm = "batch";
  return start;
}

// 2 <- 4 <- 8 <- 32: the width that progressive training comes from, of those that the method defines.
int next_wider(int bits, const BitRange& defined) {
  for (const int wider : {2, 4, 8})
    if (bits < wider && defined.has(wider)) return wider;
  return 32;
}

CellSpec wider_of(const CellSpec& cell) {
  const auto* method = find_quantizer(cell.quantizer);
  CellSpec wider = cell;
  wider.weight_bits = next_wider(cell.weight_bits, method == nullptr ? BitRange() : method->weight_bits);
  wider.activation_bits = next_wider(cell.activation_bits, method == nullptr ? BitRange() : method->activation_bits);
  return wider;
}

CellSpec weights_first_of(const CellSpec& cell) {
  CellSpec start = cell;
  start.activation_bits = 32;
  std::erase(start.aid, "two-stage");
  return start;
}

bool quantizes_nothing(const CellSpec& cell) { return cell.weight_bits == 32 && cell.activation_bits == 32; }

bool has_start_of(const CellSpec& cell, AidStart start) {
  return std::any_of(cell.aid.begin(), cell.aid.end(),
                     [&](const std::string& name) { return find_aid(name)->start == start; });
}

}  // namespace

// A start that quantizes nothing is full precision itself.
std::optional<CellSpec> CellSpec::parent() const {
  if (full_precision() || !has_start() || has_start_of(*this, AidStart::scratch)) return std::nullopt;
  if (has_start_of(*this, AidStart::weights_first) && activation_bits < 32)
    if (auto start = weights_first_of(*this); !quantizes_nothing(start)) return start;
  if (has_start_of(*this, AidStart::wider))
    if (auto start = wider_of(*this); !quantizes_nothing(start)) return start;
  return pretraining_of(*this, has_auxi() && auxi.pretrain);
}

std::optional<CellSpec> CellSpec::teacher() const {
  const bool trained_before = std::any_of(aid.begin(), aid.end(), [](const auto& name) {
    const auto kind = find_aid(name)->teacher;
    return kind == TeacherKind::frozen || kind == TeacherKind::joint;
  });
  const bool untrained = std::any_of(
      aid.begin(), aid.end(), [](const auto& name) { return find_aid(name)->teacher == TeacherKind::untrained; });
  if (!trained_before || untrained || !has_start()) return std::nullopt;
  return pretraining_of(*this, false);
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
  if (auxi.until != usual.until) text += "-until=" + short_number(auxi.until);
  if (!auxi.pretrain) text += "-cold";
  if (auxi.where != usual.where) text += "-" + auxi.where;
  if (auxi.predict != usual.predict) text += "-" + auxi.predict;
  if (auxi.pyramid) text += "-pyramid";
  return text;
}

// What differs from the detector's defaults, sizes apart.
std::string detector_text(const DetectorSpec& detector) {
  const DetectorSpec usual;
  std::string text;
  if (detector.flavour != usual.flavour) text += "-" + detector.flavour;
  if (detector.heads != usual.heads) text += "-" + detector.heads;
  if (detector.quantize != usual.quantize) text += "-" + detector.quantize;
  if (detector.norm != usual.norm) text += detector.norm == "none" ? "-no-norm" : "-" + detector.norm + "-norm";
  if (detector.backbone_norm != usual.backbone_norm) text += "-" + detector.backbone_norm + "-backbone";
  return text;
}

std::string setting_text(const CellSpec& cell, const std::string& name, double value) {
  const auto* words = find_word_setting(cell.quantizer, name);
  return words == nullptr ? short_number(value) : words->word_of(value);
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
  if (cell.zero_init) slug += "-zero-init";
  for (const auto& [name, value] : cell.quantizer_settings) slug += "-" + name + "=" + setting_text(cell, name, value);
  if (cell.task == "detection") slug += detector_text(cell.detector);
  for (const auto& aid : cell.aid) slug += "-" + aid + (aid == "auxi" ? auxi_text(cell.auxi) : "");
  for (const auto& [name, value] : cell.aid_settings) slug += "-" + name + "=" + short_number(value);
  if (cell.threads != 1) slug += "-t" + std::to_string(cell.threads);
  return slug + "-s" + std::to_string(cell.seed);
}

std::string cell_id(const CellSpec& cell, const IdentityContext& context) {
  auto spec = cell_to_json(cell);
  spec.erase("weights");  // what the file holds decides, not where it lies
  json whole = {{"cell", spec}, {"data_manifest", context.data_manifest}, {"device_class", context.device_class}};
  if (!context.weights.empty()) whole["weights"] = context.weights;
  for (const auto& [part, epoch] : context.code_epochs)
    if (epoch > 1) whole["code_epochs"][part] = epoch;
  return cell_slug(cell) + "-" + sha256_hex(canonical_json(whole)).substr(0, 12);
}

}  // namespace auxbench
