// The files that a trained cell leaves in its folder, and how another cell starts from them.
#pragma once

#include <filesystem>

#include "results/store.h"  // kWeightsFile: the network, torchvision's names; kAuxiliaryFile: H
#include "runner/training/experiment.h"

namespace auxbench {

inline constexpr const char* kOutcomesFile = "outcomes.safetensors";  // per test image, as the task's evaluator names
inline constexpr const char* kIntegerFile = "integer.safetensors";    // deploy/integer_file.h

void save_weights(const Experiment& experiment, const std::filesystem::path& folder);

// For paired comparisons of cells.
void save_outcomes(const Evaluation& evaluation, const std::filesystem::path& folder);

// Weights alone, into the experiment's tensors under `prefix`, or into a teacher: what quantizers learn and remember is
// fitted anew. Throws UserError naming the file.
void load_weights(const std::filesystem::path& path, const Experiment& experiment, const std::string& prefix);
void load_weights(const std::filesystem::path& path, Network& teacher);

// The tensors whose names start with `prefix`, without it.
NamedTensors tensors_under(const NamedTensors& all, const std::string& prefix);

}  // namespace auxbench
