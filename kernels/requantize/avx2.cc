#include <immintrin.h>

#include "kernels/requantize/blocks.h"

namespace auxbench::requantize {
namespace {

// Sixteen numbers in two registers; comparisons give -1 where true.
struct Avx2 {
  struct Floats {
    __m256 low, high;
  };
  struct Ints {
    __m256i low, high;
  };
  using Bytes = __m128i;
  static constexpr bool kLine = false;

  static __m256i load8(const int32_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  static Floats load(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + 8)}; }
  static Ints load(const int32_t* from) { return {load8(from), load8(from + 8)}; }
  static void store(float* to, Floats v) {
    _mm256_storeu_ps(to, v.low);
    _mm256_storeu_ps(to + 8, v.high);
  }
  static Floats all(float v) { return {_mm256_set1_ps(v), _mm256_set1_ps(v)}; }
  static Ints all(int32_t v) { return {_mm256_set1_epi32(v), _mm256_set1_epi32(v)}; }

  static Floats add(Floats a, Floats b) { return {_mm256_add_ps(a.low, b.low), _mm256_add_ps(a.high, b.high)}; }
  static Ints add(Ints a, Ints b) { return {_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)}; }
  static Floats sub(Floats a, Floats b) { return {_mm256_sub_ps(a.low, b.low), _mm256_sub_ps(a.high, b.high)}; }
  static Floats mul(Floats a, Floats b) { return {_mm256_mul_ps(a.low, b.low), _mm256_mul_ps(a.high, b.high)}; }
  static Floats fused(Floats a, Floats b, Floats c) {
    return {_mm256_fmadd_ps(a.low, b.low, c.low), _mm256_fmadd_ps(a.high, b.high, c.high)};
  }
  static Floats div(Floats a, Floats b) { return {_mm256_div_ps(a.low, b.low), _mm256_div_ps(a.high, b.high)}; }
  // Of equals, and where one is NaN, the instructions return their second operand.
  static Floats at_least(Floats v, Floats lo) { return {_mm256_max_ps(lo.low, v.low), _mm256_max_ps(lo.high, v.high)}; }
  static Floats at_most(Floats v, Floats hi) { return {_mm256_min_ps(hi.low, v.low), _mm256_min_ps(hi.high, v.high)}; }

