// A folder laid out as MNIST's: four IDX files, each plain or with ".gz" added.
//
//   train-images-idx3-ubyte  train-labels-idx1-ubyte  t10k-images-idx3-ubyte  t10k-labels-idx1-ubyte
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/sources/image_set.h"

namespace auxbench {

// SHA-256 of the unpacked files.
struct IdxDigests {
  std::string_view train_images, train_labels, test_images, test_labels;
};

struct IdxFolder {
  ImageSet train, test;
  std::string manifest;  // SHA-256 over the names and digests of the four files: the same for plain and gzip
};

// All four files are there.
bool is_idx_folder(const std::filesystem::path& folder);

// Those of the four that are there, plain or gzip as they are read.
std::vector<std::filesystem::path> idx_files(const std::filesystem::path& folder);

// Throws UserError(data_missing), naming the file, when one is missing, damaged, of another digest than `expected`, or
// does not fit the others: as many labels as images, labels below `classes`, test images as large as training images.
IdxFolder load_idx_folder(const std::filesystem::path& folder, const std::optional<IdxDigests>& expected = std::nullopt,
                          int64_t classes = 10);

}  // namespace auxbench
