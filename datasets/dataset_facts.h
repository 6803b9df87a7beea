// What the program knows of one data set: a function of sources/ returns it, named by a line of datasets.inc.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/checks/inventory.h"
#include "datasets/dataset.h"

namespace auxbench {

struct DatasetFacts {
  std::string_view title;   // "ImageNet", in messages
  PublishedSize published;  // nothing: it was never published

  bool (*is_here)(const std::filesystem::path& folder);  // its files are there, whatever is in them
  std::string (*advice)();                               // what to do where no folder has it

  // Each of a folder where it is. Throw UserError(data_missing) for files that are not what they should be.
  Inventory (*inventory)(const std::filesystem::path& folder, int threads, bool pictures);
  // Null for a data set that this program does not train on: images, what identifies them (no image is decoded for it),
  // and the files or folders whose size or time of change tells whether that may have changed (none: that cannot be told
  // before it has been read once).
  Dataset (*load)(const std::filesystem::path& folder, int threads) = nullptr;
  DatasetManifest (*manifest)(const std::filesystem::path& folder, int threads) = nullptr;
  std::vector<std::filesystem::path> (*watched)(const std::filesystem::path& folder) = nullptr;
};

#define DATASET(name, facts) DatasetFacts facts();
#include "datasets/datasets.inc"
#undef DATASET

}  // namespace auxbench
