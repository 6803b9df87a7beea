#include "datasets/sources/imagenet.h"

#include <set>
#include <utility>

#include "base/error.h"
#include "base/files/sha256.h"
#include "base/format.h"
#include "datasets/dataset_facts.h"
#include "datasets/missing.h"
#include "datasets/sources/photo_folder.h"

namespace auxbench {
namespace {

using Path = std::filesystem::path;

// A class that only one of the two has would shift every label after it.
void check_same_classes(const PhotoIndex& train, const PhotoIndex& val) {
  const auto names = [](const PhotoIndex& index) {
    std::set<std::string> all;
    for (const auto& own : index.classes) all.insert(own.name);
    return all;
  };
  const auto in_train = names(train), in_val = names(val);
  for (const auto& name : in_train)
    if (!in_val.contains(name))
      refuse_data(val.folder.string(), "no class folder " + name + ", which " + train.folder.string() + " has");
  for (const auto& name : in_val)
    if (!in_train.contains(name))
      refuse_data(train.folder.string(), "no class folder " + name + ", which " + val.folder.string() + " has");
}

void add_split(const PhotoIndex& index, const std::string& split, std::vector<PictureFile>& files) {
  for (size_t i = 0; i < static_cast<size_t>(index.count()); ++i)
    files.push_back({.name = split + "/" + index.relative(i), .cropped = true});
}

bool is_imagenet(const Path& folder) {
  std::error_code ignored;
  return std::filesystem::is_directory(folder / "train", ignored) &&
         std::filesystem::is_directory(folder / "val", ignored);
}

std::string advice() {
  return "name the folder that holds train/ and val/ with --data-root, $AUXBENCH_IMAGENET or in " +
         config_file().string();
}

Dataset load(const Path& folder, const DatasetRequest& request) {
  auto index = index_imagenet(folder, request.threads);
  auto missing = index.missing();
  return {.name = {},
          .train = photo_folder(std::move(index.train)),
          .test = photo_folder(std::move(index.val)),
          .manifest = std::move(index.manifest),
          .missing = std::move(missing)};
}

DatasetManifest manifest(const Path& folder, int threads) {
  const auto index = index_imagenet(folder, threads);
  return {
      .digest = index.manifest, .train = index.train.count(), .test = index.val.count(), .missing = index.missing()};
}

Inventory inventory(const Path& folder, int threads, bool pictures) {
  const auto index = index_imagenet(folder, threads);
  Inventory found = {.folder = folder};
  found.content = two_splits(index.train.count(), index.val.count()) + ", " +
                  with_commas(std::ssize(index.train.classes)) + " classes";
  if (const auto others = index.train.others + index.val.others; others > 0)
    found.content += ", " + with_commas(others) + " other files passed over";
  found.missing = index.missing();
  found.manifest = index.manifest;
  if (pictures) found.pictures = picture_files(index);
  return found;
}

// As the photographs' index: files that came or went change their folder.
std::vector<Path> watched(const Path& folder) {
  std::vector<Path> folders;
  for (const auto& split : {folder / "train", folder / "val"}) {
    const auto own = kept_photo_folders(split);
    if (own.empty()) return {};
    folders.insert(folders.end(), own.begin(), own.end());
  }
  return folders;
}

}  // namespace

std::string ImageNetIndex::missing() const {
  MissingParts parts;
  for (const auto& [name, index, photos] :
       {std::tuple("train", &train, kImageNetTrain), std::tuple("val", &val, kImageNetVal)}) {
    parts.add(name, "classes", std::ssize(index->classes), kImageNetClasses);
    parts.add(name, "photographs", index->count(), photos);
  }
  return parts.text();
}

ImageNetIndex index_imagenet(const std::filesystem::path& folder, int threads) {
  ImageNetIndex index;
  index.train = read_photo_index(folder / "train", threads);
  index.val = read_photo_index(folder / "val", threads);
  check_same_classes(index.train, index.val);
  index.manifest = sha256_hex(index.train.digest + "  train\n" + index.val.digest + "  val\n");
  return index;
}

std::vector<PictureFile> picture_files(const ImageNetIndex& index) {
  std::vector<PictureFile> files;
  add_split(index.train, "train", files);
  add_split(index.val, "val", files);
  return files;
}

DatasetFacts imagenet_facts() {
  return {.title = "ImageNet",
          .published = {.train = kImageNetTrain, .test = kImageNetVal},
          .is_here = is_imagenet,
          .advice = advice,
          .inventory = inventory,
          .load = load,
          .manifest = manifest,
          .watched = watched};
}

}  // namespace auxbench
