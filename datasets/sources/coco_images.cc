#include "datasets/sources/coco_images.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/files/file.h"
#include "datasets/image/decode.h"
#include "datasets/image/transforms.h"

namespace auxbench {
namespace {

constexpr double kLeastSide = 1e-5;  // Detectron2's, of a box

struct Corners {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;

  [[nodiscard]] bool usable() const { return x1 - x0 > kLeastSide && y1 - y0 > kLeastSide; }
};

Corners inside(const Corners& box, int64_t width, int64_t height) {
  const auto right = static_cast<double>(width), bottom = static_cast<double>(height);
  return {.x0 = std::clamp(box.x0, 0.0, right),
          .y0 = std::clamp(box.y0, 0.0, bottom),
          .x1 = std::clamp(box.x1, 0.0, right),
          .y1 = std::clamp(box.y1, 0.0, bottom)};
}

Corners corners_of(const CocoBox& box) { return {.x0 = box.x, .y0 = box.y, .x1 = box.x + box.w, .y1 = box.y + box.h}; }

// The annotations of each image that have a box for it.
class BoxIndex {
 public:
  BoxIndex(const CocoTruth& truth, bool crowds) {
    std::unordered_map<int64_t, size_t> place;
    for (size_t i = 0; i < truth.images.size(); ++i) place[truth.images[i].id] = i;
    std::vector<std::pair<size_t, uint32_t>> usable;  // image, annotation
    for (size_t i = 0; i < truth.annotations.size(); ++i) {
      const auto& annotation = truth.annotations[i];
      const auto at = place.at(annotation.image);
      const auto& image = truth.images[at];
      if ((crowds || !annotation.crowd) && inside(corners_of(annotation.box), image.width, image.height).usable())
        usable.emplace_back(at, static_cast<uint32_t>(i));
    }
    std::sort(usable.begin(), usable.end());
    begin_.reserve(truth.images.size() + 1);
    for (size_t image = 0; image < truth.images.size(); ++image) {
      begin_.push_back(annotations_.size());
      while (annotations_.size() < usable.size() && usable[annotations_.size()].first == image)
        annotations_.push_back(usable[annotations_.size()].second);
    }
    begin_.push_back(annotations_.size());
  }

  // In the order of the file.
  [[nodiscard]] std::span<const uint32_t> of(size_t image) const {
    return std::span(annotations_).subspan(begin_[image], begin_[image + 1] - begin_[image]);
  }

 private:
  std::vector<size_t> begin_;
  std::vector<uint32_t> annotations_;
};

// Only the images whose entry of `keeps` is not 0 stay, with their annotations.
void keep_images(CocoSplit& split, const std::vector<char>& keeps) {
  CocoTruth& truth = split.truth;
  std::unordered_map<int64_t, bool> stays;
  size_t kept = 0;
  for (size_t i = 0; i < keeps.size(); ++i) {
    stays[truth.images[i].id] = keeps[i] != 0;
    if (keeps[i] == 0) continue;
    std::swap(truth.images[kept], truth.images[i]);
    split.bytes[kept++] = split.bytes[i];
  }
  truth.images.resize(kept);
  split.bytes.resize(kept);
  std::erase_if(truth.annotations, [&](const CocoAnnotation& annotation) { return !stays.at(annotation.image); });
}

std::vector<char> trained_on(const CocoTruth& truth) {
  const BoxIndex boxes(truth, /*crowds=*/false);
  std::vector<char> keeps(truth.images.size());
  for (size_t i = 0; i < keeps.size(); ++i) keeps[i] = boxes.of(i).empty() ? 0 : 1;
  return keeps;
}

// Pictures that were made, for whoever asks next. Two that ask at once may both make one: they make the same.
class KeptPictures {
 public:
  explicit KeptPictures(size_t count) : pictures_(count) {}

