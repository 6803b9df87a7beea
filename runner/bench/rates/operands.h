// Operands of matrix instructions. Whatever the type, one instruction multiplies rows of 32 bytes along K: 256 values
// of 1 bit, 64 of 4, 32 of 8, 16 of 16. So tiles, fragments and the reference here are the same for all types.
//
//   D[m][n] = sum over k of A[m][k] * B[n][k]
//
// With b1 values are 0 and 1, and the product is AND. Nibbles and bits are counted from the low end.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace auxbench::rates {

constexpr int kRowBytes = 32;
constexpr int kRowWords = kRowBytes / 4;

enum class Element { b1, s4, s8, u8, e4m3, bf16 };

constexpr int bits_of(Element element) {
  switch (element) {
    case Element::b1:
      return 1;
    case Element::s4:
      return 4;
    case Element::bf16:
      return 16;
    default:
      return 8;
  }
}

// The depth K of one instruction.
constexpr int values_of(Element element) { return kRowBytes * 8 / bits_of(element); }

// Which of a row-major tile's words, 8 a row, is register `r` of a lane's fragment. A has 4 registers (16 rows a warp),
// B of mma.sync has 2 (8 rows): the second half of K comes after all rows.
__host__ __device__ constexpr int a_word(int lane, int r) {
  return (lane / 4 + 8 * (r % 2)) * kRowWords + lane % 4 + 4 * (r / 2);
}
__host__ __device__ constexpr int b_word(int lane, int r) { return lane / 4 * kRowWords + lane % 4 + 4 * r; }

// Which of a tile's results register `r` of a lane's accumulator is; 16 rows a warp, 4 registers for each 8 columns.
__host__ __device__ constexpr int d_row(int lane, int r) { return lane / 4 + 8 * (r % 4 / 2); }
__host__ __device__ constexpr int d_column(int lane, int r) { return 8 * (r / 4) + 2 * (lane % 4) + r % 2; }

inline double value_of(Element element, const uint8_t* row, int i) {
  switch (element) {
    case Element::b1:
      return (row[i / 8] >> (i % 8)) & 1;
    case Element::s4: {
      const int code = (row[i / 2] >> (4 * (i % 2))) & 15;
      return code < 8 ? code : code - 16;
    }
    case Element::s8:
      return static_cast<int8_t>(row[i]);
    case Element::u8:
      return row[i];
    case Element::e4m3: {
      const int exponent = (row[i] >> 3) & 15, mantissa = row[i] & 7;
      const double size = exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10);
      return row[i] >> 7 ? -size : size;
    }
    case Element::bf16:
      return std::bit_cast<float>(static_cast<uint32_t>(row[2 * i]) << 16 | static_cast<uint32_t>(row[2 * i + 1])
                                                                                << 24);
  }
  return 0;
}

// The values of rows one after another.
inline std::vector<double> decode(Element element, const std::vector<uint8_t>& bytes) {
  const size_t rows = bytes.size() / kRowBytes;
  std::vector<double> values;
  values.reserve(rows * static_cast<size_t>(values_of(element)));
  for (size_t row = 0; row < rows; ++row)
    for (int i = 0; i < values_of(element); ++i) values.push_back(value_of(element, bytes.data() + row * kRowBytes, i));
  return values;
}

inline double dot(const double* a, const double* b, int depth) {
  double sum = 0;
  for (int k = 0; k < depth; ++k) sum += a[k] * b[k];
  return sum;
}

// small: floating point values are +-1 and +-2, whose sums are exact in any accumulator of 13 bits and more.
// all:   they have random signs and mantissas and exponents near 0, as toggles of real data would.
// Codes are uniform in both.
enum class Values { small, all };

inline std::vector<uint8_t> random_rows(Element element, Values values, size_t rows, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<uint8_t> bytes(rows * kRowBytes);
  if (element == Element::bf16) {
    for (size_t i = 0; i < bytes.size(); i += 2) {
      const auto bits = static_cast<uint32_t>(random());
      const uint32_t exponent = values == Values::small ? 127 + (bits >> 8 & 1) : 124 + (bits >> 8 & 3);
      const uint32_t code = (bits >> 15 & 1) << 15 | exponent << 7 | (values == Values::small ? 0 : bits & 127);
      bytes[i] = static_cast<uint8_t>(code);
      bytes[i + 1] = static_cast<uint8_t>(code >> 8);
    }
    return bytes;
  }
  for (uint8_t& byte : bytes) {
    const auto bits = static_cast<uint32_t>(random());
    const uint32_t exponent = values == Values::small ? 7 + (bits >> 8 & 1) : 4 + (bits >> 8 & 3);
    const uint32_t float_code = (bits >> 15 & 1) << 7 | exponent << 3 | (values == Values::small ? 0 : bits & 7);
    byte = static_cast<uint8_t>(element == Element::e4m3 ? float_code : bits);
  }
  return bytes;
}

}  // namespace auxbench::rates
