#include "datasets/sources/coco_folder.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/error.h"
#include "base/files/sha256.h"
#include "base/format.h"
#include "datasets/missing.h"
#include "metrics/coco_json.h"

namespace auxbench {
namespace {

using Path = std::filesystem::path;

// The annotations are a stranger's: no name in them may lead elsewhere.
bool stays_inside(const std::string& name) {
  const Path path(name);
  return !path.empty() && path.is_relative() && std::find(path.begin(), path.end(), "..") == path.end();
}

void check_images(const CocoTruth& truth, const Path& annotations) {
  std::unordered_set<std::string> seen;
  for (size_t i = 0; i < truth.images.size(); ++i) {
    const auto& image = truth.images[i];
    const auto refuse = [&](const std::string& field, const std::string& what) {
      refuse_data(annotations.string() + ": /images/" + std::to_string(i) + "/" + field, what);
    };
    if (image.file.empty()) refuse("file_name", "is missing");
    if (!stays_inside(image.file)) refuse("file_name", image.file + " leads out of the images' folder");
    if (!seen.insert(image.file).second) refuse("file_name", image.file + " comes twice");
    if (image.width == 0 || image.height == 0) refuse("width", "and height are needed");
    if (image.width < 0) refuse("width", "is below one pixel");
    if (image.height < 0) refuse("height", "is below one pixel");
  }
}

void look_at_files(CocoSplit& split) {
  for (size_t i = 0; i < split.truth.images.size(); ++i) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(split.file(i), error);
    split.bytes.push_back(error ? 0 : bytes);
    if (error) ++split.missing;
  }
}

int64_t count_boxes_beyond(const CocoTruth& truth) {
  std::map<int64_t, const CocoImage*> images;
  for (const auto& image : truth.images) images[image.id] = &image;
  return std::count_if(truth.annotations.begin(), truth.annotations.end(), [&](const auto& annotation) {
    const auto& [x, y, w, h] = annotation.box;
    const auto& image = *images.at(annotation.image);
    return x < -1 || y < -1 || x + w > static_cast<double>(image.width) + 1 ||
           y + h > static_cast<double>(image.height) + 1;
  });
}

std::string digest_of(const CocoSplit& split, const Path& annotations) {
  std::string lines = sha256_file(annotations) + "\n";
  for (size_t i = 0; i < split.bytes.size(); ++i)
    lines += std::to_string(split.bytes[i]) + " " + split.truth.images[i].file + "\n";
  return sha256_hex(lines);
}

void add_split(const CocoSplit& split, std::vector<PictureFile>& files) {
  for (const auto& image : split.truth.images)
    files.push_back(
        {.name = split.folder.filename().string() + "/" + image.file, .width = image.width, .height = image.height});
}

}  // namespace

Path coco_annotations(const Path& root, std::string_view split) {
  return root / "annotations" / ("instances_" + std::string(split) + ".json");
}

void check_coco_files(const CocoSplit& split) {
  const auto found = std::find(split.bytes.begin(), split.bytes.end(), 0U);
  if (found == split.bytes.end()) return;
  const auto others = std::count(found + 1, split.bytes.end(), 0U);
  refuse_data(split.file(static_cast<size_t>(found - split.bytes.begin())).string(),
              "is missing or empty, but the annotations name it" +
                  (others == 0 ? std::string() : "; and " + with_commas(others) + " others"));
}

std::string CocoFolder::missing(bool as_published) const {
  MissingParts parts;
  for (const auto& [name, split, images] :
       {std::tuple(kCocoTrain, &train, kCocoTrainImages), std::tuple(kCocoVal, &val, kCocoValImages)}) {
    const auto listed = std::ssize(split->truth.images);
    if (as_published) parts.add(name, "categories", std::ssize(split->truth.categories), kCocoCategories);
    if (as_published) parts.add(name, "images in the annotations", listed, images);
    parts.add(name, "files of images", listed - split->missing, listed);
  }
  return parts.text();
}

CocoSplit read_coco_split(const Path& root, std::string_view split) {
  const auto annotations = coco_annotations(root, split);
  CocoSplit result;
  result.folder = root / split;
  result.truth = read_coco_truth(annotations);
  check_images(result.truth, annotations);
  if (result.truth.categories.empty()) refuse_data(annotations.string() + ": /categories", "is empty");
  for (const auto& category : result.truth.categories) result.class_of[category.id] = 0;
  int64_t next = 0;
  for (auto& [id, own] : result.class_of) own = next++;
  look_at_files(result);
  result.beyond = count_boxes_beyond(result.truth);
  result.digest = digest_of(result, annotations);
  return result;
}

CocoFolder read_coco_folder(const Path& root) {
  CocoFolder folder = {
      .train = read_coco_split(root, kCocoTrain), .val = read_coco_split(root, kCocoVal), .manifest = {}};
  if (folder.train.class_of != folder.val.class_of)
    refuse_data(coco_annotations(root, kCocoVal).string() + ": /categories", "are not those of the training images");
  folder.manifest = sha256_hex(folder.train.digest + "  train\n" + folder.val.digest + "  val\n");
  return folder;
}

std::vector<PictureFile> picture_files(const CocoFolder& coco) {
  std::vector<PictureFile> files;
  add_split(coco.train, files);
  add_split(coco.val, files);
  return files;
}

}  // namespace auxbench
