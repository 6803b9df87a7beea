// The training methods of a cell, made from its spec.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aux/training_method.h"
#include "runner/tasks/task.h"

namespace auxbench {

// Tensors of the auxiliary module, in checkpoints and files.
inline constexpr const char* kAuxiliaryPrefix = "aux.";

struct CellMethod {
  std::string prefix;  // before the names of its tensors: kAuxiliaryPrefix, "aid.NAME."
  std::unique_ptr<TrainingMethod> method;
};

// The auxiliary module first, then the others by name; none for those that are only a chain of cells (two-stage,
// progressive). Each draws its weights from a stream of its own of the cell's seed.
std::vector<CellMethod> make_methods(const Task& task, const CellSpec& cell, const DataShape& data,
                                     const Network& network);

// auxi.until as a part of the cell's stage; it counts what the stage's length counts, epochs or iterations. None: the
// module's weight is constant.
std::optional<double> auxiliary_until(const CellSpec& cell);

// torch's generator takes the seed of one named stream of the cell's at a time.
void seed_torch(const CellSpec& cell, const std::string& purpose);

}  // namespace auxbench
