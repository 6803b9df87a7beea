// COCO and generated scenes, which are laid out as COCO, as data sets.
#include "base/format.h"
#include "datasets/dataset_facts.h"
#include "datasets/missing.h"
#include "datasets/scenes/kept_scenes.h"
#include "datasets/sources/coco_images.h"

namespace auxbench {
namespace {

using Path = std::filesystem::path;

constexpr int64_t kCocoSize = 800, kScenesSize = 320;  // of the shorter side, unless a suite says otherwise

bool is_coco(const Path& folder) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(coco_annotations(folder, kCocoVal), ignored);
}

Inventory inventory_of(const Path& folder, bool pictures, bool as_published) {
  Inventory found = {.folder = folder};
  const auto coco = read_coco_folder(folder);
  const auto &train = coco.train.truth, &val = coco.val.truth;
  found.content = two_splits(std::ssize(train.images), std::ssize(val.images)) + ", " +
                  with_commas(std::ssize(train.annotations) + std::ssize(val.annotations)) + " annotations, " +
                  std::to_string(train.categories.size()) + " categories";
  if (const auto beyond = coco.train.beyond + coco.val.beyond; beyond > 0)
    found.content += ", " + with_commas(beyond) + " boxes reach beyond their image";
  found.missing = coco.missing(as_published);
  found.manifest = coco.manifest;
  if (pictures) found.pictures = picture_files(coco);
  return found;
}

template <bool as_published, int64_t own_size>
Dataset load(const Path& folder, const DatasetRequest& request) {
  auto coco = read_coco_folder(folder);
  auto missing = coco.missing(as_published);
  const auto size = request.image_size == 0 ? own_size : request.image_size;
  return {.name = {},
          .train = coco_images(std::move(coco.train), {.size = size, .training = true}),
          .test = coco_images(std::move(coco.val), {.size = size, .training = false}),
          .manifest = std::move(coco.manifest),
          .missing = std::move(missing)};
}

template <bool as_published>
DatasetManifest manifest(const Path& folder, int /*threads*/) {
  auto coco = read_coco_folder(folder);
  check_coco_files(coco.train);
  check_coco_files(coco.val);
  return {.digest = std::move(coco.manifest),
          .train = count_for_training(coco.train),
          .test = std::ssize(coco.val.truth.images),
          .missing = coco.missing(as_published)};
}

// Images that came or went change their folder; of a file that was rewritten in place the source sees the length.
std::vector<Path> watched(const Path& folder) {
  std::vector<Path> files;
  for (const auto split : {kCocoTrain, kCocoVal}) {
    files.push_back(coco_annotations(folder, split));
    files.push_back(folder / split);
    std::error_code error;
    for (std::filesystem::recursive_directory_iterator at(folder / split, error), end; !error && at != end;
         at.increment(error))
      if (std::error_code ignored; at->is_directory(ignored)) files.push_back(at->path());
  }
  return files;
}

template <const ScenesRecipe& recipe>
DatasetFacts scenes(std::string_view title) {
  return {.title = title,
          .published = {.train = recipe.train, .test = recipe.val},
          .is_here = is_coco,
          .advice =
              [] {
                return std::string(
                    "they are painted when a suite first asks for them, from Fashion-MNIST where it is found; or make "
                    "some with `auxbench data generate scenes`");
              },
          .inventory = [](const Path& folder, int /*threads*/,
                          bool pictures) { return inventory_of(folder, pictures, false); },
          .load = load<false, kScenesSize>,
          .manifest = manifest<false>,
          .watched = watched,
          .image_size = kScenesSize,
          .made = MadeDataset{.folder = [] { return kept_scenes_folder(recipe); },
                              .possible = [](const DataRoot& root) { return can_keep_scenes(recipe, root); },
                              .manifest =
                                  [] {
                                    return DatasetManifest{.digest = scenes_digest(recipe),
                                                           .train = recipe.train,
                                                           .test = recipe.val,
                                                           .missing = {}};
                                  },
                              .make =
                                  [](const DatasetRequest& request) {
                                    keep_scenes(recipe, request.root, request.threads, request.tell);
                                  },
                              .check = [](const std::string& found) { check_kept_scenes(recipe, found); }}};
}

}  // namespace

DatasetFacts coco_facts() {
  return {.title = "COCO",
          .published = {.train = kCocoTrainImages, .test = kCocoValImages},
          .is_here = is_coco,
          .advice =
              [] {
                return "name the folder that holds annotations/, train2017/ and val2017/ with --data-root, "
                       "$AUXBENCH_COCO or in " +
                       config_file().string();
              },
          .inventory = [](const Path& folder, int /*threads*/,
                          bool pictures) { return inventory_of(folder, pictures, true); },
          .load = load<true, kCocoSize>,
          .manifest = manifest<true>,
          .watched = watched,
          .image_size = kCocoSize};
}

DatasetFacts scenes_facts() { return scenes<kFewScenes>("the generated scenes"); }
DatasetFacts many_scenes_facts() { return scenes<kManyScenes>("20,000 generated scenes"); }

}  // namespace auxbench
