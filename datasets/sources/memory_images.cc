#include "datasets/sources/memory_images.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/error.h"

namespace auxbench {
namespace {

class MemoryImages final : public ImageSource {
 public:
  MemoryImages(ImageSet images, std::span<const float> mean, std::span<const float> std) : images_(std::move(images)) {
    check_image_set(images_);
    const auto channels = static_cast<size_t>(images_.channels);
    AUXBENCH_CHECK(mean.size() == channels && std.size() == channels, "a mean and a deviation for each channel");
    for (size_t channel = 0; channel < channels; ++channel)
      levels_.push_back(normalisation_levels(mean[channel], std[channel]));
  }

  [[nodiscard]] int64_t count() const override { return images_.count; }
  [[nodiscard]] int64_t classes() const override { return images_.classes; }
  [[nodiscard]] ImageShape shape() const override {
    return {.channels = images_.channels, .height = images_.height, .width = images_.width};
  }
  [[nodiscard]] int64_t label(size_t index) const override { return images_.labels[index]; }
  [[nodiscard]] bool in_memory() const override { return true; }

  void check_augmentation(const Augmentation& augmentation) const override {
    if (augmentation.square_crop)
      throw UserError(ExitCode::invalid_suite, "augment: square-crop is for photographs; these images have one size");
    refuse_short_side(augmentation);
  }

  void write(size_t index, const Augmentation& augmentation, RandomStream& stream, bool channels_last,
             std::span<float> out) const override {
    AUXBENCH_CHECK(index < images_.labels.size() && out.size() == images_.image_size(), "room for an image there is");
    const auto warp = draw_warp(augmentation, images_.height, images_.width, stream);
    const auto channels = static_cast<size_t>(images_.channels);
    const size_t step = channels_last ? channels : 1;
    const size_t stride = channels_last ? 1 : images_.plane_size();
    for (size_t channel = 0; channel < channels; ++channel)
      write_plane(images_.plane(index, channel), images_.height, images_.width, warp, levels_[channel],
                  out.subspan(channel * stride), step);
  }

  // Grey is repeated.
  [[nodiscard]] Raster picture(size_t index) const override {
    AUXBENCH_CHECK(index < images_.labels.size(), "an image there is");
    Raster raster(images_.width, images_.height);
    for (size_t colour = 0; colour < kColours; ++colour) {
      const auto plane = images_.plane(index, std::min(colour, static_cast<size_t>(images_.channels) - 1));
      for (size_t i = 0; i < images_.plane_size(); ++i) raster.rgb[i * kColours + colour] = plane[i];
    }
    return raster;
  }

 private:
  ImageSet images_;
  std::vector<Levels> levels_;  // of each channel
};

}  // namespace

Images memory_images(ImageSet images, std::span<const float> mean, std::span<const float> std) {
  return std::make_shared<MemoryImages>(std::move(images), mean, std);
}

Images memory_images(ImageSet images, float mean, float std) {
  const auto channels = static_cast<size_t>(images.channels);
  return memory_images(std::move(images), std::vector(channels, mean), std::vector(channels, std));
}

}  // namespace auxbench
