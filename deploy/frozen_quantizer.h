// An activation quantizer as thresholds on floats. For .cc files of this room.
#pragma once

#include "deploy/integer_network.h"
#include "quantizers/quantizer.h"

namespace auxbench {

struct FrozenQuantizer {
  CodeMeaning meaning;
  FrozenEncoder encoder;
  int64_t largest = 0;           // bound of |code|, as CodeRange::largest
  std::vector<float> basis{};    // LQ-Nets: the codes' digits count these
  std::vector<int64_t> order{};  // there, the codes in the order of their levels: u is a place in it
};

// The codes of a basis, lowest level first.
std::vector<int64_t> level_order(const at::Tensor& basis);

// Throws UserError, naming `place`, for codes that 8 bits do not hold.
FrozenQuantizer freeze_quantizer(Quantizer& quantizer, const std::string& place);

}  // namespace auxbench
