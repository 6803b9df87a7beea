// The range whose equal steps fit a tensor best, by squared error: a search over ranges inside [min, max].
//
//   error(lo, hi) = sum over x of (x - lo - s round(clip((x - lo)/s, 0, n)))^2,  s = (hi - lo)/n
//
// A sample of about 16,384 evenly spaced elements decides. Several processes add up the errors of their samples, so that
// all of them find the same range.
#pragma once

#include <ATen/core/Tensor.h>

namespace auxbench {

struct ValueRange {
  double lo = 0, hi = 1;
};

// Both ends are searched, in twentieths of min and max. steps: n > 0. Of a constant c: [c, c + 1].
ValueRange best_range(const at::Tensor& x, double steps);

// The end of the best range from 0, in fiftieths of max; what lies below 0 is clipped there. 1 where nothing is above 0.
double best_clip(const at::Tensor& x, double steps);

}  // namespace auxbench
