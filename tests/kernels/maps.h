// Random maps for tests of kernels, each in memory that ends at a page nobody may touch.
#pragma once

#include "tests/kernels/conv_problems.h"

namespace auxbench {

// Floats that are 0 now and then, large and small; what is beyond the last channel counts as well.
class RandomFloats {
 public:
  RandomFloats(lowbit_conv::Generator& generator, int64_t n, int64_t h, int64_t w, int64_t channels)
      : memory_(static_cast<size_t>(n * h * w * requantize::padded_channels(channels)) * sizeof(float)),
        map_({.data = reinterpret_cast<float*>(memory_.data()),
              .h = h,
              .w = w,
              .pixel = requantize::padded_channels(channels)}) {
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < n * h * w * map_.pixel; ++i)
      map_.data[i] = lowbit_conv::between(generator, 0, 9) == 0 ? 0.0F : normal(generator) * (i % 7 == 0 ? 1000 : 1);
  }
  [[nodiscard]] const requantize::FloatMap<float>& map() const { return map_; }
  // Its numbers, one after another.
  [[nodiscard]] std::vector<float> numbers(int64_t n) const {
    return {map_.data, map_.data + n * map_.h * map_.w * map_.pixel};
  }

 private:
  lowbit_conv::Guarded memory_;
  requantize::FloatMap<float> map_;
};

// Codes 0 .. largest, with a border and, behind them, the bytes that readers may touch.
class RandomCodes {
 public:
  RandomCodes(lowbit_conv::Generator& generator, int64_t n, int64_t h, int64_t w, int64_t channels, int64_t largest)
      : map_({.h = h,
              .w = w,
              .border = lowbit_conv::between(generator, 0, 2),
              .pixel = (channels + 3) / 4 * 4 + 4 * lowbit_conv::between(generator, 0, 2)}),
        bytes_(static_cast<size_t>(n * map_.image() + requantize::kSlack)),
        memory_(bytes_) {
    map_.data = memory_.data();
    for (size_t i = 0; i < bytes_; ++i)
      map_.data[i] = static_cast<uint8_t>(lowbit_conv::between(generator, 0, largest));
  }
  [[nodiscard]] const requantize::CodeMap<uint8_t>& map() const { return map_; }
  [[nodiscard]] std::vector<uint8_t> codes() const { return {map_.data, map_.data + bytes_}; }
  void set(const std::vector<uint8_t>& codes) { std::copy(codes.begin(), codes.end(), map_.data); }

 private:
  requantize::CodeMap<uint8_t> map_;
  size_t bytes_;
  lowbit_conv::Guarded memory_;
};

// rows(first, last) over all rows in two parts and backwards: they do not lean on each other.
template <typename Rows>
void in_two_parts(int64_t count, const Rows& rows) {
  rows(count / 2, count);
  rows(0, count / 2);
}

}  // namespace auxbench
