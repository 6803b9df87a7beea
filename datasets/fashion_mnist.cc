#include "datasets/fashion_mnist.h"

#include <cstdlib>
#include <string>

#include "base/error.h"

namespace auxbench {
namespace {

std::optional<std::filesystem::path> folder_from_environment(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

}  // namespace

std::vector<std::filesystem::path> fashion_mnist_places(const std::optional<std::filesystem::path>& root) {
  std::vector<std::filesystem::path> places;
  const auto add = [&places](const std::filesystem::path& place) {
    places.push_back(place / "fashion-mnist");
    places.push_back(place);
  };
  if (root) add(*root);
  if (const auto folder = folder_from_environment("AUXBENCH_DATA")) add(*folder);
  if (const auto data = folder_from_environment("XDG_DATA_HOME"))
    add(*data / "auxbench");
  else if (const auto home = folder_from_environment("HOME"))
    add(*home / ".local" / "share" / "auxbench");
  add("/usr/share/datasets");
  return places;
}

std::optional<std::filesystem::path> find_fashion_mnist(const std::optional<std::filesystem::path>& root) {
  for (const auto& place : fashion_mnist_places(root))
    if (is_idx_folder(place)) return place;
  return std::nullopt;
}

IdxFolder load_fashion_mnist(const std::optional<std::filesystem::path>& root) {
  if (const auto folder = find_fashion_mnist(root)) return load_idx_folder(*folder, kFashionMnistDigests);
  std::string looked;
  for (const auto& place : fashion_mnist_places(root)) looked += (looked.empty() ? "" : ", ") + place.string();
  throw UserError(ExitCode::data_missing, "fashion-mnist: not found in " + looked +
                                              ": install the package dataset-fashion-mnist, or give the folder of its "
                                              "four files with --data-root or $AUXBENCH_DATA");
}

}  // namespace auxbench
