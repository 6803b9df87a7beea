// What is known of one image of a batch beside its pixels, where images have boxes instead of a label.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace auxbench {

// Corners in pixels of the image as the network sees it, from its upper left corner; inside it, x0 < x1 and y0 < y1.
struct TruthBox {
  float x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  int64_t label = 0;   // in [0, classes)
  bool crowd = false;  // of many things as one: for evaluation alone
  bool operator==(const TruthBox&) const = default;
};

struct BoxedImage {
  size_t index = 0;                         // in its source
  int64_t width = 0, height = 0;            // as the network sees it, without padding
  int64_t full_width = 0, full_height = 0;  // as the file has it
  std::vector<TruthBox> boxes;              // for training: no crowds, none degenerate
  bool operator==(const BoxedImage&) const = default;
};

// Sides of a batch are multiples of it (of P5's stride, which is the pyramid's deepest that halves exactly).
inline constexpr int64_t kBatchSideStep = 32;

inline int64_t padded_side(int64_t side) { return (side + kBatchSideStep - 1) / kBatchSideStep * kBatchSideStep; }

}  // namespace auxbench
