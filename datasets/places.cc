#include "datasets/places.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

#include "base/error.h"
#include "base/files/located_json.h"

namespace auxbench {
namespace {

using Path = std::filesystem::path;

// "data", and every data set of the table.
#define DATASET(name, facts) , name
constexpr std::array kConfigKeys = {"data"
#include "datasets/datasets.inc"
};
#undef DATASET

std::optional<Path> folder_from_environment(const std::string& variable) {
  const char* value = std::getenv(variable.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

// The XDG folder of `variable`, or `otherwise` below the home folder.
Path user_folder(const char* variable, const Path& otherwise) {
  if (const auto folder = folder_from_environment(variable)) return *folder / "auxbench";
  return folder_from_environment("HOME").value_or("/") / otherwise / "auxbench";
}

using Config = std::map<std::string, Path>;

Config read_config() {
  std::error_code ignored;
  if (!std::filesystem::exists(config_file(), ignored)) return {};
  const auto file = read_located(config_file(), ExitCode::usage);
  const auto refuse = [&file](const std::string& pointer, const std::string& what) {
    throw UserError(ExitCode::usage, file.at(pointer) + ": " + what);
  };
  if (!file.value.is_object()) refuse("", "an object of folders was expected");
  Config config;
  for (const auto& [key, value] : file.value.items()) {
    const auto pointer = child_pointer("", key);
    if (std::find(kConfigKeys.begin(), kConfigKeys.end(), key) == kConfigKeys.end()) {
      std::string known;
      for (const char* name : kConfigKeys) known += (known.empty() ? "" : ", ") + std::string(name);
      refuse(pointer, "unknown, only " + known);
    }
    if (!value.is_string()) refuse(pointer, "a folder was expected");
    config[key] = value.get<std::string>();
    if (!config[key].is_absolute()) refuse(pointer, "a path from / on was expected");
  }
  return config;
}

std::string variable_of(std::string_view dataset) {
  std::string name = "AUXBENCH_";
  for (const char c : dataset) name += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

}  // namespace

std::vector<Path> dataset_places(std::string_view dataset, const DataRoot& root) {
  std::vector<Path> places;
  const auto add = [&places](const Path& place) {
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  };
  const auto add_either = [&](const Path& folder) {
    add(folder / dataset);
    add(folder);
  };
  const auto config = read_config();
  const auto configured = [&](const std::string& key) {
    const auto found = config.find(key);
    return found == config.end() ? std::optional<Path>() : found->second;
  };
  if (root) add_either(*root);
  if (const auto own = folder_from_environment(variable_of(dataset))) add(*own);
  if (const auto own = configured(std::string(dataset))) add(*own);
  if (const auto folder = folder_from_environment("AUXBENCH_DATA")) add_either(*folder);
  if (const auto folder = configured("data")) add_either(*folder);
  add_either(data_folder());
  add_either("/usr/share/datasets");
  return places;
}

std::optional<Path> find_place(std::string_view dataset, const DataRoot& root, bool (*is_here)(const Path&)) {
  for (auto& place : dataset_places(dataset, root))
    if (is_here(place)) return std::move(place);
  return std::nullopt;
}

Path need_place(std::string_view dataset, const DataRoot& root, bool (*is_here)(const Path&), std::string (*advice)()) {
  if (auto place = find_place(dataset, root, is_here)) return std::move(*place);
  refuse_unfound(dataset, root, advice());
}

void refuse_unfound(std::string_view dataset, const DataRoot& root, const std::string& advice) {
  std::string looked;
  for (const auto& place : dataset_places(dataset, root)) looked += (looked.empty() ? "" : ", ") + place.string();
  refuse_data(std::string(dataset), "not found in " + looked + ": " + advice);
}

Path config_file() { return user_folder("XDG_CONFIG_HOME", ".config") / "config.json"; }
Path data_folder() { return user_folder("XDG_DATA_HOME", Path(".local") / "share"); }
Path cache_folder() { return user_folder("XDG_CACHE_HOME", ".cache"); }

}  // namespace auxbench
