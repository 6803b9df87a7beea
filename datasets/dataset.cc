#include "datasets/dataset.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "datasets/sources/fashion_mnist.h"
#include "datasets/sources/imagenet.h"
#include "datasets/sources/memory_images.h"
#include "datasets/sources/photo_folder.h"

namespace auxbench {
namespace {

using Place = std::optional<std::filesystem::path>;

Dataset load_garments(const DatasetRequest& request) {
  auto files = load_fashion_mnist(request.root);
  return {.name = "fashion-mnist",
          .train = memory_images(std::move(files.train), kFashionMnistMean, kFashionMnistStd),
          .test = memory_images(std::move(files.test), kFashionMnistMean, kFashionMnistStd),
          .manifest = std::move(files.manifest),
          .missing = {}};
}

Dataset load_photographs(const DatasetRequest& request) {
  const auto folder = need_imagenet(request.root);
  auto index = index_imagenet(folder, request.threads);
  auto missing = index.missing();
  if (request.complete && !missing.empty())
    refuse_data(folder.string(), "not all of ImageNet: " + missing + " (auxbench data verify imagenet)");
  return {.name = "imagenet",
          .train = photo_folder(std::move(index.train)),
          .test = photo_folder(std::move(index.val)),
          .manifest = std::move(index.manifest),
          .missing = std::move(missing)};
}

struct Loader {
  std::string_view name;
  Place (*find)(const DataRoot&);
  Dataset (*load)(const DatasetRequest&);
  PublishedSize published;
};

constexpr std::array kLoaders = {
    Loader{.name = "fashion-mnist",
           .find = find_fashion_mnist,
           .load = load_garments,
           .published = {.train = 60'000, .test = 10'000}},
    Loader{.name = "imagenet",
           .find = find_imagenet,
           .load = load_photographs,
           .published = {.train = kImageNetTrain, .test = kImageNetVal}},
};

const Loader* find_loader(std::string_view name) {
  const auto has_name = [&](const Loader& loader) { return loader.name == name; };
  const auto found = std::find_if(kLoaders.begin(), kLoaders.end(), has_name);
  return found == kLoaders.end() ? nullptr : &*found;
}

}  // namespace

bool dataset_implemented(std::string_view name) { return find_loader(name) != nullptr; }

bool dataset_available(std::string_view name, const DataRoot& root) {
  const auto* loader = find_loader(name);
  return loader != nullptr && loader->find(root).has_value();
}

PublishedSize published_size(std::string_view name) {
  const auto* loader = find_loader(name);
  AUXBENCH_CHECK(loader != nullptr, "a dataset that is implemented");
  return loader->published;
}

Dataset load_dataset(std::string_view name, const DatasetRequest& request) {
  if (const auto* loader = find_loader(name)) return loader->load(request);
  throw UserError(ExitCode::data_missing, "dataset " + std::string(name) + ": this program has no loader for it");
}

}  // namespace auxbench