  template <typename Make>
  std::shared_ptr<const Raster> get(size_t i, const Make& make) {
    {
      const std::scoped_lock lock(guard_);
      if (pictures_[i]) return pictures_[i];
    }
    auto made = std::make_shared<const Raster>(make());
    const std::scoped_lock lock(guard_);
    if (!pictures_[i]) pictures_[i] = std::move(made);
    return pictures_[i];
  }

 private:
  std::mutex guard_;
  std::vector<std::shared_ptr<const Raster>> pictures_;
};

// One image as a network sees it.
struct View {
  int64_t width = 0, height = 0;
  bool mirrored = false;
};

class CocoImages final : public ImageSource {
 public:
  CocoImages(CocoSplit split, const CocoImagesOptions& options)
      : split_(std::move(split)), size_(options.size), boxes_(split_.truth, /*crowds=*/!options.training) {
    for (const auto& [id, label] : split_.class_of) categories_.push_back(id);
    int64_t bytes = 0;
    for (size_t i = 0; i < split_.truth.images.size(); ++i) {
      const auto view = plain_view(i, size_);
      largest_.height = std::max(largest_.height, padded_side(view.height));
      largest_.width = std::max(largest_.width, padded_side(view.width));
      bytes += static_cast<int64_t>(kColours) * view.width * view.height;
    }
    if (bytes <= options.kept_bytes) kept_ = std::make_unique<KeptPictures>(split_.truth.images.size());
  }

  [[nodiscard]] int64_t count() const override { return std::ssize(split_.truth.images); }
  [[nodiscard]] int64_t classes() const override { return std::ssize(categories_); }
  [[nodiscard]] ImageShape shape() const override { return largest_; }
  [[nodiscard]] int64_t label(size_t) const override { throw LogicFault("expected images with a label each"); }
  [[nodiscard]] bool in_memory() const override { return kept_ != nullptr; }
  [[nodiscard]] bool boxed() const override { return true; }
  [[nodiscard]] const CocoTruth* truth() const override { return &split_.truth; }
  [[nodiscard]] int64_t category(int64_t label) const override {
    AUXBENCH_CHECK(label >= 0 && label < classes(), "a label of the truth's");
    return categories_[static_cast<size_t>(label)];
  }

  void check_augmentation(const Augmentation& augmentation) const override {
    if (augmentation.pad_crop || augmentation.random_resized_crop || augmentation.square_crop)
      throw UserError(ExitCode::invalid_suite, "augment: images with boxes take flip and short-side alone");
  }

  [[nodiscard]] BoxedImage look(size_t index, const Augmentation& augmentation, RandomStream& stream) const override {
    const auto view = draw(index, augmentation, stream);
    const auto& image = image_at(index);
    BoxedImage seen = {.index = index,
                       .width = view.width,
                       .height = view.height,
                       .full_width = image.width,
                       .full_height = image.height,
                       .boxes = {}};
    for (const auto annotation : boxes_.of(index))
      if (const auto box = box_in(view, image, split_.truth.annotations[annotation])) seen.boxes.push_back(*box);
    return seen;
  }

  void write(size_t index, const Augmentation& augmentation, RandomStream& stream, bool channels_last,
             std::span<float> out) const override {
    const auto view = draw(index, augmentation, stream);
    put(index, view, {.channels = 3, .height = view.height, .width = view.width}, channels_last, out);
  }

  void write_padded(size_t index, const Augmentation& augmentation, RandomStream& stream, const ImageShape& size,
                    bool channels_last, std::span<float> out) const override {
    put(index, draw(index, augmentation, stream), size, channels_last, out);
  }

  [[nodiscard]] Raster picture(size_t index) const override { return *seen(index, plain_view(index, size_)); }

 private:
  [[nodiscard]] const CocoImage& image_at(size_t index) const {
    AUXBENCH_CHECK(index < split_.truth.images.size(), "an image there is");
    return split_.truth.images[index];
  }

  [[nodiscard]] View plain_view(size_t index, int64_t shorter) const {
    const auto& image = image_at(index);
    const auto resizing = resize_shorter_side(image.width, image.height, shorter, longest_side(size_));
    return {.width = resizing.width, .height = resizing.height};
  }

