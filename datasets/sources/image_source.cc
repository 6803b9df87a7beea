#include "datasets/sources/image_source.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "base/check.h"

namespace auxbench {
namespace {

class Part final : public ImageSource {
 public:
  Part(Images whole, int64_t count) : whole_(std::move(whole)), count_(count) {}

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

 private:
  [[nodiscard]] size_t index_in_whole(size_t index) const {
    if (!whole_->by_class()) return index;
    return index * static_cast<size_t>(whole_->count()) / static_cast<size_t>(count_);
  }

  Images whole_;
  int64_t count_;
};

}  // namespace

BoxedImage ImageSource::look(size_t, const Augmentation&, RandomStream&) const {
  AUXBENCH_CHECK(boxed(), "images with boxes");
  return {};
}

int64_t ImageSource::category(int64_t label) const {
  AUXBENCH_CHECK(boxed(), "images with boxes");
  return label;
}

Raster ImageSource::picture(size_t index) const {
  const auto size = shape();
  std::vector<float> values(size.size());
  RandomStream no_chance(0);
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
