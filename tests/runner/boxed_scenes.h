// Pictures with boxes, made here: bright squares and dark frames on grey, of several sizes. For .cc files.
#pragma once

#include <algorithm>

#include "base/random.h"
#include "base/torch_prelude.h"
#include "datasets/dataset.h"
#include "datasets/sources/image_source.h"
#include "metrics/coco_eval.h"

namespace auxbench::test {

class BoxedScenes final : public ImageSource {
 public:
  // Image i is 64 or 96 pixels wide and 64 high, as the network sees it; its file has twice as many.
  explicit BoxedScenes(int64_t count, uint64_t seed = 1) {
    truth_.categories = {{.id = 7, .name = "square"}, {.id = 11, .name = "frame"}};
    for (int64_t i = 0; i < count; ++i)
      add(i, stream_seed(static_cast<int64_t>(seed), "scene", static_cast<uint64_t>(i)));
  }

  [[nodiscard]] int64_t count() const override { return std::ssize(infos_); }
  [[nodiscard]] int64_t classes() const override { return 2; }
  [[nodiscard]] ImageShape shape() const override { return {.channels = 1, .height = kHeight, .width = 96}; }
  [[nodiscard]] int64_t label(size_t) const override { return 0; }
  [[nodiscard]] bool in_memory() const override { return true; }
  [[nodiscard]] bool boxed() const override { return true; }
  [[nodiscard]] const CocoTruth* truth() const override { return &truth_; }
  [[nodiscard]] int64_t category(int64_t label) const override { return label == 0 ? 7 : 11; }
  [[nodiscard]] BoxedImage look(size_t index, const Augmentation&, RandomStream&) const override {
    return infos_.at(index);
  }
  void check_augmentation(const Augmentation&) const override {}
  void write(size_t index, const Augmentation&, RandomStream&, bool, std::span<float> out) const override {
    std::copy(pixels_.at(index).begin(), pixels_.at(index).end(), out.begin());
  }
  void write_padded(size_t index, const Augmentation&, RandomStream&, const ImageShape& size, bool,
                    std::span<float> out) const override {
    const auto width = static_cast<size_t>(infos_.at(index).width), wide = static_cast<size_t>(size.width);
    std::fill(out.begin(), out.end(), 0.0F);
    for (size_t i = 0; i < pixels_[index].size(); ++i) out[i / width * wide + i % width] = pixels_[index][i];
  }

 private:
  static constexpr int64_t kHeight = 64;

  void add(int64_t image, uint64_t seed) {
    RandomStream random(seed);
    const int64_t width = image % 3 == 0 ? 96 : 64;
    BoxedImage info = {.index = static_cast<size_t>(image),
                       .width = width,
                       .height = kHeight,
                       .full_width = 2 * width,
                       .full_height = 2 * kHeight};
    std::vector<float> pixels(static_cast<size_t>(width * kHeight));
    for (auto& pixel : pixels) pixel = 0.2F * static_cast<float>(random.uniform());
    for (int64_t slot = 0; slot < width / 32; ++slot) {
      const auto label = static_cast<int64_t>(random.below(2)), side = 18 + static_cast<int64_t>(random.below(10));
      const auto x = 32 * slot + static_cast<int64_t>(random.below(4));
      const auto y = static_cast<int64_t>(random.below(static_cast<uint64_t>(kHeight - side)));
      paint(label, x, y, side, width, pixels);
      const auto real = [](int64_t pixel) { return static_cast<float>(pixel); };
      info.boxes.push_back({real(x), real(y), real(x + side), real(y + side), label});
      truth_.annotations.push_back({.id = std::ssize(truth_.annotations) + 1,
                                    .image = 100 + image,
                                    .category = category(label),
                                    .box = {2.0 * static_cast<double>(x), 2.0 * static_cast<double>(y),
                                            2.0 * static_cast<double>(side), 2.0 * static_cast<double>(side)},
                                    .area = 4.0 * static_cast<double>(side * side)});
    }
    truth_.images.push_back({.id = 100 + image, .width = info.full_width, .height = info.full_height});
    infos_.push_back(std::move(info));
    pixels_.push_back(std::move(pixels));
  }

  static void paint(int64_t label, int64_t x0, int64_t y0, int64_t side, int64_t width, std::vector<float>& pixels) {
    for (int64_t y = 0; y < side; ++y)
      for (int64_t x = 0; x < side; ++x) {
        const bool border = std::min({x, y, side - 1 - x, side - 1 - y}) < 3;
        if (label == 0 || border) pixels[static_cast<size_t>((y0 + y) * width + x0 + x)] = label == 0 ? 1.0F : -1.0F;
      }
  }

  CocoTruth truth_;
  std::vector<BoxedImage> infos_;
  std::vector<std::vector<float>> pixels_;
};

inline const Dataset& scene_data() {
  static const Dataset data = {.name = "painted",
                               .train = std::make_shared<BoxedScenes>(24, 1),
                               .test = std::make_shared<BoxedScenes>(9, 2),
                               .manifest = "m"};
  return data;
}

}  // namespace auxbench::test
