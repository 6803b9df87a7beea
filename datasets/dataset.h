// A dataset by name: training and test images, what normalises them, what identifies them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "datasets/image_set.h"

namespace auxbench {

// A pixel p in 0..255 becomes (p / 255 - mean) / std, every channel alike.
struct Dataset {
  std::string name;
  ImageSet train, test;
  std::string manifest;  // SHA-256 over the digests of the dataset's files, however they are packed
  float mean = 0;
  float std = 1;
};

// This program has a loader for it. False for the names that suites may use before their loaders exist (imagenet,
// cifar100, coco, scenes) and for unknown names.
bool dataset_implemented(std::string_view name);

// It has a loader and its files are found (not yet verified) under `root` or where the loader looks by itself.
bool dataset_available(std::string_view name, const std::optional<std::filesystem::path>& root = std::nullopt);

// Reads and verifies. Throws UserError(data_missing) when it is not implemented, not found or not as published.
Dataset load_dataset(std::string_view name, const std::optional<std::filesystem::path>& root = std::nullopt);

}  // namespace auxbench
