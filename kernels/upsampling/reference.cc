// upsampling.h's formula as it stands there, one number at a time.
#include <algorithm>
#include <cmath>

#include "kernels/upsampling/upsampling.h"

namespace auxbench::upsampling::reference {
namespace {

int64_t source(int64_t i, int64_t from, int64_t to) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  return std::min(static_cast<int64_t>(std::floor(static_cast<float>(i) * scale)), from - 1);
}

template <typename From, typename To>
void nearest(const From& in, const To& out, int64_t channels, int64_t first, int64_t last) {
  for (int64_t row = first; row < last; ++row)
    for (int64_t x = 0; x < out.w; ++x)
      for (int64_t c = 0; c < channels; ++c) {
        const int64_t n = row / out.h, y = row % out.h;
        out.at(n, y, x)[c] = in.at(n, source(y, in.h, out.h), source(x, in.w, out.w))[c];
      }
}

}  // namespace

void nearest_rows(const requantize::FloatMap<const float>& in, const requantize::FloatMap<float>& out, int64_t first,
                  int64_t last) {
  nearest(in, out, in.pixel, first, last);
}

void nearest_rows(const requantize::CodeMap<const uint8_t>& in, const requantize::CodeMap<uint8_t>& out, int64_t first,
                  int64_t last) {
  nearest(in, out, std::min(in.pixel, out.pixel), first, last);
}

}  // namespace auxbench::upsampling::reference
