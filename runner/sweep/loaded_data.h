// Data sets that this process has loaded: each once at each image size, for all cells that want it.
#pragma once

#include <string>

#include "datasets/dataset.h"
#include "runner/plan/cell_spec.h"

namespace auxbench {

// Throws as load_dataset does. Of requests after the first of a data set only the image size counts.
const Dataset& loaded_dataset(const std::string& name, const DatasetRequest& request);

// As many of its images as train_images and test_images say, of the size that image_size says.
Dataset cell_data(const CellSpec& cell, DatasetRequest request);

}  // namespace auxbench
