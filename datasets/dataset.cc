#include "datasets/dataset.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error.h"
#include "datasets/fashion_mnist.h"

namespace auxbench {
namespace {

using Root = std::optional<std::filesystem::path>;

struct Loader {
  std::string_view name;
  std::optional<std::filesystem::path> (*find)(const Root&);
  IdxFolder (*load)(const Root&);
  float mean, std;  // of the training images' pixels / 255, to 4 digits
};

constexpr std::array kLoaders = {Loader{
    .name = "fashion-mnist", .find = find_fashion_mnist, .load = load_fashion_mnist, .mean = 0.2860F, .std = 0.3530F}};

const Loader* find_loader(std::string_view name) {
  const auto has_name = [&](const Loader& loader) { return loader.name == name; };
  const auto found = std::find_if(kLoaders.begin(), kLoaders.end(), has_name);
  return found == kLoaders.end() ? nullptr : &*found;
}

}  // namespace

bool dataset_implemented(std::string_view name) { return find_loader(name) != nullptr; }

bool dataset_available(std::string_view name, const Root& root) {
  const auto* loader = find_loader(name);
  return loader != nullptr && loader->find(root).has_value();
}

Dataset load_dataset(std::string_view name, const Root& root) {
  const auto* loader = find_loader(name);
  if (loader == nullptr)
    throw UserError(ExitCode::data_missing, "dataset " + std::string(name) + ": this program has no loader for it");
  auto files = loader->load(root);
  return {.name = std::string(name),
          .train = std::move(files.train),
          .test = std::move(files.test),
          .manifest = std::move(files.manifest),
          .mean = loader->mean,
          .std = loader->std};
}

}  // namespace auxbench
