#include "runner/plan/check_cell.h"

#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "models/list/models.h"
#include "quantizers/methods/methods.h"
#include "runner/plan/aids.h"
#include "runner/plan/check_detection.h"

namespace auxbench {
namespace {

constexpr int kMostThreads = 1024;

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
  const auto* model = find_model(cell.model);
  if (everywhere && model != nullptr && model->bottleneck)
    refuse("block " + cell.block + ": a shortcut around every convolution needs basic blocks, not " + cell.model);
  if (cell.block != "post-act" && cell.quantize_at == "block-output")
    refuse("block " + cell.block + " quantizes at the convolutions' inputs, not at the block's output");
}

template <typename Refuse>
void check_zero_init(const CellSpec& cell, const Refuse& refuse) {
  if (!cell.zero_init) return;
  if (cell.block == "pre-act") refuse("zero_init: a pre-act block ends in a convolution, not in a batch norm");
  if (!cell.skip) refuse("zero_init with skip false: without a shortcut a block of scale 0 passes nothing on");
  if (!cell.weights.empty()) refuse("zero_init with weights: the file says where batch norms start");
}

std::string number_text(double value) { return nlohmann::json(value).dump(); }

// Milestones that are counted in epochs may lie beyond the end, as those of a longer recipe that a tier cuts short do.
template <typename Refuse>
void check_stage(const std::string& name, const StageSpec& stage, const std::string& ends, const Refuse& refuse) {
  if (stage.by_iterations() && stage.epochs > 0) refuse(name + " has both epochs and iterations");
  if (stage.warmup > 0 && stage.warmup >= stage.length())
    refuse(name + ".warmup " + number_text(stage.warmup) + ": " + ends);
  if (!stage.by_iterations() || stage.schedule != "step") return;
  if (stage.milestones.empty())
    refuse(name + ".schedule step has no milestones: where a stage has iterations, they count them");
  for (const double milestone : stage.milestones)
    if (milestone >= stage.length()) refuse(name + ".milestones " + number_text(milestone) + ": " + ends);
}

// What lies beyond the end of the stage it is said of.
template <typename Refuse>
void check_lengths(const CellSpec& cell, const Refuse& refuse) {
  const auto ends = [](const StageSpec& stage) {
    return "the stage ends after " + std::to_string(stage.length()) +
           (stage.by_iterations() ? " iterations" : " epochs");
  };
  for (const auto& [name, stage] : {std::pair("pretrain", &cell.pretrain), std::pair("finetune", &cell.finetune)})
    if (*stage) check_stage(std::string(name), **stage, ends(**stage), refuse);
  if (cell.auxi.until > 0 && cell.trains() && cell.auxi.until > cell.stage().length())
    refuse("auxi.until " + number_text(cell.auxi.until) + ": " + ends(cell.stage()));
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
    const bool trained_before = aid->teacher == TeacherKind::frozen || aid->teacher == TeacherKind::joint;
    if (trained_before && !cell.has_start())
      refuse("aid " + name + " needs pretrain or weights: its teacher is the full-precision network");
  }
  if (teachers > 1 && !cell.has_aid("hint")) refuse("more than one aid with a teacher");
  if (teachers > 2) refuse("more than one aid with a teacher beside hint");
  for (const auto& [name, value] : cell.aid_settings)
    if (!cell.has_aid(name.substr(0, name.find('.')))) refuse("aid_settings." + name + " of an aid that is not there");
}

}  // namespace

void check_cell(const CellSpec& cell, const std::string& place) {
  const auto refuse = [&](const std::string& what) { throw UserError(ExitCode::invalid_suite, place + ": " + what); };
  if (cell.dataset.empty()) refuse("a cell has no dataset");
  if (cell.model.empty()) refuse("a cell has no model");
  if (cell.threads > kMostThreads)
    refuse("threads " + std::to_string(cell.threads) + ": expected at most " + std::to_string(kMostThreads));
  if (cell.auxi.kernel != 1 && cell.auxi.kernel != 3)
    refuse("auxi.kernel " + std::to_string(cell.auxi.kernel) + ": expected 1 or 3");
  if (!cell.full_precision() && cell.weight_bits == 32 && cell.activation_bits == 32)
    refuse("quantizer " + cell.quantizer + " at 32/32 bits quantizes nothing: say quantizer none");
  if (cell.full_precision() && !cell.has_start()) refuse("a full-precision cell needs pretrain or weights");
  if (cell.has_auxi() && !cell.pretrain && (cell.full_precision() || (cell.auxi.pretrain && !cell.weights.empty())))
    refuse("weights without pretrain have no auxiliary module: give pretrain, or auxi.pretrain false");
  if (!cell.full_precision() && !cell.finetune && !cell.post_training()) refuse("a quantized cell needs finetune");
  if (cell.post_training()) check_post_training(cell, refuse);
  check_task(cell, refuse);
  check_widths(cell, refuse);
  check_block(cell, refuse);
  check_zero_init(cell, refuse);
  check_lengths(cell, refuse);
  check_aids(cell, refuse);
  for (size_t i = 1; i < cell.aid.size(); ++i)
    if (cell.aid[i] == cell.aid[i - 1]) refuse("aid " + cell.aid[i] + " twice");
}

}  // namespace auxbench
