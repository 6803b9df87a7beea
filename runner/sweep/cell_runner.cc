#include "runner/sweep/cell_runner.h"

#include "base/error.h"
#include "base/files/file.h"
#include "base/files/sha256.h"
#include "base/files/torch_file.h"
#include "base/parallel.h"
#include "base/stopwatch.h"
#include "base/torch_prelude.h"
#include "quantizers/quantized_layers.h"
#include "runner/sweep/integer_check.h"
#include "runner/sweep/loaded_data.h"
#include "runner/training/calibration.h"
#include "runner/training/device.h"
#include "runner/training/provenance.h"
#include "runner/training/trainer.h"

namespace auxbench {
namespace {

constexpr const char* kWeights = kWeightsFile;
constexpr const char* kAuxiliary = "auxiliary.safetensors";  // H, for the cells that fine-tune it further
constexpr const char* kOutcomes = "outcomes.safetensors";    // per test image
constexpr const char* kCheckpoint = "checkpoint.safetensors";

NamedTensors only(const NamedTensors& all, const std::string& prefix) {
  NamedTensors part;
  for (const auto& [name, tensor] : all)
    if (name.starts_with(prefix)) part[name.substr(prefix.size())] = tensor;
  return part;
}

void save_weights(const Experiment& experiment, const std::filesystem::path& folder) {
  SafeTensors network;
  store_tensors(only(experiment.tensors(), "model."), network);
  write_safetensors(folder / kWeights, network);
  const auto auxiliary = only(experiment.tensors(), "aux.");
  if (auxiliary.empty()) return;
  SafeTensors contents;
  store_tensors(auxiliary, contents);
  write_safetensors(folder / kAuxiliary, contents);
}

// How a quantizer's tensor is called that the file has and this network has not: it was quantized otherwise.
bool of_another_quantizer(const std::string& name) {
  return name.find("_quantizer.") != std::string::npos || name.find("_activation.") != std::string::npos;
}

// Weights alone: what quantizers learn and remember is fitted anew.
void load_weights(const std::filesystem::path& path, const torch::nn::Module& module) {
  auto contents = read_safetensors(path);
  auto targets = named_tensors(module);
  const auto fitted_anew = quantizer_tensors(module);
  std::erase_if(contents.tensors, [&](const auto& item) {
    return fitted_anew.contains(item.first) || (!targets.contains(item.first) && of_another_quantizer(item.first));
  });
  std::erase_if(targets, [&](const auto& item) { return fitted_anew.contains(item.first); });
  load_tensors(contents, "", targets, path.string());
}

at::Tensor bits(const std::vector<bool>& values) {
  auto tensor = at::empty({std::ssize(values)}, at::kBool);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<bool>());
  return tensor;
}

// What became of each test image, for paired comparisons of cells.
void save_outcomes(const Evaluation& evaluation, const std::filesystem::path& folder) {
  SafeTensors contents;
  store_tensors({{"predictions", at::tensor(evaluation.predictions, at::kLong).to(at::kShort)},
                 {"in_top1", bits(evaluation.in_top1)},
                 {"in_top5", bits(evaluation.in_top5)}},
                contents);
  write_safetensors(folder / kOutcomes, contents);
}

// A digest of F's weights: the same cell gives the same number here, or something is not deterministic.
std::string weights_digest(const std::filesystem::path& folder) { return sha256_file(folder / kWeights); }

void describe_precision(const Experiment& experiment, Record& record) {
  if (experiment.cell().full_precision()) return;
  const auto bits = [](int64_t levels) { return levels == 0 ? kFullPrecision : real_bits(levels); };
  record.facts["weight_levels"] = experiment.weight_levels();
  record.facts["activation_levels"] = experiment.activation_levels();
  record.facts["weight_real_bits"] = bits(experiment.weight_levels());
  record.facts["activation_real_bits"] = bits(experiment.activation_levels());
}

// An outcome that agrees with "nothing was learned" is not evidence for anything.
void distrust_chance(const Dataset& data, Record& record) {
  const double chance = 100.0 / static_cast<double>(data.test->classes());
  const double top1 = record.metrics.front().value;
  if (top1 > 1.2 * chance) return;
  record.status = Status::mistrusted;
  record.reason = "top-1 is at chance level: the network has learned nothing";
}

void fill(const TrainOutcome& outcome, const Dataset& data, Record& record) {
  record.status = outcome.status;
  record.reason = outcome.reason;
  record.curves = outcome.state.curves;
  record.seconds = {{"train", outcome.state.train_seconds}, {"evaluate", outcome.state.evaluate_seconds}};
  if (outcome.state.earlier_seconds > 0) record.seconds["earlier runs"] = outcome.state.earlier_seconds;
  record.facts["steps"] = outcome.state.iteration;
  record.facts["train_images"] = data.train->count();
  record.facts["test_images"] = data.test->count();
  if (!data.missing.empty()) record.facts["data_missing"] = data.name + ": " + data.missing;
  if (outcome.status != Status::completed) return;
  record.metrics = {{.name = "top1", .value = outcome.final.top1, .unit = "%"},
                    {.name = "top5", .value = outcome.final.top5, .unit = "%"}};
  distrust_chance(data, record);
}

// Of a cell that this one needs: its weights are there, or it has failed.
std::filesystem::path folder_of_start(const std::string& id, const char* what, const Store& store) {
  if (!is_cached(store, id))
    throw UserError(ExitCode::cells_failed, "its " + std::string(what) + " " + id + " has no weights");
  return store.cell_folder(id);
}

// Full precision begins with the file that the suite names.
void start_from_file(const CellSpec& cell, Experiment& experiment, Record& record) {
  if (cell.weights.empty() || !cell.full_precision()) return;
  import_tensors(read_weights(cell.weights), only(experiment.tensors(), "model."), cell.weights);
  record.facts["start_weights_sha256"] = sha256_file(cell.weights);
}

// Of what a cell needs, the start stands first and the teacher last; they may be the same.
void start_from_needs(const PlannedCell& cell, const Store& store, Experiment& experiment) {
  if (const auto parent = cell.spec.parent()) {
    const auto folder = folder_of_start(cell.needs.front(), "start", store);
    load_weights(folder / kWeights, experiment.network().module());
    if (parent->has_auxi()) load_weights(folder / kAuxiliary, experiment.auxiliary()->module());
  }
  if (cell.spec.teacher()) {
    const auto folder = folder_of_start(cell.needs.back(), "teacher", store);
    for (auto* network : experiment.teachers()) load_weights(folder / kWeights, network->module());
  }
}

// Full precision as its file of weights has it.
TrainOutcome evaluate_start(Experiment& experiment, const Dataset& data) {
  TrainOutcome outcome;
  const Stopwatch watch;
  experiment.train_mode(false);
  outcome.final = evaluate(experiment.network(), data.test, experiment.options());
  outcome.state.evaluate_seconds = watch.seconds();
  return outcome;
}

void train_into(const PlannedCell& planned, const RunContext& context, const Store& store, Progress& progress,
                Record& record) {
  const auto& cell = planned.spec;
  const auto data = cell_data(cell, dataset_request(context));
  if (data.manifest != planned.data_manifest)
    throw UserError(ExitCode::data_missing, cell.dataset + " has changed since the run began");
  record.provenance.data_manifest = data.manifest;
  const auto folder = store.cell_folder(record.id);
  make_folder(folder);
  Experiment experiment(cell, {.channels = data.train->shape().channels, .classes = data.train->classes()},
                        {.device = context.device, .workers = context.workers});
  start_from_file(cell, experiment, record);
  start_from_needs(planned, store, experiment);
  describe_precision(experiment, record);
  const auto outcome = cell.post_training() ? calibrate(experiment, data, record.id, progress)
                       : cell.trains()      ? train(experiment, data, folder / kCheckpoint, record.id, progress)
                                            : evaluate_start(experiment, data);
  fill(outcome, data, record);
  if (outcome.status != Status::completed) return;
  save_weights(experiment, folder);
  save_outcomes(outcome.final, folder);
  record.facts["weights_sha256"] = weights_digest(folder);
  check_integers(experiment, data, outcome.final, folder, record);
}

}  // namespace

DatasetRequest dataset_request(const RunContext& context) {
  return {.root = context.data_root, .complete = context.complete_data, .threads = available_threads()};
}

bool is_cached(const Store& store, const std::string& id) {
  const auto record = store.find(id);
  if (!record || !is_final(record->status)) return false;
  return record->status == Status::diverged || std::filesystem::exists(store.cell_folder(id) / kWeights);
}

Record run_cell(const PlannedCell& cell, const RunContext& context, const Store& store, Progress& progress) {
  const Stopwatch watch;
  Record record;
  record.id = cell.id;
  record.slug = cell.slug;
  record.spec = cell_to_json(cell.spec);
  record.provenance = context.provenance;
  record.provenance.started = utc_now();
  record.provenance.device = context.device.str();
  record.rerun = context.rerun + " --only '" + record.slug + "'";
  if (!cell.unsupported.empty()) {
    record.status = Status::skipped;
    record.reason = cell.unsupported;
  } else {
    try {
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