  static Floats to_float(Ints v) { return {_mm256_cvtepi32_ps(v.low), _mm256_cvtepi32_ps(v.high)}; }
  static Ints rounded(Floats v) { return {_mm256_cvtps_epi32(v.low), _mm256_cvtps_epi32(v.high)}; }
  static Floats widen(const uint8_t* codes) {
    const auto bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
    return to_float({_mm256_cvtepu8_epi32(bytes), _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8))});
  }
  static __m128 product_of_four(__m128i acc, __m128 scale) {
    return _mm256_cvtpd_ps(_mm256_mul_pd(_mm256_cvtepi32_pd(acc), _mm256_cvtps_pd(scale)));
  }
  static __m256 product_of_eight(__m256i acc, __m256 scale) {
    return _mm256_set_m128(product_of_four(_mm256_extracti128_si256(acc, 1), _mm256_extractf128_ps(scale, 1)),
                           product_of_four(_mm256_castsi256_si128(acc), _mm256_castps256_ps128(scale)));
  }
  static Floats product_in_double(Ints acc, Floats scale) {
    return {product_of_eight(acc.low, scale.low), product_of_eight(acc.high, scale.high)};
  }

  // Packing works within halves: channels 0 - 3, 8 - 11 come out before 4 - 7, 12 - 15. Numbers beyond a byte's end
  // there.
  static Bytes bytes(Ints v) {
    const auto words = _mm256_packs_epi32(v.low, v.high);
    const auto packed = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    return _mm_shuffle_epi32(packed, 0b11'01'10'00);
  }
  static Bytes saturated(Ints v) { return bytes(v); }
  static Bytes at_most(Bytes v, uint8_t highest) { return _mm_min_epu8(v, _mm_set1_epi8(static_cast<char>(highest))); }
  static void store(uint8_t* to, Bytes codes, int64_t channels) {
    if (channels == kWidth) return _mm_storeu_si128(reinterpret_cast<__m128i*>(to), codes);
    alignas(16) uint8_t each[kWidth];
    _mm_store_si128(reinterpret_cast<__m128i*>(each), codes);
    for (int64_t c = 0; c < channels; ++c) to[c] = each[c];
  }

  static Ints at_or_above(Floats v, Floats threshold) {
    return {_mm256_castps_si256(_mm256_cmp_ps(v.low, threshold.low, _CMP_GE_OQ)),
            _mm256_castps_si256(_mm256_cmp_ps(v.high, threshold.high, _CMP_GE_OQ))};
  }
  static Ints minus(Ints a, Ints b) { return {_mm256_sub_epi32(a.low, b.low), _mm256_sub_epi32(a.high, b.high)}; }

  // LongTable's step.
  static Floats lookup(const float* table, Ints at) {
    return {_mm256_i32gather_ps(table, at.low, sizeof(float)), _mm256_i32gather_ps(table, at.high, sizeof(float))};
  }
  static Ints add_where_reached(Ints base, Floats v, Floats threshold, int32_t step) {
    const auto reached = at_or_above(v, threshold);
    const auto steps = _mm256_set1_epi32(step);
    return add(base, {_mm256_and_si256(reached.low, steps), _mm256_and_si256(reached.high, steps)});
  }

  // A threshold that is not there is NaN: never reached, not even by infinity.
  static float threshold_of(const Encoder& e, int32_t j) { return j < e.steps ? e.table[j] : __builtin_nanf(""); }

  struct ThreeThresholds {
    Floats first, second, third;

    explicit ThreeThresholds(const Encoder& e)
        : first(all(threshold_of(e, 0))), second(all(threshold_of(e, 1))), third(all(threshold_of(e, 2))) {}

    Bytes operator()(Floats v) const {
      auto codes = minus(all(int32_t{0}), at_or_above(v, first));
      codes = minus(codes, at_or_above(v, second));
      return bytes(minus(codes, at_or_above(v, third)));
    }
  };

  // Halving in registers: compare with threshold 8, then with the one 4 further than what is known, 2, 1. Lookups see
  // eight entries: which half of the table they are of is what the first comparison says.
  struct FifteenThresholds {
    struct Half {
      __m256 four_on, two_on, one_on;
    };
    __m256 eighth;
    Half below, above;

    explicit FifteenThresholds(const Encoder& e)
        : eighth(_mm256_set1_ps(threshold_of(e, 7))), below(half_of(e, 0)), above(half_of(e, 8)) {}

    static Half half_of(const Encoder& e, int32_t from) {
      float one_on[8], two_on[8];
      for (int32_t j = 0; j < 8; ++j) {
        one_on[j] = threshold_of(e, from + j);
        two_on[j] = threshold_of(e, from + j + 1);
      }
      return {_mm256_set1_ps(one_on[3]), _mm256_loadu_ps(two_on), _mm256_loadu_ps(one_on)};
    }

    static __m256i step(__m256i code, __m256 v, __m256 threshold, int32_t size) {
      const auto reached = _mm256_castps_si256(_mm256_cmp_ps(v, threshold, _CMP_GE_OQ));
      return _mm256_or_si256(code, _mm256_and_si256(reached, _mm256_set1_epi32(size)));
    }
    [[nodiscard]] __m256i eight(__m256 v) const {
      const auto upper = _mm256_cmp_ps(v, eighth, _CMP_GE_OQ);
      const auto lookup = [upper](__m256 low_table, __m256 high_table, __m256i at) {
        return _mm256_blendv_ps(_mm256_permutevar8x32_ps(low_table, at), _mm256_permutevar8x32_ps(high_table, at),
                                upper);
      };
      auto code = _mm256_and_si256(_mm256_castps_si256(upper), _mm256_set1_epi32(8));
      code = step(code, v, _mm256_blendv_ps(below.four_on, above.four_on, upper), 4);
      code = step(code, v, lookup(below.two_on, above.two_on, code), 2);
      return step(code, v, lookup(below.one_on, above.one_on, code), 1);
    }
    Bytes operator()(Floats v) const { return bytes({eight(v.low), eight(v.high)}); }
  };

  static Ints flipped(const int32_t* acc, Ints flip) {
    return {_mm256_xor_si256(load8(acc), flip.low), _mm256_xor_si256(load8(acc + 8), flip.high)};
  }

  // Counts those that are not above.
  static void count_any(const Counted& block) {
    const auto flip = block.flip == nullptr ? all(int32_t{0}) : load(block.flip);
    for (int64_t p = 0; p < block.pixels; ++p) {
      const auto x = flipped(block.acc[p], flip);
      auto codes = all(block.count);
      for (int64_t j = 0; j < block.count; ++j) {
        const auto threshold = load(block.thresholds + j * block.apart);
        codes = add(codes, {_mm256_cmpgt_epi32(threshold.low, x.low), _mm256_cmpgt_epi32(threshold.high, x.high)});
      }
      store(block.codes[p], bytes(codes), block.channels);
    }
  }

  template <size_t kCount>
  static void count_int16(const Counted& block) {
    __m256i below[kCount];  // thresholds less 1, in the order of packed channels
    for (size_t j = 0; j < kCount; ++j) {
      const auto i = static_cast<int64_t>(j);
      const auto threshold = i < block.count ? load(block.thresholds + i * block.apart) : all(kNever);
      const auto less_one = add(threshold, all(int32_t{-1}));
      below[j] = _mm256_packs_epi32(less_one.low, less_one.high);
    }
    const auto flip = block.flip == nullptr ? all(int32_t{0}) : load(block.flip);
    const auto flip_words = _mm256_packs_epi32(flip.low, flip.high);
    const auto in_order = _mm256_set_epi32(7, 3, 6, 2, 5, 1, 4, 0);
    const auto words = [flip_words](const int32_t* acc) {
      return _mm256_xor_si256(_mm256_packs_epi32(load8(acc), load8(acc + 8)), flip_words);
    };
    for_pairs(block, [&](const int32_t* acc, const int32_t* next_acc, uint8_t* to, uint8_t* next_to) {
      const auto packed = _mm256_packs_epi16(count_of(words(acc), below), count_of(words(next_acc), below));
      const auto codes = _mm256_permutevar8x32_epi32(packed, in_order);
      store(to, _mm256_castsi256_si128(codes), block.channels);
      store(next_to, _mm256_extracti128_si256(codes, 1), block.channels);
    });
  }

  template <size_t kCount>
  static __m256i count_of(__m256i x, const __m256i (&below)[kCount]) {
    auto codes = _mm256_setzero_si256();
    for (size_t j = 0; j < kCount; ++j) codes = _mm256_sub_epi16(codes, _mm256_cmpgt_epi16(x, below[j]));
    return codes;
  }
};

}  // namespace

Paths avx2_paths() { return {apply<Avx2>, apply_rows<Avx2>}; }

}  // namespace auxbench::requantize
