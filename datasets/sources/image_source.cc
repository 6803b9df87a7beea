#include "datasets/sources/image_source.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/check.h"
#include "metrics/coco_eval.h"

namespace auxbench {
namespace {

CocoTruth truth_of_first(const CocoTruth& whole, size_t count) {
  CocoTruth part;
  part.images.assign(whole.images.begin(), whole.images.begin() + static_cast<std::ptrdiff_t>(count));
  part.categories = whole.categories;
  std::unordered_set<int64_t> ids;
  for (const auto& image : part.images) ids.insert(image.id);
  std::copy_if(whole.annotations.begin(), whole.annotations.end(), std::back_inserter(part.annotations),
               [&](const CocoAnnotation& annotation) { return ids.contains(annotation.image); });
  return part;
}

class Part final : public ImageSource {
 public:
  Part(Images whole, int64_t count) : whole_(std::move(whole)), count_(count) {
    AUXBENCH_CHECK(!whole_->boxed() || !whole_->by_class(), "images with boxes are not of a class");
    if (const auto* truth = whole_->truth()) truth_ = truth_of_first(*truth, static_cast<size_t>(count));
  }

  [[nodiscard]] int64_t count() const override { return count_; }
  [[nodiscard]] int64_t classes() const override { return whole_->classes(); }
  [[nodiscard]] ImageShape shape() const override { return whole_->shape(); }
  [[nodiscard]] int64_t label(size_t index) const override { return whole_->label(index_in_whole(index)); }
  [[nodiscard]] bool by_class() const override { return whole_->by_class(); }
  [[nodiscard]] bool in_memory() const override { return whole_->in_memory(); }
  void check_augmentation(const Augmentation& augmentation) const override { whole_->check_augmentation(augmentation); }
  void write(size_t index, const Augmentation& augmentation, RandomStream& stream, bool channels_last,
             std::span<float> out) const override {
    whole_->write(index_in_whole(index), augmentation, stream, channels_last, out);
  }
  [[nodiscard]] Raster picture(size_t index) const override { return whole_->picture(index_in_whole(index)); }

  [[nodiscard]] bool boxed() const override { return whole_->boxed(); }
  [[nodiscard]] BoxedImage look(size_t index, const Augmentation& augmentation, RandomStream& stream) const override {
    return whole_->look(index, augmentation, stream);
  }
  [[nodiscard]] const CocoTruth* truth() const override { return truth_ ? &*truth_ : nullptr; }
  [[nodiscard]] int64_t category(int64_t label) const override { return whole_->category(label); }
  void write_padded(size_t index, const Augmentation& augmentation, RandomStream& stream, const ImageShape& size,
                    bool channels_last, std::span<float> out) const override {
    whole_->write_padded(index, augmentation, stream, size, channels_last, out);
  }

 private:
  [[nodiscard]] size_t index_in_whole(size_t index) const {
    if (!whole_->by_class()) return index;
    return index * static_cast<size_t>(whole_->count()) / static_cast<size_t>(count_);
  }

  Images whole_;
  int64_t count_;
  std::optional<CocoTruth> truth_;
};

constexpr const char* kNoBoxes = "expected a source of images with boxes";

}  // namespace

BoxedImage ImageSource::look(size_t, const Augmentation&, RandomStream&) const { throw LogicFault(kNoBoxes); }

int64_t ImageSource::category(int64_t) const { throw LogicFault(kNoBoxes); }

void ImageSource::write_padded(size_t, const Augmentation&, RandomStream&, const ImageShape&, bool,
                               std::span<float>) const {
  throw LogicFault(kNoBoxes);
}

Raster ImageSource::picture(size_t index) const {
  auto size = shape();
  RandomStream no_chance(0);
  if (boxed()) {
    const auto seen = look(index, {}, no_chance);
    size.width = seen.width;
    size.height = seen.height;
  }
  std::vector<float> values(size.size());
  write(index, {}, no_chance, /*channels_last=*/true, values);
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  const float range = *greatest > *least ? *greatest - *least : 1.0F;
  Raster raster(size.width, size.height);
  const auto channels = static_cast<size_t>(size.channels);
  for (size_t i = 0; i < raster.rgb.size(); ++i) {
    const auto value = values[i / kColours * channels + std::min(i % kColours, channels - 1)];
    raster.rgb[i] = static_cast<uint8_t>(std::lround(255.0F * (value - *least) / range));
  }
  return raster;
}

Images part_of(Images images, int64_t count) {
  AUXBENCH_CHECK(count >= 0, "a number of images");
  if (count == 0 || count >= images->count()) return images;
  return std::make_shared<Part>(std::move(images), count);
}

}  // namespace auxbench
