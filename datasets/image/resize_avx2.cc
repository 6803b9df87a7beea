#include "datasets/image/resize_passes.h"

#ifndef __x86_64__

namespace auxbench {
const ResizePasses* avx2_passes() { return nullptr; }
}  // namespace auxbench

#else

#include <immintrin.h>

#include <algorithm>
#include <cstring>

namespace auxbench {
namespace {

constexpr size_t kLanes = 8;

[[gnu::target("avx2")]] __m256i load(const int32_t* numbers) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(numbers));
}

// For each pixel of two rows eight numbers: red, green, blue, a stranger of the upper one, then of the lower one. A
// pixel is read as four bytes; behind the last one there may be nothing.
[[gnu::target("avx2")]] void widen_rows(const uint8_t* upper, const uint8_t* lower, size_t width, int32_t* pairs) {
  const auto widen = [pairs](size_t x, int32_t high, int32_t low) __attribute__((target("avx2"))) {
    const auto bytes = _mm_insert_epi32(_mm_cvtsi32_si128(high), low, 1);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(pairs + x * kLanes), _mm256_cvtepu8_epi32(bytes));
  };
  int32_t high = 0, low = 0;
  for (size_t x = 0; x + 1 < width; ++x) {
    std::memcpy(&high, upper + x * kColours, sizeof high);
    std::memcpy(&low, lower + x * kColours, sizeof low);
    widen(x, high, low);
  }
  std::memcpy(&high, upper + (width - 1) * kColours, kColours);
  std::memcpy(&low, lower + (width - 1) * kColours, kColours);
  widen(width - 1, high, low);
}

[[gnu::target("avx2")]] void filter_two_rows(const int32_t* pairs, const Filter& filter, uint8_t* upper,
                                             uint8_t* lower) {
  for (const auto& window : filter.windows) {
    const int32_t* weights = filter.weights.data() + window.weights;
    const int32_t* first = pairs + static_cast<size_t>(window.first) * kLanes;
    auto sums = _mm256_set1_epi32(kFilterHalf);
    for (size_t i = 0; i < static_cast<size_t>(window.count); ++i)
      sums = _mm256_add_epi32(sums, _mm256_mullo_epi32(load(first + i * kLanes), _mm256_set1_epi32(weights[i])));
    const auto whole = _mm256_srli_epi32(sums, kFilterFraction);
    const auto bytes = _mm256_packus_epi16(_mm256_packus_epi32(whole, whole), whole);  // cuts 256 to 255
    const int32_t high = _mm256_extract_epi32(bytes, 0), low = _mm256_extract_epi32(bytes, kLanes / 2);
    // Four bytes are one store, three are two: the next pixel overwrites the fourth, which the last one does not have.
    if (&window != &filter.windows.back()) {
      std::memcpy(upper, &high, sizeof high);
      std::memcpy(lower, &low, sizeof low);
    } else {
      std::memcpy(upper, &high, kColours);
      std::memcpy(lower, &low, kColours);
    }
    upper += kColours;
    lower += kColours;
  }
}

[[gnu::target("avx2")]] void filter_rows(const Raster& in, const Box& box, const Filter& filter, Raster& out) {
  std::vector<int32_t> pairs(static_cast<size_t>(box.width) * kLanes);
  const size_t left = static_cast<size_t>(box.left) * kColours;
  for (int64_t y = 0; y < box.height; y += 2) {
    const int64_t next = std::min(y + 1, box.height - 1);  // the last row of an odd number is its own neighbour
    widen_rows(in.row(box.top + y) + left, in.row(box.top + next) + left, static_cast<size_t>(box.width), pairs.data());
    filter_two_rows(pairs.data(), filter, out.row(y), out.row(next));
  }
}

// Sixteen bytes of one output row.
[[gnu::target("avx2")]] void filter_sixteen(const uint8_t* from, size_t stride, const int32_t* weights, size_t count,
                                            uint8_t* to) {
  auto low = _mm256_set1_epi32(kFilterHalf), high = low;
  for (size_t i = 0; i < count; ++i) {
    const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * stride));
    const auto weight = _mm256_set1_epi32(weights[i]);
    low = _mm256_add_epi32(low, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(bytes), weight));
    high = _mm256_add_epi32(high, _mm256_mullo_epi32(_mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)), weight));
  }
  low = _mm256_srli_epi32(low, kFilterFraction);
  high = _mm256_srli_epi32(high, kFilterFraction);
  // Packing works within halves: their middle quarters come out exchanged.
  const auto words = _mm256_permute4x64_epi64(_mm256_packus_epi32(low, high), 0b11'01'10'00);
  const auto packed = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), packed);
}

[[gnu::target("avx2")]] void filter_columns(const Raster& in, const Filter& filter, Raster& out) {
  constexpr size_t kBytes = 16;
  const size_t bytes = static_cast<size_t>(in.width) * kColours;
  for (size_t y = 0; y < filter.windows.size(); ++y) {
    const auto& window = filter.windows[y];
    const int32_t* weights = filter.weights.data() + window.weights;
    const auto count = static_cast<size_t>(window.count);
    const uint8_t* from = in.row(window.first);
    uint8_t* to = out.row(static_cast<int64_t>(y));
    size_t b = 0;
    for (; b + kBytes <= bytes; b += kBytes) filter_sixteen(from + b, bytes, weights, count, to + b);
    for (; b < bytes; ++b) {
      int32_t sum = kFilterHalf;
      for (size_t i = 0; i < count; ++i) sum += from[i * bytes + b] * weights[i];
      to[b] = static_cast<uint8_t>(std::min(sum >> kFilterFraction, 255));
    }
  }
}

constexpr ResizePasses kPasses = {.rows = filter_rows, .columns = filter_columns};

}  // namespace

const ResizePasses* avx2_passes() { return __builtin_cpu_supports("avx2") != 0 ? &kPasses : nullptr; }

}  // namespace auxbench

#endif
