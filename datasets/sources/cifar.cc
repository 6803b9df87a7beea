#include "datasets/sources/cifar.h"

#include <utility>

#include "datasets/dataset_facts.h"
#include "datasets/missing.h"
#include "datasets/sources/memory_images.h"

namespace auxbench {
namespace {

using Path = std::filesystem::path;
using Format = const CifarFormat& (*)();
using Colours = std::array<float, kCifarColours>;

template <Format format>
bool is_here(const Path& folder) {
  return cifar_files(folder, format()).has_value();
}

template <Format format>
std::vector<Path> watched(const Path& folder) {
  return cifar_files(folder, format()).value_or(std::vector<Path>());
}

template <Format format, const Colours& mean, const Colours& std>
Dataset load(const Path& folder, const DatasetRequest&) {
  auto files = load_cifar_folder(folder, format());
  return {.name = {},
          .train = memory_images(std::move(files.train), mean, std),
          .test = memory_images(std::move(files.test), mean, std),
          .manifest = std::move(files.manifest),
          .missing = {}};
}

template <Format format>
DatasetManifest manifest(const Path& folder, int /*threads*/) {
  auto files = load_cifar_folder(folder, format());
  return {.digest = std::move(files.manifest), .train = files.train.count, .test = files.test.count, .missing = {}};
}

template <Format format>
Inventory inventory(const Path& folder, int threads, bool /*pictures*/) {
  const auto found = manifest<format>(folder, threads);
  return {.folder = folder,
          .content = two_splits(found.train, found.test),
          .missing = {},
          .manifest = found.digest,
          .pictures = {}};
}

template <Format format, const Colours& mean, const Colours& std>
DatasetFacts facts(std::string_view title, std::string (*advice)()) {
  return {.title = title,
          .published = {.train = format().train_images, .test = format().test_images},
          .is_here = is_here<format>,
          .advice = advice,
          .inventory = inventory<format>,
          .load = load<format, mean, std>,
          .manifest = manifest<format>,
          .watched = watched<format>};
}

std::string advice(const std::string& archive, const std::string& variable) {
  return "unpack " + archive +
         " of https://www.cs.toronto.edu/~kriz/cifar.html and name the folder of its .bin files "
         "with --data-root or $" +
         variable;
}

}  // namespace

const CifarFormat& cifar10_format() {
  static const CifarFormat kFormat = {
      .archive = "cifar-10-batches-bin",
      .train = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
      .test = "test_batch.bin",
      .train_images = 50'000,
      .test_images = 10'000,
      .classes = 10,
      // Means .49139967861519607, .48215840839460783, .44653091444546567.
      .train_sums = {6'415'714'204, 6'295'060'180, 5'829'907'619}};
  return kFormat;
}

const CifarFormat& cifar100_format() {
  static const CifarFormat kFormat = {.archive = "cifar-100-binary",
                                      .train = {"train.bin"},
                                      .test = "test.bin",
                                      .train_images = 50'000,
                                      .test_images = 10'000,
                                      .classes = 100,
                                      .coarse_classes = 20,
                                      // Means .5070751592371323, .48654887331495095, .4409178433670343.
                                      .train_sums = {6'620'373'279, 6'352'382'090, 5'756'623'363}};
  return kFormat;
}

DatasetFacts cifar10_facts() {
  return facts<cifar10_format, kCifar10Mean, kCifar10Std>(
      "CIFAR-10", [] { return advice("cifar-10-binary.tar.gz", "AUXBENCH_CIFAR10"); });
}

DatasetFacts cifar100_facts() {
  return facts<cifar100_format, kCifar100Mean, kCifar100Std>(
      "CIFAR-100", [] { return advice("cifar-100-binary.tar.gz", "AUXBENCH_CIFAR100"); });
}

}  // namespace auxbench
