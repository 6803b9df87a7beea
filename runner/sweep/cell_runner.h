// One cell from spec to record. Whatever goes wrong inside becomes the record's status and reason.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "datasets/dataset.h"
#include "results/store.h"
#include "runner/plan/plan.h"
#include "runner/training/progress.h"

#include <c10/core/Device.h>

namespace auxbench {

// What is the same for all cells of one run.
struct RunContext {
  c10::Device device{c10::kCPU};
  std::optional<std::filesystem::path> data_root;
  bool complete_data = false;      // a part of a published dataset is refused: the tier is no proxy
  std::optional<int> workers;      // threads that load images
  int processors = 0;              // that this process may keep busy with data; 0: all there are
  double checkpoint_minutes = 10;  // between two checkpoints within an epoch
  Provenance provenance;           // of this process; each record completes its copy
  std::string rerun;               // command that reruns the whole; each record adds its own --only
};

// Where this run's data are.
DatasetRequest dataset_request(const RunContext& context);

// Skipped where the plan says that this program cannot train it. It computes with as many threads as the cell says.
Record run_cell(const PlannedCell& cell, const RunContext& context, const RecordFolder& folder, Progress& progress);

// Once the record is safe: what a finished cell no longer needs.
void discard_checkpoint(const RecordFolder& folder, const Record& record);

}  // namespace auxbench
