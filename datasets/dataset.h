// A dataset by name: training and test images, and what identifies them.
#pragma once

#include <string>
#include <string_view>

#include "datasets/places.h"
#include "datasets/sources/image_source.h"

namespace auxbench {

struct Dataset {
  std::string name;
  Images train, test;
  std::string manifest;  // SHA-256: of the files' content (fashion-mnist), of their names and sizes (imagenet)
  std::string missing;   // what the published dataset has and this one has not; empty: nothing
};

struct DatasetRequest {
  DataRoot root;
  bool complete = false;  // a part of the published data is refused
  int threads = 1;        // that may look at files
};

// This program trains on it. False for the names that suites may use before that is so (cifar100, coco, scenes) and for
// unknown names.
bool dataset_implemented(std::string_view name);

// It is implemented and its files are found (not yet verified) under `root` or where the loader looks by itself.
bool dataset_available(std::string_view name, const DataRoot& root = {});

// How many images it has as published. For an implemented one.
struct PublishedSize {
  int64_t train = 0, test = 0;
};
PublishedSize published_size(std::string_view name);

// Throws UserError(data_missing) when it is not implemented, not found or not as published.
Dataset load_dataset(std::string_view name, const DatasetRequest& request = {});

}  // namespace auxbench
