// A data set by name: training and test images, and what identifies them. One table says which there are (datasets.inc).
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/places.h"
#include "datasets/sources/image_source.h"

namespace auxbench {

// What a cell's id takes of a data set, and what its cost does.
struct DatasetManifest {
  // SHA-256: of the files' content (fashion-mnist, cifar10), of their names and sizes (imagenet; coco and scenes, with
  // the content of the annotations), of the recipe of what the program makes by itself (scenes/kept_scenes.h).
  std::string digest;
  int64_t train = 0, test = 0;  // images; of a recipe those that it makes, though some may be left out of training
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
  // Of images with boxes: pixels of the shorter side (sources/coco_images.h); 0: the data set's own.
  int64_t image_size = 0;
  // Told, in words, of what takes its time: a data set that is made.
  std::function<void(const std::string&)> tell = {};
};

// All that the table has, in its order.
const std::vector<std::string>& dataset_names();

// The first of the places (places.h) that has its files, or where the program keeps what it made itself. Throws
// LogicFault for a name that the table has not.
std::optional<std::filesystem::path> find_dataset(std::string_view name, const DataRoot& root);
std::filesystem::path need_dataset(std::string_view name, const DataRoot& root);  // throws UserError(data_missing)

// This program trains on it. False for the names that suites may use before that is so and for unknown names.
bool dataset_implemented(std::string_view name);

// Its images have boxes instead of labels. False for unknown names.
bool dataset_boxed(std::string_view name);

// It is implemented and its files are found (not yet verified) under `root` or where the loader looks by itself, or the
// program can make it.
bool dataset_available(std::string_view name, const DataRoot& root = {});

// How many images it has as published, or as it is made. For one of the table.
struct PublishedSize {
  int64_t train = 0, test = 0;
};
PublishedSize published_size(std::string_view name);

// Makes it first where it is not found and the program can (scenes). Throws UserError(data_missing) when it is not
// implemented, not found or not as published, UserError(invalid_suite) for an image size below one pixel or above
// kLargestImageSize, or of images that have one size.
inline constexpr int64_t kLargestImageSize = 4096;
Dataset load_dataset(std::string_view name, const DatasetRequest& request = {});

// What load_dataset would say of it, without images, and without making it. Its files are read the first time only: what was found is kept in
// the user's cache folder with the size and time of change of each file (of imagenet: of each class folder; of coco: of the
// annotations and each folder of images), and is true for as long as these are. Throws as load_dataset.
DatasetManifest dataset_manifest(std::string_view name, const DatasetRequest& request = {});

// Where the manifest of a folder is kept.
std::filesystem::path manifest_file(std::string_view name, const std::filesystem::path& folder);

}  // namespace auxbench
