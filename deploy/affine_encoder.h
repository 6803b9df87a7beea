// An affine encoder as kernels take it. For .cc files of this room.
#pragma once

#include "deploy/integer_network.h"
#include "kernels/requantize/requantize.h"

namespace auxbench {

// steps: the largest of its codes.
inline requantize::Encoder affine_encoder(const FrozenEncoder& frozen, int32_t steps) {
  return {.kind = requantize::Encoder::Kind::affine,
          .steps = steps,
          .subtract = frozen.subtract,
          .divide = frozen.divide,
          .lo = frozen.lo,
          .hi = frozen.hi,
          .multiply = frozen.multiply,
          .add = frozen.add};
}

}  // namespace auxbench
