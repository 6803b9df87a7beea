// The files that a trained cell leaves in its folder, and how another cell starts from them.
#pragma once

#include <filesystem>

#include "results/store.h"  // kWeightsFile: the network, torchvision's names; kAuxiliaryFile: H; kOutcomesFile
#include "runner/training/experiment.h"

namespace auxbench {

inline constexpr const char* kIntegerFile = "integer.safetensors";  // deploy/integer_file.h

void save_weights(const Experiment& experiment, const std::filesystem::path& folder);

// For paired comparisons of cells.
void save_outcomes(const Evaluation& evaluation, const std::filesystem::path& folder);

// Of images with boxes, for pictures of what the network finds; of others nothing. Images that cannot be read hinder
// no cell: the fact kNoBoxSamples of the record says why there are no pictures.
void save_box_samples(const Evaluation& evaluation, const ImageSource& images, const std::filesystem::path& folder,
                      Record& record);

// Weights alone, into the experiment's tensors under `prefix`, or into a teacher: what quantizers learn and remember is
// fitted anew. Throws UserError naming the file.
void load_weights(const std::filesystem::path& path, const Experiment& experiment, const std::string& prefix);
void load_weights(const std::filesystem::path& path, Network& teacher);

// The tensors whose names start with `prefix`, without it.
NamedTensors tensors_under(const NamedTensors& all, const std::string& prefix);

}  // namespace auxbench
