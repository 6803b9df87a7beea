#include "datasets/sources/fashion_mnist.h"

#include <utility>

#include "datasets/dataset_facts.h"
#include "datasets/missing.h"
#include "datasets/sources/memory_images.h"

namespace auxbench {
namespace {

using Path = std::filesystem::path;

std::string advice() {
  return "install the package dataset-fashion-mnist, or give the folder of its four files with --data-root or "
         "$AUXBENCH_DATA";
}

IdxFolder read(const Path& folder) { return load_idx_folder(folder, kFashionMnistDigests); }

Dataset load(const Path& folder, const DatasetRequest&) {
  auto files = read(folder);
  return {.name = {},
          .train = memory_images(std::move(files.train), kFashionMnistMean, kFashionMnistStd),
          .test = memory_images(std::move(files.test), kFashionMnistMean, kFashionMnistStd),
          .manifest = std::move(files.manifest),
          .missing = {}};
}

DatasetManifest manifest(const Path& folder, int /*threads*/) {
  auto files = read(folder);
  return {.digest = std::move(files.manifest), .train = files.train.count, .test = files.test.count, .missing = {}};
}

Inventory inventory(const Path& folder, int /*threads*/, bool /*pictures*/) {
  const auto found = manifest(folder, 1);
  return {.folder = folder,
          .content = two_splits(found.train, found.test),
          .missing = {},
          .manifest = found.digest,
          .pictures = {}};
}

}  // namespace

IdxFolder load_fashion_mnist(const DataRoot& root) {
  return read(need_place("fashion-mnist", root, is_idx_folder, advice));
}

DatasetFacts fashion_mnist_facts() {
  return {.title = "Fashion-MNIST",
          .published = {.train = 60'000, .test = 10'000},
          .is_here = is_idx_folder,
          .advice = advice,
          .inventory = inventory,
          .load = load,
          .manifest = manifest,
          .watched = idx_files};
}

}  // namespace auxbench
