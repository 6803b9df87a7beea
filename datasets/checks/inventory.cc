#include "datasets/checks/inventory.h"

#include "base/format.h"
#include "datasets/sources/fashion_mnist.h"

namespace auxbench {
namespace {

std::string two_splits(int64_t train, int64_t test) {
  return with_commas(train) + " + " + with_commas(test) + " images";
}

Inventory inventory_of_garments(const DataRoot& root) {
  const auto files = load_fashion_mnist(root);
  return {.folder = find_fashion_mnist(root).value_or(""),
          .content = two_splits(files.train.count, files.test.count),
          .missing = {},
          .manifest = files.manifest,
          .pictures = {}};
}

Inventory inventory_of_photographs(const DataRoot& root, int threads, bool pictures) {
  Inventory found = {.folder = need_imagenet(root)};
  const auto index = index_imagenet(found.folder, threads);
  found.content = two_splits(index.train.count(), index.val.count()) + ", " +
                  with_commas(std::ssize(index.train.classes)) + " classes";
  if (const auto others = index.train.others + index.val.others; others > 0)
    found.content += ", " + with_commas(others) + " other files passed over";
  found.missing = index.missing();
  found.manifest = index.manifest;
  if (pictures) found.pictures = picture_files(index);
  return found;
}

Inventory inventory_of_coco(const std::string& dataset, const DataRoot& root, bool pictures) {
  Inventory found = {.folder = need_coco(dataset, root)};
  const auto coco = read_coco_folder(found.folder);
  const auto &train = coco.train.truth, &val = coco.val.truth;
  found.content = two_splits(std::ssize(train.images), std::ssize(val.images)) + ", " +
                  with_commas(std::ssize(train.annotations) + std::ssize(val.annotations)) + " annotations, " +
                  std::to_string(train.categories.size()) + " categories";
  if (const auto beyond = coco.train.beyond + coco.val.beyond; beyond > 0)
    found.content += ", " + with_commas(beyond) + " boxes reach beyond their image";
  found.missing = coco.missing(dataset == "coco");
  found.manifest = coco.manifest;
  if (pictures) found.pictures = picture_files(coco);
  return found;
}

}  // namespace

const std::vector<std::string>& inventory_names() {
  static const std::vector<std::string> kNames = {"fashion-mnist", "imagenet", "coco", "scenes"};
  return kNames;
}

Inventory take_inventory(const std::string& dataset, const DataRoot& root, int threads, bool pictures) {
  if (dataset == "fashion-mnist") return inventory_of_garments(root);
  if (dataset == "imagenet") return inventory_of_photographs(root, threads, pictures);
  return inventory_of_coco(dataset, root, pictures);
}

}  // namespace auxbench
