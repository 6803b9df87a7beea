// Codes as backward keeps them: a byte a number. For .cc files of this room.
#pragma once

#include "base/torch_prelude.h"
#include "quantizers/quantizer.h"

namespace auxbench {

// Whole numbers of `type`: the codes, or (code - first) / step where only so they fit in a byte. Two bytes a number for
// ranges of more than 256 places (relu6-official beyond 5 bits), the codes themselves where the range is not known.
class PackedCodes {
 public:
  PackedCodes() = default;
  PackedCodes(const at::Tensor& codes, const CodeRange& range);

  // As they were, in their type.
  [[nodiscard]] at::Tensor unpack() const;
  [[nodiscard]] int64_t bytes_per_number() const { return numbers_.element_size(); }
  void release() { numbers_.reset(); }

 private:
  at::Tensor numbers_;
  at::ScalarType type_ = at::kFloat;
  CodeRange range_{};
  bool places_ = false;  // (code - first) / step
};

}  // namespace auxbench
