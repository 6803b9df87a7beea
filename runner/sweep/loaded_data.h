// Data sets that this process has loaded: each once, for all cells that want it.
#pragma once

#include <string>

#include "datasets/dataset.h"
#include "runner/plan/cell_spec.h"

namespace auxbench {

// Throws as load_dataset does. Requests after the first of a data set have no say.
const Dataset& loaded_dataset(const std::string& name, const DatasetRequest& request);

// As many of its images as train_images and test_images say.
Dataset cell_data(const CellSpec& cell, const DatasetRequest& request);

}  // namespace auxbench
