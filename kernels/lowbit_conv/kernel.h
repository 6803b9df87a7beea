// What a kernel of this family is: one entry of table.cc, made in a translation unit of its own with the flags of its
// instruction set. For .cc files of this folder.
//
// Kernels compute  dot = sum c'_w u  over all taps, border included, with c'_w either c_w or the weight's value, and
// the exact accumulator from it:
//
//   acc = dot_factor dot + row_factor sum u + correction[class(y, x)][o]
// (row_factor 0 where weights' values are multiplied). The corrections are made once, by pack(), for every kernel:
// they hold what shift and the border's code add. class(y, x) = row_class[y] * column_classes + column_class[x].
#pragma once

#include <array>

#include "kernels/lowbit_conv/lowbit_conv.h"

namespace auxbench::lowbit_conv {

inline constexpr int64_t kBlock = requantize::kChannelBlock;

inline int64_t round_up(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

// Which taps of the kernel are inside the image differs near borders. Few classes: 1 without padding.
struct BorderClasses {
  std::vector<uint8_t> rows, columns;                         // class of each output row, column
  std::vector<std::array<int64_t, 2>> row_taps, column_taps;  // of each class: the taps first .. last that are inside
  [[nodiscard]] int64_t count() const { return static_cast<int64_t>(row_taps.size() * column_taps.size()); }
};
BorderClasses border_classes(const Problem& problem);

// What a kernel multiplies: factor and constant of w = factor c' + constant.
struct Multiplied {
  bool values = false;  // c' is the weight's value (int8); else its code

  // acc = dot_factor dot + row_factor sum u + correction
  [[nodiscard]] int32_t dot_factor(const Problem& p) const {
    return (p.odd_weights && !values ? 2 : 1) * p.activation_step;
  }
  [[nodiscard]] int32_t row_factor(const Problem& p) const { return p.odd_weights && !values ? p.activation_step : 0; }
};

// A blob: this header, tables, then what the kernel's pack() writes, from `body` on, 64-byte aligned.
struct BlobHeader {
  char magic[8];                                        // "AUXCONV1"
  char kernel[24];                                      // its name, padded with zeros
  int64_t problem[9];                                   // h, w, c, out, r, s, stride, pad, bits and codings (n is free)
  uint64_t bytes;                                       // of the whole blob
  uint64_t checksum;                                    // FNV-1a 64 over everything behind the header
  uint64_t row_class, column_class, corrections, body;  // offsets
  int64_t column_classes, classes;
};

// Views into a blob.
struct Packed {
  const uint8_t* row_class = nullptr;     // [out_h]
  const uint8_t* column_class = nullptr;  // [out_w]
  const int32_t* corrections = nullptr;   // [classes][round_up(out, kBlock)]
  const std::byte* body = nullptr;
  int64_t column_classes = 1, classes = 1;

  [[nodiscard]] const int32_t* correction(int64_t y, int64_t x, int64_t padded_out) const {
    return corrections + (row_class[y] * column_classes + column_class[x]) * padded_out;
  }
};
Packed open_blob(const std::byte* packed);

struct Kernel {
  const char* name;
  const char* idea;  // one line: what it does and when it is best, for Plan::reason
  bool (*runs_on)(const Isa&);
  bool (*supports)(const Problem&);
  double (*cost)(const Problem&);  // estimated nanoseconds on one core of its best known processor
  Multiplied (*multiplied)(const Problem&);
  size_t (*body_bytes)(const Problem&);
  // codes: c' as `multiplied` says, [out][r][s][c]; body is zeroed. The body does not depend on n, h, w and threads.
  void (*pack)(const Problem&, const int8_t* codes, std::byte* body);
  size_t (*shared_bytes)(const Problem&);
  size_t (*own_bytes)(const Problem&);
  int (*phases)(const Problem&);
  int64_t (*tasks)(const Problem&, int phase);
  void (*run)(const Problem&, int phase, int64_t first, int64_t last, const Arguments&, const Packed&);
};

// table.cc: every kernel, in no particular order.
std::span<const Kernel* const> all_kernels();

}  // namespace auxbench::lowbit_conv
