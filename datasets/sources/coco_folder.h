// COCO's folder: annotations/instances_SPLIT.json and the images of the split in SPLIT/, e.g. val2017. Read alike,
// whether it is COCO itself or generated scenes (generate.h).
//
// COCO 2017: 118,287 training images with 860,001 annotations, 5,000 validation images with 36,781; 80 categories.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/checks/inventory.h"
#include "metrics/coco_eval.h"

namespace auxbench {

inline constexpr std::string_view kCocoTrain = "train2017", kCocoVal = "val2017";
inline constexpr int64_t kCocoTrainImages = 118'287, kCocoValImages = 5'000, kCocoCategories = 80;

struct CocoSplit {
  std::filesystem::path folder;  // of the images
  CocoTruth truth;
  std::vector<uint64_t> bytes;          // of each image's file; 0: it is empty or not there
  std::map<int64_t, int64_t> class_of;  // category id -> 0 .. categories - 1, by ascending id
  int64_t missing = 0;                  // files
  int64_t beyond = 0;                   // boxes that reach more than one pixel beyond their image
  std::string digest;                   // SHA-256 over that of the JSON file and the lines "BYTES FILE"

  [[nodiscard]] std::filesystem::path file(size_t image) const { return folder / truth.images[image].file; }
};

struct CocoFolder {
  CocoSplit train, val;
  std::string manifest;  // SHA-256 over the two digests

  // What COCO 2017 has and this has not, or the files that its own annotations name and that are missing; or empty.
  [[nodiscard]] std::string missing(bool as_published) const;
};

std::filesystem::path coco_annotations(const std::filesystem::path& root, std::string_view split);  // the JSON file

// Throws UserError(data_missing): what coco_json.h refuses; an image without a file name or size, one whose name leads
// out of its folder, two of one name; no categories; val's categories are not train's.
CocoSplit read_coco_split(const std::filesystem::path& root, std::string_view split);
CocoFolder read_coco_folder(const std::filesystem::path& root);

// Throws UserError(data_missing) naming the first file that is missing or empty, and how many others are.
void check_coco_files(const CocoSplit& split);

// Every picture that the annotations name, below the folder.
std::vector<PictureFile> picture_files(const CocoFolder& coco);

}  // namespace auxbench
