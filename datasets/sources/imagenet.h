// ImageNet (ILSVRC 2012): train/ and val/, in each a folder for every synset with its photographs; 1000 classes,
// 1,281,167 and 50,000 photographs. Any data set in this layout is read, with as many classes as it has folders.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "datasets/checks/inventory.h"
#include "datasets/sources/photo_index.h"

namespace auxbench {

inline constexpr int64_t kImageNetClasses = 1000, kImageNetTrain = 1'281'167, kImageNetVal = 50'000;

struct ImageNetIndex {
  PhotoIndex train, val;
  std::string manifest;  // SHA-256 over the two digests

  // What ImageNet has and this has not, "train: 1,281,166 of 1,281,167 photographs, 1 missing; ...", or empty.
  [[nodiscard]] std::string missing() const;
};

// Throws UserError(data_missing): what photo_index.h refuses, or val has other classes than train.
ImageNetIndex index_imagenet(const std::filesystem::path& folder, int threads);

// Every photograph, below the folder.
std::vector<PictureFile> picture_files(const ImageNetIndex& index);

}  // namespace auxbench
