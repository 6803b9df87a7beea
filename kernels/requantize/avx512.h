// What requantization asks of an instruction set, with AVX-512 (F, BW, DQ, VL). For units that are built for it.
#pragma once

// g++ 12 and 13 take the registers that its own header leaves undefined on purpose for a mistake (GCC bug 105593).
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif

#include "kernels/requantize/blocks.h"

namespace auxbench::requantize {
namespace {

// Sixteen numbers in one register, comparisons in mask registers.
struct Avx512 {
  using Floats = __m512;
  using Ints = __m512i;
  using Bytes = __m128i;
  using Line = __m512i;  // 64 bytes
  static constexpr bool kLine = true;

  static Floats load(const float* from) { return _mm512_loadu_ps(from); }
  static Ints load(const int32_t* from) { return _mm512_loadu_si512(from); }
  static void store(float* to, Floats v) { _mm512_storeu_ps(to, v); }
  static Floats all(float v) { return _mm512_set1_ps(v); }
  static Ints all(int32_t v) { return _mm512_set1_epi32(v); }

  static Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
  static Ints add(Ints a, Ints b) { return _mm512_add_epi32(a, b); }
  static Floats sub(Floats a, Floats b) { return _mm512_sub_ps(a, b); }
  static Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
  static Floats fused(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
  static Floats div(Floats a, Floats b) { return _mm512_div_ps(a, b); }
  // Of equals, and where one is NaN, the instructions return their second operand.
  static Floats at_least(Floats v, Floats lo) { return _mm512_max_ps(lo, v); }
  static Floats at_most(Floats v, Floats hi) { return _mm512_min_ps(hi, v); }
  static Ints at_least(Ints v, Ints lo) { return _mm512_max_epi32(v, lo); }
  static Floats at_most_positive(Floats v, Floats hi) {
    return _mm512_castsi512_ps(_mm512_min_epi32(_mm512_castps_si512(v), _mm512_castps_si512(hi)));
  }

  static Floats to_float(Ints v) { return _mm512_cvtepi32_ps(v); }
  static Ints rounded(Floats v) { return _mm512_cvtps_epi32(v); }
  static Floats widen(const uint8_t* codes) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(codes))));
  }
  static Floats product_in_double(Ints acc, Floats scale) {
    const auto low =
        _mm512_mul_pd(_mm512_cvtepi32_pd(_mm512_castsi512_si256(acc)), _mm512_cvtps_pd(_mm512_castps512_ps256(scale)));
    const auto high = _mm512_mul_pd(_mm512_cvtepi32_pd(_mm512_extracti32x8_epi32(acc, 1)),
                                    _mm512_cvtps_pd(_mm512_extractf32x8_ps(scale, 1)));
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
  }

  static Bytes bytes(Ints v) { return _mm512_cvtepi32_epi8(v); }
  static void store(uint8_t* to, Bytes codes, int64_t channels) {
    if (channels == kWidth)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to), codes);
    else
      _mm_mask_storeu_epi8(to, static_cast<__mmask16>((1U << channels) - 1), codes);
  }

  // Packing works within quarters: four channels of each of four blocks.
  static __m512i line_in_order(__m512i packed) {
    return _mm512_permutexvar_epi32(_mm512_set_epi32(15, 11, 7, 3, 14, 10, 6, 2, 13, 9, 5, 1, 12, 8, 4, 0), packed);
  }
  // Numbers beyond a byte's end there.
  static Line line_of(Ints a, Ints b, Ints c, Ints d) {
    return line_in_order(_mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d)));
  }
  static Bytes saturated(Ints v) { return _mm512_cvtusepi32_epi8(at_least(v, all(int32_t{0}))); }
  static Bytes at_most(Bytes v, uint8_t highest) { return _mm_min_epu8(v, _mm_set1_epi8(static_cast<char>(highest))); }
  static Line at_most(Line v, uint8_t highest) {
    return _mm512_min_epu8(v, _mm512_set1_epi8(static_cast<char>(highest)));
  }
  static void store(uint8_t* to, Line line) { _mm512_storeu_si512(to, line); }

  // LongTable's step.
  static Floats lookup(const float* table, Ints at) { return _mm512_i32gather_ps(at, table, sizeof(float)); }
  static Ints add_where_reached(Ints base, Floats v, Floats threshold, int32_t step) {
    return _mm512_mask_add_epi32(base, _mm512_cmp_ps_mask(v, threshold, _CMP_GE_OQ), base, all(step));
  }

  // A threshold that is not there is NaN: never reached, not even by infinity.
  static Floats table_of(const Encoder& e) {
    return _mm512_mask_loadu_ps(all(__builtin_nanf("")), static_cast<__mmask16>((1U << e.steps) - 1), e.table);
  }

  struct ThreeThresholds {
    Floats first, second, third;

    explicit ThreeThresholds(const Encoder& e) {
      const auto table = table_of(e);
      first = _mm512_permutexvar_ps(all(int32_t{0}), table);
      second = _mm512_permutexvar_ps(all(int32_t{1}), table);
      third = _mm512_permutexvar_ps(all(int32_t{2}), table);
    }

    Bytes operator()(Floats v) const {
      const auto one = _mm_set1_epi8(1);
      auto codes = _mm_maskz_mov_epi8(_mm512_cmp_ps_mask(v, first, _CMP_GE_OQ), one);
      codes = _mm_mask_add_epi8(codes, _mm512_cmp_ps_mask(v, second, _CMP_GE_OQ), codes, one);
      return _mm_mask_add_epi8(codes, _mm512_cmp_ps_mask(v, third, _CMP_GE_OQ), codes, one);
    }
  };

  // Halving in a register: compare with threshold 8, then with the one 4 further than what is known, 2, 1.
  struct FifteenThresholds {
    Floats eighth, four_on, two_on, one_on;

    explicit FifteenThresholds(const Encoder& e) : one_on(table_of(e)) {
      const auto number = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
      eighth = _mm512_permutexvar_ps(all(int32_t{7}), one_on);
      four_on = _mm512_permutexvar_ps(add(number, all(int32_t{3})), one_on);
      two_on = _mm512_permutexvar_ps(add(number, all(int32_t{1})), one_on);
    }

    Bytes operator()(Floats v) const {
      auto code = _mm512_maskz_mov_epi32(_mm512_cmp_ps_mask(v, eighth, _CMP_GE_OQ), all(int32_t{8}));
      code = add_where_reached(code, v, _mm512_permutexvar_ps(code, four_on), 4);
      code = add_where_reached(code, v, _mm512_permutexvar_ps(code, two_on), 2);
      return bytes(add_where_reached(code, v, _mm512_permutexvar_ps(code, one_on), 1));
    }
  };

  static void count_any(const Counted& block) {
    const auto flip = block.flip == nullptr ? all(int32_t{0}) : load(block.flip);
    const auto one = _mm_set1_epi8(1);
    for (int64_t p = 0; p < block.pixels; ++p) {
      const auto x = _mm512_xor_si512(load(block.acc[p]), flip);
      auto codes = _mm_setzero_si128();
      for (int64_t j = 0; j < block.count; ++j)
        codes =
            _mm_mask_add_epi8(codes, _mm512_cmpge_epi32_mask(x, load(block.thresholds + j * block.apart)), codes, one);
      store(block.codes[p], codes, block.channels);
    }
  }

  // Packing works within quarters: four channels of one pixel, the same four of the other.
  template <size_t kCount>
  static void count_int16(const Counted& block) {
    __m512i below[kCount];  // thresholds less 1, in the order of packed pixels
    for (size_t j = 0; j < kCount; ++j) {
      const auto i = static_cast<int64_t>(j);
      const auto threshold = i < block.count ? load(block.thresholds + i * block.apart) : all(kNever);
      const auto less_one = add(threshold, all(int32_t{-1}));
      below[j] = _mm512_packs_epi32(less_one, less_one);
    }
    auto flip = block.flip == nullptr ? all(int32_t{0}) : load(block.flip);
    flip = _mm512_packs_epi32(flip, flip);
    const auto in_order = _mm256_set_epi32(7, 5, 3, 1, 6, 4, 2, 0);
    for_pairs(block, [&](const int32_t* acc, const int32_t* next_acc, uint8_t* to, uint8_t* next_to) {
      const auto x = _mm512_xor_si512(_mm512_packs_epi32(load(acc), load(next_acc)), flip);
      const auto codes = _mm256_permutexvar_epi32(in_order, count_of<kCount>(x, below));
      store(to, _mm256_castsi256_si128(codes), block.channels);
      store(next_to, _mm256_extracti128_si256(codes, 1), block.channels);
    });
  }

  // No comparisons, which need the ports of dot products: what is left of x less `below` is above 0 where x is, and
  // still is when cut to a byte; cut once more, to 1, it counts.
  template <size_t kCount>
  static void count_line_int16(const Counted& line) {
    constexpr int64_t kPair = 2 * kWidth;
    __m512i below[kCount][2], flip[2];
    for (size_t half = 0; half < 2; ++half) {
      const int64_t c = static_cast<int64_t>(half) * kPair;
      for (size_t j = 0; j < kCount; ++j) {
        const auto i = static_cast<int64_t>(j);
        const auto* from = line.thresholds + i * line.apart + c;
        below[j][half] = i < line.count ? _mm512_packs_epi32(add(load(from), all(int32_t{-1})),
                                                             add(load(from + kWidth), all(int32_t{-1})))
                                        : _mm512_set1_epi16(32767);
      }
      flip[half] = line.flip == nullptr ? all(int32_t{0})
                                        : _mm512_packs_epi32(load(line.flip + c), load(line.flip + c + kWidth));
    }
    const auto one = _mm512_set1_epi8(1);
    for (int64_t p = 0; p < line.pixels; ++p) {
      const int32_t* acc = line.acc[p];
      const auto x = _mm512_xor_si512(_mm512_packs_epi32(load(acc), load(acc + kWidth)), flip[0]);
      const auto y = _mm512_xor_si512(_mm512_packs_epi32(load(acc + kPair), load(acc + kPair + kWidth)), flip[1]);
      auto codes = _mm512_setzero_si512();
      for (size_t j = 0; j < kCount; ++j) {
        const auto above = _mm512_packus_epi16(_mm512_subs_epi16(x, below[j][0]), _mm512_subs_epi16(y, below[j][1]));
        codes = _mm512_add_epi8(codes, _mm512_min_epu8(above, one));
      }
      _mm512_storeu_si512(line.codes[p], line_in_order(codes));
    }
  }

  // Halving: each comparison chooses, for every lane, the threshold to compare with next.
  template <size_t kCount>
  static __m256i count_of(__m512i x, const __m512i (&t)[kCount]) {
    constexpr size_t kHalf = (kCount + 1) / 2;
    const auto reached = _mm512_cmpgt_epi16_mask(x, t[kHalf - 1]);
    const auto half = _mm256_maskz_mov_epi8(reached, _mm256_set1_epi8(static_cast<char>(kHalf)));
    if constexpr (kCount == 1) {
      return half;
    } else {
      __m512i rest[kHalf - 1];
      for (size_t j = 0; j < kHalf - 1; ++j) rest[j] = _mm512_mask_blend_epi16(reached, t[j], t[j + kHalf]);
      return _mm256_add_epi8(half, count_of<kHalf - 1>(x, rest));
    }
  }
};

}  // namespace
}  // namespace auxbench::requantize
