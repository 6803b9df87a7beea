// Where the files of a dataset are looked for.
//
// In this order, for the dataset imagenet: the root that a command names (ROOT/imagenet, then ROOT itself);
// $AUXBENCH_IMAGENET; "imagenet" in the configuration file; $AUXBENCH_DATA/imagenet and $AUXBENCH_DATA; "data" in the
// configuration file, likewise; $XDG_DATA_HOME/auxbench (~/.local/share/auxbench); /usr/share/datasets.
//
// The configuration file is $XDG_CONFIG_HOME/auxbench/config.json (~/.config/auxbench/config.json), an object of
// folders:
//   {"imagenet": "/data/ilsvrc2012", "coco": "/data/coco", "data": "/data"}
// Unknown keys, relative paths and bad JSON are refused with the file's name (exit code 2).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace auxbench {

using DataRoot = std::optional<std::filesystem::path>;  // as given on the command line

// Whether they are there or not; none twice.
std::vector<std::filesystem::path> dataset_places(std::string_view dataset, const DataRoot& root);

// The first of the places where is_here, if any; the other form throws refuse_unfound with advice().
std::optional<std::filesystem::path> find_place(std::string_view dataset, const DataRoot& root,
                                                bool (*is_here)(const std::filesystem::path&));
std::filesystem::path need_place(std::string_view dataset, const DataRoot& root,
                                 bool (*is_here)(const std::filesystem::path&), std::string (*advice)());

// "imagenet: not found in A, B, C: WHAT TO DO", exit code 4.
[[noreturn]] void refuse_unfound(std::string_view dataset, const DataRoot& root, const std::string& advice);

std::filesystem::path config_file();   // whether it is there or not
std::filesystem::path data_folder();   // of this user: $XDG_DATA_HOME/auxbench
std::filesystem::path cache_folder();  // of this user: $XDG_CACHE_HOME/auxbench

}  // namespace auxbench
