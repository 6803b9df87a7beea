// Manifests of data sets (dataset.h), kept in the user's cache folder.
#pragma once

#include <filesystem>
#include <string_view>

#include "datasets/dataset_facts.h"

namespace auxbench {

// The kept manifest where every watched file is as it was; else taken anew, and kept where it can be and the files have
// been quiet for two seconds. Throws as DatasetFacts::manifest.
DatasetManifest kept_manifest(std::string_view name, const std::filesystem::path& folder, const DatasetFacts& facts,
                              int threads);

}  // namespace auxbench
