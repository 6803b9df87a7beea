#include "datasets/sources/imagenet.h"

#include <set>

#include "base/error.h"
#include "base/files/sha256.h"
#include "datasets/missing.h"

namespace auxbench {
namespace {

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

std::optional<std::filesystem::path> find_imagenet(const DataRoot& root) {
  std::error_code ignored;
  for (const auto& place : dataset_places("imagenet", root))
    if (std::filesystem::is_directory(place / "train", ignored) &&
        std::filesystem::is_directory(place / "val", ignored))
      return place;
  return std::nullopt;
}

ImageNetIndex index_imagenet(const std::filesystem::path& folder, int threads) {
  ImageNetIndex index;
  index.train = read_photo_index(folder / "train", threads);
  index.val = read_photo_index(folder / "val", threads);
  check_same_classes(index.train, index.val);
  index.manifest = sha256_hex(index.train.digest + "  train\n" + index.val.digest + "  val\n");
  return index;
}

std::filesystem::path need_imagenet(const DataRoot& root) {
  if (const auto folder = find_imagenet(root)) return *folder;
  refuse_unfound("imagenet", root,
                 "name the folder that holds train/ and val/ with --data-root, $AUXBENCH_IMAGENET or in " +
                     config_file().string());
}

}  // namespace auxbench