  // All chance that there is.
  [[nodiscard]] View draw(size_t index, const Augmentation& augmentation, RandomStream& stream) const {
    auto view = plain_view(index, draw_short_side(augmentation, size_, stream));
    view.mirrored = augmentation.flip && stream.below(2) == 1;
    return view;
  }

  [[nodiscard]] std::optional<TruthBox> box_in(const View& view, const CocoImage& image,
                                               const CocoAnnotation& annotation) const {
    const double across = static_cast<double>(view.width) / static_cast<double>(image.width);
    const double down = static_cast<double>(view.height) / static_cast<double>(image.height);
    auto box = corners_of(annotation.box);
    box = {.x0 = box.x0 * across, .y0 = box.y0 * down, .x1 = box.x1 * across, .y1 = box.y1 * down};
    const auto right = static_cast<double>(view.width);
    if (view.mirrored) box = {.x0 = right - box.x1, .y0 = box.y0, .x1 = right - box.x0, .y1 = box.y1};
    box = inside(box, view.width, view.height);
    const TruthBox rounded = {.x0 = static_cast<float>(box.x0),
                              .y0 = static_cast<float>(box.y0),
                              .x1 = static_cast<float>(box.x1),
                              .y1 = static_cast<float>(box.y1),
                              .label = split_.class_of.at(annotation.category),
                              .crowd = annotation.crowd};
    const auto kept = [](float side) { return static_cast<double>(side); };
    if (!Corners{kept(rounded.x0), kept(rounded.y0), kept(rounded.x1), kept(rounded.y1)}.usable()) return std::nullopt;
    return rounded;
  }

  // Not mirrored.
  [[nodiscard]] std::shared_ptr<const Raster> seen(size_t index, const View& view) const {
    const auto make = [&] { return resize(decoded(index), view.width, view.height); };
    const auto plain = plain_view(index, size_);
    if (kept_ == nullptr || view.width != plain.width || view.height != plain.height)
      return std::make_shared<const Raster>(make());
    return kept_->get(index, make);
  }

  [[nodiscard]] Raster decoded(size_t index) const {
    const auto& image = image_at(index);
    const auto path = split_.file(index);
    const auto bytes = read_file(path);
    if (bytes.size() != split_.bytes[index])
      refuse_data(path.string(), "has " + std::to_string(bytes.size()) + " bytes, but had " +
                                     std::to_string(split_.bytes[index]) + " when the folder was read");
    auto raster = decode_image(bytes, path.string());
    if (raster.width != image.width || raster.height != image.height)
      refuse_data(path.string(), "is " + std::to_string(raster.width) + " x " + std::to_string(raster.height) +
                                     " pixels, the annotations say " + std::to_string(image.width) + " x " +
                                     std::to_string(image.height));
    return raster;
  }

  void put(size_t index, const View& view, const ImageShape& size, bool channels_last, std::span<float> out) const {
    AUXBENCH_CHECK(size.channels == 3, "three channels");
    auxbench::write_padded(*seen(index, view), view.mirrored, size.width, size.height, out, channels_last);
  }

  CocoSplit split_;
  int64_t size_;
  BoxIndex boxes_;
  std::vector<int64_t> categories_;  // ids, by label
  ImageShape largest_ = {.channels = 3, .height = 0, .width = 0};
  std::unique_ptr<KeptPictures> kept_;  // none: too many
};

}  // namespace

int64_t count_for_training(const CocoSplit& split) {
  const auto keeps = trained_on(split.truth);
  return std::count(keeps.begin(), keeps.end(), 1);
}

Images coco_images(CocoSplit split, const CocoImagesOptions& options) {
  AUXBENCH_CHECK(options.size > 0, "a side of one pixel and more");
  check_coco_files(split);
  if (options.training) keep_images(split, trained_on(split.truth));
  if (split.truth.images.empty())
    refuse_data(split.folder.string(), options.training ? "no image has a box to train on" : "no images");
  return std::make_shared<CocoImages>(std::move(split), options);
}

}  // namespace auxbench
