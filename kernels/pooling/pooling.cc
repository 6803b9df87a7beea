#include "kernels/pooling/pooling.h"

#include <algorithm>

namespace auxbench::pooling {

namespace {

template <typename From, typename To>
void largest_of_windows(const From& in, const To& out, int64_t channels, int64_t first, int64_t last) {
  for (int64_t row = first; row < last; ++row) {
    const int64_t n = row / out.h, y = row % out.h;
    const int64_t top = std::max<int64_t>(0, 2 * y - 1), bottom = std::min(in.h, 2 * y + 2);
    for (int64_t x = 0; x < out.w; ++x) {
      const int64_t left = std::max<int64_t>(0, 2 * x - 1), right = std::min(in.w, 2 * x + 2);
      auto* __restrict to = out.at(n, y, x);
      std::copy_n(in.at(n, top, left), channels, to);
      for (int64_t i = top; i < bottom; ++i)
        for (int64_t j = left; j < right; ++j) {
          const auto* __restrict from = in.at(n, i, j);
          for (int64_t c = 0; c < channels; ++c) to[c] = from[c] > to[c] ? from[c] : to[c];
        }
    }
  }
}

}  // namespace

void max_rows(const In& in, const Out& out, int64_t first, int64_t last) {
  largest_of_windows(in, out, in.pixel, first, last);
}

void max_rows(const requantize::CodeMap<const uint8_t>& in, const requantize::CodeMap<uint8_t>& out, int64_t first,
              int64_t last) {
  largest_of_windows(in, out, std::min(in.pixel, out.pixel), first, last);
}

void average_rows(const In& in, const Out& out, int64_t first, int64_t last) {
  for (int64_t row = first; row < last; ++row) {
    const int64_t n = row / out.h, y = row % out.h;
    for (int64_t x = 0; x < out.w; ++x) {
      float* __restrict to = out.at(n, y, x);
      std::fill_n(to, in.pixel, 0.0F);
      float count = 0;
      for (int64_t i = 2 * y; i < std::min(in.h, 2 * y + 2); ++i)
        for (int64_t j = 2 * x; j < std::min(in.w, 2 * x + 2); ++j, ++count) {
          const float* __restrict from = in.at(n, i, j);
          for (int64_t c = 0; c < in.pixel; ++c) to[c] += from[c];
        }
      for (int64_t c = 0; c < in.pixel; ++c) to[c] /= count;
    }
  }
}

void mean_images(const In& in, const Out& out, int64_t first, int64_t last) {
  constexpr int64_t kBlock = requantize::kChannelBlock;
  const int64_t pixels = in.h * in.w;
  for (int64_t n = first; n < last; ++n)
    for (int64_t c = 0; c < in.pixel; c += kBlock) {
      double sums[kBlock] = {};
      const float* from = in.at(n, 0, 0) + c;
      for (int64_t p = 0; p < pixels; ++p, from += in.pixel)
        for (int64_t i = 0; i < kBlock; ++i) sums[i] += static_cast<double>(from[i]);
      for (int64_t i = 0; i < kBlock; ++i)
        out.at(n, 0, 0)[c + i] = static_cast<float>(sums[i] / static_cast<double>(pixels));
    }
}

}  // namespace auxbench::pooling
