// One cell from spec to record. Whatever goes wrong inside becomes the record's status and reason.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "datasets/dataset.h"
#include "results/store.h"
#include "runner/plan/cell_spec.h"
#include "runner/training/progress.h"

#include <c10/core/Device.h>

namespace auxbench {

// Raised when a change of code changes numbers: results of an older epoch are not reused.
inline constexpr int kCodeEpoch = 4;  // 4: evaluation rounds step by step, as an integer engine can

// What is the same for all cells of one run.
struct RunContext {
  c10::Device device{c10::kCPU};
  std::optional<std::filesystem::path> data_root;
  bool complete_data = false;      // a part of a published dataset is refused: the tier is no proxy
  std::optional<int> workers;      // that load images
  double checkpoint_minutes = 10;  // between two checkpoints within an epoch
  Provenance provenance;           // of this process; each record completes its copy
  std::string rerun;               // command that reruns the whole; each record adds its own --only
};

// The dataset as the cell wants it: as many of its images as train_images and test_images say. Keeps the last one
// loaded.
const Dataset& cell_data(const CellSpec& cell, const RunContext& context);

// The id also depends on the data's content: throws UserError(data_missing) when a dataset that this program reads is
// not there. A cell that cannot run yet has an id too.
std::string identify(const CellSpec& cell, const RunContext& context);

// A finished record whose weights are still there.
bool is_cached(const Store& store, const std::string& id);

Record run_cell(const CellSpec& cell, const RunContext& context, const Store& store, Progress& progress);

// Once the record is safe: what a finished cell no longer needs.
void discard_checkpoint(const Store& store, const Record& record);

}  // namespace auxbench
