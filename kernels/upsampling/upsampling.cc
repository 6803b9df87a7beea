#include "kernels/upsampling/upsampling.h"

#include <algorithm>
#include <cmath>

namespace auxbench::upsampling {
namespace {

struct Axis {
  int64_t from;
  float scale;

  Axis(int64_t in, int64_t out) : from(in), scale(static_cast<float>(in) / static_cast<float>(out)) {}
  [[nodiscard]] int64_t source(int64_t i) const {
    return std::min(static_cast<int64_t>(std::floor(static_cast<float>(i) * scale)), from - 1);
  }
};

// Output rows that come from one input row are copies of each other: the first is gathered, the rest are copied whole,
// where they are part of the same call.
template <typename From, typename To>
void gather(const From& in, const To& out, int64_t numbers, int64_t first, int64_t last) {
  const Axis rows(in.h, out.h), columns(in.w, out.w);
  int64_t image = -1, source = -1;
  for (int64_t row = first; row < last; ++row) {
    const int64_t n = row / out.h, y = row % out.h, from = rows.source(y);
    if (n == image && from == source && numbers == out.pixel) {
      std::copy_n(out.at(n, y - 1, 0), out.w * out.pixel, out.at(n, y, 0));
      continue;
    }
    image = n;
    source = from;
    for (int64_t x = 0; x < out.w; ++x) std::copy_n(in.at(n, from, columns.source(x)), numbers, out.at(n, y, x));
  }
}

}  // namespace

void nearest_rows(const requantize::FloatMap<const float>& in, const requantize::FloatMap<float>& out, int64_t first,
                  int64_t last) {
  gather(in, out, out.pixel, first, last);
}

void nearest_rows(const requantize::CodeMap<const uint8_t>& in, const requantize::CodeMap<uint8_t>& out, int64_t first,
                  int64_t last) {
  gather(in, out, std::min(in.pixel, out.pixel), first, last);
}

}  // namespace auxbench::upsampling
