#include "runner/sweep/cell_runner.h"

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/files/torch_file.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "base/text.h"
#include "base/torch_prelude.h"
#include "models/detector_weights.h"
#include "runner/plan/code_epochs.h"
#include "runner/sweep/cell_files.h"
#include "runner/sweep/cell_record.h"
#include "runner/sweep/integer_check.h"
#include "runner/sweep/loaded_data.h"
#include "runner/training/calibration.h"
#include "runner/training/device.h"
#include "runner/training/error_text.h"
#include "runner/training/provenance.h"
#include "runner/training/trainer.h"

namespace auxbench {
namespace {

constexpr const char* kCheckpoint = "checkpoint.safetensors";

// A digest of F's weights: the same cell gives the same number here, or something is not deterministic.
std::string weights_digest(const std::filesystem::path& folder) { return sha256_file(folder / kWeightsFile); }

// Of a cell that this one needs: its weights are there, or it has failed.
std::filesystem::path folder_of_start(const std::string& id, const char* what, const RecordFolder& folder) {
  const auto record = folder.read(id);
  const auto refuse = [&](const std::string& why) {
    throw UserError(ExitCode::cells_failed, "its " + std::string(what) + " " + id + " " + why);
  };
  if (record && record->status == Status::diverged)
    refuse("diverged (" + record->reason + "): it has no weights to go on from");
  if (!record || !folder.is_finished(*record)) refuse("has no weights");
  const auto digest = record->facts.find("weights_sha256");
  if (digest != record->facts.end() && digest->second != weights_digest(folder.cell_folder(id)))
    refuse(std::string("has another ") + kWeightsFile +
           " than its record says (SHA-256): where it is deleted, the next run makes it anew");
  return folder.cell_folder(id);
}

// Full precision begins with the file that the suite names. It is read once; the digest of what was read is a part of the
// cell's name, which says whether the file is still the one that was planned with.
void start_from_file(const PlannedCell& planned, const RunContext& context, Experiment& experiment, Record& record) {
  const auto& cell = planned.spec;
  if (cell.weights.empty() || !cell.full_precision()) return;
  const auto bytes = read_file(cell.weights);
  const auto digest = sha256_hex(bytes);
  if (cell_id(cell, {.data_manifest = planned.data_manifest,
                     .weights = digest,
                     .device_class = device_class(context.device),
                     .code_epochs = code_epochs(cell)}) != planned.id)
    throw UserError(ExitCode::data_missing, cell.weights + ": has changed since the run began");
  const auto targets = tensors_under(experiment.tensors(), "model.");
  import_tensors(as_detector_weights(parse_weights(bytes, cell.weights), targets, cell.weights), targets, cell.weights);
  record.facts["start_weights_sha256"] = digest;
}

// Of what a cell needs, the start stands first and the teacher last; they may be the same.
void start_from_needs(const PlannedCell& cell, const RecordFolder& all, Experiment& experiment) {
  if (const auto parent = cell.spec.parent()) {
    const auto folder = folder_of_start(cell.needs.front(), "start", all);
    load_weights(folder / kWeightsFile, experiment, "model.");
    if (parent->has_auxi()) load_weights(folder / kAuxiliaryFile, experiment, kAuxiliaryPrefix);
  }
  if (cell.spec.teacher()) {
    const auto folder = folder_of_start(cell.needs.back(), "teacher", all);
    for (auto* network : experiment.teachers()) load_weights(folder / kWeightsFile, *network);
  }
}

// Full precision as its file of weights has it.
TrainOutcome evaluate_start(Experiment& experiment, const Dataset& data) {
  TrainOutcome outcome;
  const Stopwatch watch;
  experiment.train_mode(false);
  outcome.final = evaluate(experiment.task(), experiment.cell(), experiment.network(), data.test, experiment.options());
  outcome.state.evaluate_seconds = watch.seconds();
  return outcome;
}

void train_into(const PlannedCell& planned, const RunContext& context, const RecordFolder& all, Progress& progress,
                Record& record) {
  const auto& cell = planned.spec;
  const auto data = cell_data(cell, dataset_request(context));
  if (data.manifest != planned.data_manifest)
    throw UserError(ExitCode::data_missing, cell.dataset + " has changed since the run began");
  record.provenance.data_manifest = data.manifest;
  const auto folder = all.cell_folder(record.id);
  make_folder(folder);
  Experiment experiment(cell, {.channels = data.train->shape().channels, .classes = data.train->classes()},
                        {.device = context.device, .workers = context.workers, .processors = context.processors});
  start_from_file(planned, context, experiment, record);
  start_from_needs(planned, all, experiment);
  describe_precision(experiment, record);
  const CheckpointPolicy checkpoints = {.file = folder / kCheckpoint, .minutes = context.checkpoint_minutes};
  const auto outcome = cell.post_training() ? calibrate(experiment, data, record.id, progress)
                       : cell.trains()      ? train(experiment, data, checkpoints, record.id, progress)
                                            : evaluate_start(experiment, data);
  fill_record(outcome, experiment.task(), data, record);
  if (outcome.status != Status::completed) return;
  save_weights(experiment, folder);
  save_outcomes(*outcome.final, folder);
  save_box_samples(*outcome.final, *data.test, folder, record);
  record.facts["weights_sha256"] = weights_digest(folder);
  check_integers(experiment, data, *outcome.final, folder, record);
}

}  // namespace

DatasetRequest dataset_request(const RunContext& context) {
  return {.root = context.data_root,
          .complete = context.complete_data,
          .threads = context.processors > 0 ? context.processors : available_threads()};
}

Record run_cell(const PlannedCell& cell, const RunContext& context, const RecordFolder& folder, Progress& progress) {
  const Stopwatch watch;
  Record record;
  record.id = cell.id;
  record.slug = cell.slug;
  record.spec = cell_to_json(cell.spec);
  record.provenance = context.provenance;
  record.provenance.started = utc_now();
  record.provenance.device = context.device.str();
  record.provenance.threads = cell.spec.threads;
  record.rerun = context.rerun + " --only " + shell_word(record.slug);
  if (!cell.unsupported.empty()) {
    record.status = Status::skipped;
    record.reason = cell.unsupported;
  } else {
    try {
      use_threads(cell.spec.threads);
      train_into(cell, context, folder, progress, record);
    } catch (const std::exception& error) {
      record.status = Status::failed;
      record.reason = error_text(error);
    }
  }
  record.provenance.finished = utc_now();
  const double earlier = record.seconds.contains("earlier runs") ? record.seconds["earlier runs"] : 0;
  record.seconds["total"] = earlier + watch.seconds();
  return record;
}

void discard_checkpoint(const RecordFolder& folder, const Record& record) {
  if (is_final(record.status)) std::filesystem::remove(folder.cell_folder(record.id) / kCheckpoint);
}

}  // namespace auxbench
