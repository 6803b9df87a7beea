#include "runner/sweep/cell_runner.h"

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/files/torch_file.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "base/torch_prelude.h"
#include "runner/sweep/cell_files.h"
#include "runner/sweep/cell_record.h"
#include "runner/sweep/integer_check.h"
#include "runner/training/calibration.h"
#include "runner/training/device.h"
#include "runner/training/provenance.h"
#include "runner/training/trainer.h"

namespace auxbench {
namespace {

constexpr const char* kCheckpoint = "checkpoint.safetensors";

// A digest of F's weights: the same cell gives the same number here, or something is not deterministic.
std::string weights_digest(const std::filesystem::path& folder) { return sha256_file(folder / kWeightsFile); }

std::filesystem::path folder_of_start(const CellSpec& start, const char* what, const RunContext& context,
                                      const Store& store) {
  const auto id = identify(start, context);
  if (!is_cached(store, id))
    throw UserError(ExitCode::cells_failed, "its " + std::string(what) + " " + id + " has no weights");
  return store.cell_folder(id);
}

// The digest of a file of weights, which may be read for a hundred cells: once.
const std::string& digest_of_weights(const std::string& file) {
  static std::map<std::string, std::string> digests;
  auto& digest = digests[file];
  if (digest.empty()) digest = sha256_file(file);
  return digest;
}

// Full precision begins with the file that the suite names.
void start_from_file(const CellSpec& cell, Experiment& experiment, Record& record) {
  if (cell.weights.empty() || !cell.full_precision()) return;
  import_tensors(read_weights(cell.weights), tensors_under(experiment.tensors(), "model."), cell.weights);
  record.facts["start_weights_sha256"] = digest_of_weights(cell.weights);
}

void start_from_parent(const CellSpec& cell, const RunContext& context, const Store& store, Experiment& experiment) {
  if (const auto parent = cell.parent()) {
    const auto folder = folder_of_start(*parent, "start", context, store);
    load_weights(folder / kWeightsFile, tensors_under(experiment.tensors(), "model."));
    if (parent->has_auxi())
      load_weights(folder / kAuxiliaryFile, tensors_under(experiment.tensors(), kAuxiliaryPrefix));
  }
  if (const auto teacher = cell.teacher()) {
    const auto folder = folder_of_start(*teacher, "teacher", context, store);
    for (auto* network : experiment.teachers()) load_weights(folder / kWeightsFile, named_tensors(network->module()));
  }
}

// Full precision as its file of weights has it.
TrainOutcome evaluate_start(Experiment& experiment, const Dataset& data) {
  TrainOutcome outcome;
  const Stopwatch watch;
  experiment.train_mode(false);
  outcome.final = evaluate(experiment.task(), experiment.network(), data.test, experiment.options());
  outcome.state.evaluate_seconds = watch.seconds();
  return outcome;
}

void train_into(const CellSpec& cell, const RunContext& context, const Store& store, Progress& progress,
                Record& record) {
  const auto& data = cell_data(cell, context);
  const auto folder = store.cell_folder(record.id);
  make_folder(folder);
  Experiment experiment(cell, {.channels = data.train->shape().channels, .classes = data.train->classes()},
                        {.device = context.device, .workers = context.workers});
  start_from_file(cell, experiment, record);
  start_from_parent(cell, context, store, experiment);
  describe_precision(experiment, record);
  const CheckpointPolicy checkpoints = {.file = folder / kCheckpoint, .minutes = context.checkpoint_minutes};
  const auto outcome = cell.post_training() ? calibrate(experiment, data, record.id, progress)
                       : cell.trains()      ? train(experiment, data, checkpoints, record.id, progress)
                                            : evaluate_start(experiment, data);
  fill_record(outcome, experiment.task(), data, record);
  if (outcome.status != Status::completed) return;
  save_weights(experiment, folder);
  save_outcomes(*outcome.final, folder);
  record.facts["weights_sha256"] = weights_digest(folder);
  check_integers(experiment, data, *outcome.final, folder, record);
}

}  // namespace

const Dataset& cell_data(const CellSpec& cell, const RunContext& context) {
  static std::string loaded;
  static Dataset data;
  const std::string wanted =
      cell.dataset + " " + std::to_string(cell.train_images) + " " + std::to_string(cell.test_images);
  if (wanted == loaded) return data;
  data = load_dataset(cell.dataset,
                      {.root = context.data_root, .complete = context.complete_data, .threads = available_threads()});
  data.train = part_of(std::move(data.train), cell.train_images);
  data.test = part_of(std::move(data.test), cell.test_images);
  loaded = wanted;
  return data;
}

std::string identify(const CellSpec& cell, const RunContext& context) {
  const bool readable = dataset_implemented(cell.dataset);
  return cell_id(cell, {.data_manifest = readable ? cell_data(cell, context).manifest : "",
                        .weights = cell.weights.empty() ? "" : digest_of_weights(cell.weights),
                        .device_class = device_class(context.device),
                        .code_epoch = kCodeEpoch});
}

bool is_cached(const Store& store, const std::string& id) {
  const auto record = store.find(id);
  if (!record || !is_final(record->status)) return false;
  return record->status == Status::diverged || std::filesystem::exists(store.cell_folder(id) / kWeightsFile);
}

Record run_cell(const CellSpec& cell, const RunContext& context, const Store& store, Progress& progress) {
  const Stopwatch watch;
  Record record;
  record.slug = cell_slug(cell);
  record.spec = cell_to_json(cell);
  record.provenance = context.provenance;
  record.provenance.started = utc_now();
  record.provenance.device = context.device.str();
  record.id = identify(cell, context);
  record.rerun = context.rerun + " --only '" + record.slug + "'";
  if (const auto reason = why_not_implemented(cell); !reason.empty()) {
    record.status = Status::skipped;
    record.reason = reason;
  } else {
    try {
      record.provenance.data_manifest = cell_data(cell, context).manifest;
      train_into(cell, context, store, progress, record);
    } catch (const std::exception& error) {
      record.status = Status::failed;
      record.reason = error.what();
    }
  }
  record.provenance.finished = utc_now();
  const double earlier = record.seconds.contains("earlier runs") ? record.seconds["earlier runs"] : 0;
  record.seconds["total"] = earlier + watch.seconds();
  return record;
}

void discard_checkpoint(const Store& store, const Record& record) {
  if (is_final(record.status)) std::filesystem::remove(store.cell_folder(record.id) / kCheckpoint);
}

}  // namespace auxbench
