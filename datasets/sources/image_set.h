// Labelled images of one size, in memory, in the order of their files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace auxbench {

struct ImageSet {
  std::vector<uint8_t> pixels;  // count x channels x height x width
  std::vector<int64_t> labels;  // count, each in [0, classes)
  int64_t count = 0;
  int64_t channels = 1;
  int64_t height = 0;
  int64_t width = 0;
  int64_t classes = 0;

  [[nodiscard]] size_t plane_size() const { return static_cast<size_t>(height * width); }
  [[nodiscard]] size_t image_size() const { return static_cast<size_t>(channels) * plane_size(); }
  // One channel of one image: height x width.
  [[nodiscard]] std::span<const uint8_t> plane(size_t image, size_t channel) const {
    return std::span(pixels).subspan(image * image_size() + channel * plane_size(), plane_size());
  }
};

// The sizes of `pixels` and `labels` and every label agree with the rest. Throws LogicFault.
void check_image_set(const ImageSet& images);

}  // namespace auxbench
