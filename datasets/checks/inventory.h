// What there is of the data sets that this program reads, for people; datasets/dataset.cc has the table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/places.h"

namespace auxbench {

struct PictureFile {
  std::string name;               // below the dataset's folder
  int64_t width = 0, height = 0;  // that it should have; 0: any
  bool cropped = false;           // for networks that see a part of it, which strips do not have (transforms.h)
};

struct Inventory {
  std::filesystem::path folder;
  std::string content;  // "60,000 + 10,000 images"
  std::string missing;  // of what was published, or of what its own annotations name; empty: nothing
  std::string manifest;
  std::vector<PictureFile> pictures;
};

// Of a data set of the table (dataset.h). Throws UserError(data_missing) when it is not found or not readable. pictures: also the list of files, for verify.h.
Inventory take_inventory(const std::string& dataset, const DataRoot& root, int threads, bool pictures = false);

}  // namespace auxbench
