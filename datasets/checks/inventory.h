// What there is of the datasets that this program reads, for people.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/checks/verify.h"
#include "datasets/places.h"

namespace auxbench {

struct Inventory {
  std::filesystem::path folder;
  std::string content;  // "60,000 + 10,000 images"
  std::string missing;  // of what was published, or of what its own annotations name; empty: nothing
  std::string manifest;
  std::vector<PictureFile> pictures;
};

const std::vector<std::string>& inventory_names();  // fashion-mnist, imagenet, coco, scenes

// Throws UserError(data_missing) when it is not found or not readable. pictures: also the list of files, for verify.h.
Inventory take_inventory(const std::string& dataset, const DataRoot& root, int threads, bool pictures = false);

}  // namespace auxbench
