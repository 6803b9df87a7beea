// pooling.h's formulas as they stand there, one number at a time.
#include <algorithm>

#include "kernels/pooling/pooling.h"

namespace auxbench::pooling::reference {
namespace {

// Calls use(i, j) for pixels of the window of output (y, x) that are inside, in reading order.
template <typename Use>
void for_window(int64_t top, int64_t left, int64_t size, int64_t h, int64_t w, const Use& use) {
  for (int64_t i = top; i < top + size; ++i)
    for (int64_t j = left; j < left + size; ++j)
      if (i >= 0 && i < h && j >= 0 && j < w) use(i, j);
}

template <typename From, typename To>
void largest(const From& in, const To& out, int64_t channels, int64_t first, int64_t last) {
  for (int64_t row = first; row < last; ++row)
    for (int64_t x = 0; x < out.w; ++x)
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t n = row / out.h, y = row % out.h;
        auto most = in.at(n, 2 * y, 2 * x)[c];
        for_window(2 * y - 1, 2 * x - 1, 3, in.h, in.w,
                   [&](int64_t i, int64_t j) { most = std::max(most, in.at(n, i, j)[c]); });
        out.at(n, y, x)[c] = most;
      }
}

}  // namespace

void max_rows(const In& in, const Out& out, int64_t first, int64_t last) { largest(in, out, in.pixel, first, last); }

void max_rows(const requantize::CodeMap<const uint8_t>& in, const requantize::CodeMap<uint8_t>& out, int64_t first,
              int64_t last) {
  largest(in, out, std::min(in.pixel, out.pixel), first, last);
}

void average_rows(const In& in, const Out& out, int64_t first, int64_t last) {
  for (int64_t row = first; row < last; ++row)
    for (int64_t x = 0; x < out.w; ++x)
      for (int64_t c = 0; c < in.pixel; ++c) {
        const int64_t n = row / out.h, y = row % out.h;
        float sum = 0, count = 0;
        for_window(2 * y, 2 * x, 2, in.h, in.w, [&](int64_t i, int64_t j) {
          sum += in.at(n, i, j)[c];
          count += 1;
        });
        out.at(n, y, x)[c] = sum / count;
      }
}

void mean_images(const In& in, const Out& out, int64_t first, int64_t last) {
  for (int64_t n = first; n < last; ++n)
    for (int64_t c = 0; c < in.pixel; ++c) {
      double sum = 0;
      for (int64_t i = 0; i < in.h; ++i)
        for (int64_t j = 0; j < in.w; ++j) sum += static_cast<double>(in.at(n, i, j)[c]);
      out.at(n, 0, 0)[c] = static_cast<float>(sum / static_cast<double>(in.h * in.w));
    }
}

}  // namespace auxbench::pooling::reference
