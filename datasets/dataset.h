// A data set by name: training and test images, and what identifies them. One table says which there are (datasets.inc).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/places.h"
#include "datasets/sources/image_source.h"

namespace auxbench {

// What a cell's id takes of a data set, and what its cost does.
struct DatasetManifest {
  std::string digest;  // SHA-256: of the files' content (fashion-mnist, cifar10), of their names and sizes (imagenet)
  int64_t train = 0, test = 0;  // images
  std::string missing;          // what the published data set has and this one has not; empty: nothing
  bool operator==(const DatasetManifest&) const = default;
};

struct Dataset {
  std::string name;
  Images train, test;
  std::string manifest;  // the digest of its DatasetManifest
  std::string missing;
};

struct DatasetRequest {
  DataRoot root;
  bool complete = false;  // a part of the published data is refused
  int threads = 1;        // that may look at files
};

// All that the table has, in its order.
const std::vector<std::string>& dataset_names();

// The first of the places (places.h) that has its files. Throws LogicFault for a name that the table has not.
std::optional<std::filesystem::path> find_dataset(std::string_view name, const DataRoot& root);
std::filesystem::path need_dataset(std::string_view name, const DataRoot& root);  // throws UserError(data_missing)

// This program trains on it. False for the names that suites may use before that is so (coco, scenes) and for
// unknown names.
bool dataset_implemented(std::string_view name);

// It is implemented and its files are found (not yet verified) under `root` or where the loader looks by itself.
bool dataset_available(std::string_view name, const DataRoot& root = {});

// How many images it has as published. For one of the table.
struct PublishedSize {
  int64_t train = 0, test = 0;
};
PublishedSize published_size(std::string_view name);

// Throws UserError(data_missing) when it is not implemented, not found or not as published.
Dataset load_dataset(std::string_view name, const DatasetRequest& request = {});

// What load_dataset would say of it, without images. Its files are read the first time only: what was found is kept in
// the user's cache folder with the size and time of change of each file (of imagenet: of each class folder), and is
// true for as long as these are. Throws as load_dataset.
DatasetManifest dataset_manifest(std::string_view name, const DatasetRequest& request = {});

// Where the manifest of a folder is kept.
std::filesystem::path manifest_file(std::string_view name, const std::filesystem::path& folder);

}  // namespace auxbench
