// The moments of a tensor for the quantizers that ask for them: kernels/fake_quant/moments.h on tensors, without a
// gradient. For .cc files of this room.
#pragma once

#include "base/torch_prelude.h"
#include "kernels/fake_quant/moments.h"

namespace auxbench {

struct Moments {
  at::Tensor all;      // [kMoments], of x's type, on its device
  at::Tensor largest;  // max |x| of each piece of kPiece elements in memory order, in double

  [[nodiscard]] at::Tensor of(fake_quant::Moment moment) const { return all.select(0, moment); }
};

// x: float32 or float64, in any dense layout (another is copied).
Moments moments_of(const at::Tensor& x);

}  // namespace auxbench
