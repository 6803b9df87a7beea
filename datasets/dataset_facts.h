// What the program knows of one data set: a function of sources/ returns it, named by a line of datasets.inc.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/checks/inventory.h"
#include "datasets/dataset.h"

namespace auxbench {

// A data set that the program makes by itself where no folder has it. Each throws UserError.
struct MadeDataset {
  std::filesystem::path (*folder)();  // where it is kept, whether it is there or not
  bool (*possible)(const DataRoot& root);
  DatasetManifest (*manifest)();
  void (*make)(const DatasetRequest& request);          // whole or not at all; nothing where it is there
  void (*check)(const std::string& manifest_of_files);  // of the folder as it is found
};

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
  Dataset (*load)(const std::filesystem::path& folder, const DatasetRequest& request) = nullptr;
  DatasetManifest (*manifest)(const std::filesystem::path& folder, int threads) = nullptr;
  std::vector<std::filesystem::path> (*watched)(const std::filesystem::path& folder) = nullptr;
  int64_t image_size = 0;  // its own, of images with boxes; 0: images have labels
  std::optional<MadeDataset> made = std::nullopt;
};

#define DATASET(name, facts) DatasetFacts facts();
#include "datasets/datasets.inc"
#undef DATASET

}  // namespace auxbench
